"""Whose rows an actor may see: those of their desks; an owner's number only with consent."""

from collections.abc import Iterable

import sqlalchemy as sa

from models import tables as t
from models.canary import CANARY_DESK, CANARY_VIN
from models.person import Actor
from models.words import Role


def seen(desk: sa.Column[str], actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition that a row's desk is one of the actor's; the canary's is nobody's."""
    if actor.desks is None:
        return desk != CANARY_DESK
    return desk.in_(sorted(actor.desks - {CANARY_DESK}))


def seen_tasks(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition that a task is one of the actor's desks'."""
    return seen(t.task.c.desk, actor)


def seen_cases(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition that one of the actor's desks has, or had, a task of a case."""
    if actor.desks is None:
        return t.case.c.vin != CANARY_VIN
    return t.case.c.case_id.in_(sa.select(t.task.c.case_id).where(seen_tasks(actor)))


def seen_entries(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition that an entry of a seen case's timeline is no other desk's."""
    if actor.desks is None:
        return sa.true()
    own = sa.select(t.task.c.task_id).where(seen_tasks(actor))
    return sa.or_(t.entry.c.task_id.is_(None), t.entry.c.task_id.in_(own))


def seen_vehicles(vin: sa.Column[str], actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition that one of the actor's desks has, or had, a task of a vehicle."""
    if actor.desks is None:
        return vin != CANARY_VIN
    return vin.in_(sa.select(t.task.c.vin).where(seen_tasks(actor)))


def looked_after(vin: sa.Column[str] | str, actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition that one of the actor's desks looks after a vehicle: its owner prefers
    it, or the vehicle stands there.
    """
    v = t.vehicle.c
    desks = sa.or_(seen(v.preferred_dealer, actor), seen(v.stands_at, actor))
    return sa.select(v.vin).where(v.vin == vin, desks).exists()


def sees_any(desks: Iterable[str], actor: Actor) -> bool:
    """Whether something that concerns these desks is there for the actor."""
    return actor.desks is None or any(actor.sees(desk) for desk in desks)


def sees_owners(actor: Actor) -> bool:
    """Whether the actor learns whom to call; an engineer does not."""
    return actor.role is not Role.ENGINEER


def callable_number(phone: str | None, *, has_consent: bool) -> str | None:
    """Return an owner's number only if they allowed calls."""
    return phone if has_consent else None
