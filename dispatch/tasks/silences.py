"""Silences and the workshop: holding a vehicle's tasks back, and letting them go again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec.structs import replace

from dispatch.access.acting import Acting
from dispatch.access.visibility import looked_after, seen
from dispatch.read.open_tasks import OPEN
from dispatch.read.silences import in_force
from dispatch.rules.deadlines import deadlines
from dispatch.rules.silence import held_because
from dispatch.tasks.locked_task import LockedTask
from models import rows
from models import tables as t
from models.canary import CANARY_VIN
from models.errors import Conflict, NotAllowed, NotThere, Unusable
from models.ids import digest
from models.person import Actor
from models.sql import insert_new
from models.words import PRIORITY_RANK, CarState, Priority, Queue, Role, Status, TaskState


def silence(
    acting: Acting,
    vin: str,
    kind: str,
    ends_at: datetime | None,
    reason: str,
) -> str:
    """Hold a vehicle's waiting tasks back, never urgent ones; return the silence's id.

    A dealer may say that a vehicle of its tasks is in the workshop; a silence takes a supervisor.
    Raises `NotAllowed` for others, `NotThere` for a vehicle out of sight, `Unusable` if it is over.
    """
    connection, actor, at = acting.connection, acting.actor, acting.at
    if not may_hold_back(actor, kind):
        raise NotAllowed("A silence takes a supervisor; a dealer may say `workshop`.")
    _require_seen(connection, vin, actor)
    if ends_at is not None and ends_at <= at:
        raise Unusable("The silence would have ended before it began.", field="ends_at")
    insert_new(connection, t.vehicle, [{"vin": vin, "waiting": {}, "cleared": {}, "history": []}])
    row_lock = sa.select(t.vehicle.c.vin).where(t.vehicle.c.vin == vin).with_for_update()
    connection.execute(row_lock)
    s = t.silence.c
    before = connection.execute(sa.select(sa.func.count()).where(s.vin == vin)).scalar_one()
    silence_id = digest("silence", vin, at.isoformat(), actor.actor_id, str(before))
    connection.execute(
        sa.insert(t.silence).values(
            silence_id=silence_id,
            vin=vin,
            kind=kind,
            starts_at=at,
            ends_at=ends_at,
            reason=reason,
            made_by=actor.name,
            desk=_workshop(connection, vin, actor) if kind == "workshop" else None,
        )
    )
    for task_id in _open(connection, vin):
        hold(LockedTask(acting, task_id))
    return silence_id


def hold(locked: LockedTask) -> str | None:
    """Hold a waiting task back if a silence covers its vehicle; return what was done."""
    task, at = locked.task, locked.acting.at
    because = held_because(_silences(locked.acting.connection, locked.vin), task.priority, at)
    if not because or task.held_because is not None or task.state is not TaskState.QUEUED:
        return None
    locked.change(
        "held", replace(task, held_because=because), locked.assignment, because=because.en
    )
    return "held"


def hold_due(at: datetime) -> sa.ColumnElement[bool]:
    """Return the condition that `hold` holds a task back: its car came to a workshop since."""
    k, s = t.task.c, t.silence.c
    return sa.and_(
        k.held_zh.is_(None),
        k.state == TaskState.QUEUED.value,
        k.priority_rank < PRIORITY_RANK[Priority.URGENT],
        k.vin.in_(sa.select(s.vin).where(in_force(at))),
    )


def lift(acting: Acting, silence_id: str) -> None:
    """End a silence now, and release the tasks that it held back.

    Raises `NotThere` if there is none to see, `Conflict` if it was lifted, `NotAllowed`.
    """
    connection, actor = acting.connection, acting.actor
    s = t.silence.c
    row = connection.execute(sa.select(t.silence).where(s.silence_id == silence_id)).one_or_none()
    if row is None:
        raise _no_silence(silence_id)
    try:
        _require_seen(connection, row.vin, actor)
    except NotThere:
        raise _no_silence(silence_id) from None
    if not may_hold_back(actor, row.kind):
        raise NotAllowed("Lifting a silence takes a supervisor.")
    row_lock = sa.select(t.vehicle.c.vin).where(t.vehicle.c.vin == row.vin).with_for_update()
    connection.execute(row_lock)
    still = sa.update(t.silence).where(s.silence_id == silence_id, s.released_at.is_(None))
    if connection.execute(still.values(released_at=acting.at)).rowcount == 0:
        raise Conflict("The silence has been lifted already.")
    if row.kind == "workshop":
        left = sa.update(t.vehicle).where(
            t.vehicle.c.vin == row.vin, t.vehicle.c.state == CarState.WORKSHOP.value
        )
        connection.execute(left.values(state=CarState.ON_ROAD.value, stands_at=None))
    for task_id in _open(connection, row.vin):
        release(acting, task_id)


def may_hold_back(actor: Actor, kind: str) -> bool:
    """Return whether somebody may make or end such a silence, on a vehicle that they see."""
    return actor.role is Role.SUPERVISOR or (actor.role, kind) == (Role.DEALER, "workshop")


def release(acting: Acting, task_id: str) -> bool:
    """Release a task if nothing holds it back any more and a fault is active; return whether."""
    connection, at = acting.connection, acting.at
    locked = LockedTask(acting, task_id)
    task = locked.task
    if task.held_because is None or task.state is not TaskState.QUEUED or task.issue_id:
        return False
    if held_because(_silences(connection, locked.vin), task.priority, at):
        return False
    if connection.execute(_active(task.case_id)).first() is None:
        return False
    due = deadlines(task.priority, task.queue, acting.policy.directory.desk(task.desk), at)
    free = replace(task, held_because=None, claim_by=due.claim_by, contact_by=due.contact_by)
    locked.change("unheld", replace(free, alarms=task.alarms + 1), locked.assignment)
    return True


def is_free(at: datetime) -> sa.ColumnElement[bool]:
    """Return the condition that `release` releases a task at `at`.

    What a fleet issue holds back is released at its own pace (`dispatch/fleet/hold_back.py`).
    """
    k, s = t.task.c, t.silence.c
    is_silenced = sa.select(s.silence_id).where(s.vin == k.vin, in_force(at)).exists()
    is_urgent = k.priority_rank == PRIORITY_RANK[Priority.URGENT]
    return sa.and_(
        k.held_zh.is_not(None),
        k.issue_id.is_(None),
        k.state == TaskState.QUEUED.value,
        sa.or_(is_urgent, ~is_silenced),
        _active(k.case_id).exists(),
    )


def _silences(connection: sa.Connection, vin: str) -> tuple[Any, ...]:
    s = t.silence.c
    query = sa.select(t.silence).where(s.vin == vin, s.released_at.is_(None))
    ordered = query.order_by(s.silence_id)
    return tuple(rows.silence(dict(row)) for row in connection.execute(ordered).mappings())


def _active(case_id: str | sa.Column[str]) -> sa.Select[Any]:
    """Select the active faults of a case."""
    f = t.fault.c
    return sa.select(f.code).where(
        f.case_id == case_id, f.status.in_((Status.ACTIVE.value, Status.LAMP_ONLY.value))
    )


def _open(connection: sa.Connection, vin: str) -> Sequence[str]:
    c = t.task.c
    query = sa.select(c.task_id).where(c.vin == vin, OPEN)
    return connection.execute(query.order_by(c.task_id)).scalars().all()


def _require_seen(connection: sa.Connection, vin: str, actor: Actor) -> None:
    """Raise `NotThere` unless the vehicle is one of the actor's: a silence is about a vehicle, and
    may come before its first task. Whoever sees all desks sees every vehicle.
    """
    if actor.desks is None and vin != CANARY_VIN:
        return
    c = t.task.c
    worked = sa.select(c.vin).where(c.vin == vin, seen(c.desk, actor)).exists()
    if not connection.execute(sa.select(sa.or_(worked, looked_after(vin, actor)))).scalar():
        raise NotThere("There is no vehicle %(vin)s with a task.", {"vin": vin})


def _workshop(connection: sa.Connection, vin: str, actor: Actor) -> str | None:
    """Return in whose workshop a vehicle is: where the dealer has its task, else the actor's."""
    c = t.task.c
    query = sa.select(c.desk).where(
        c.vin == vin, c.queue == Queue.DEALER.value, seen(c.desk, actor)
    )
    newest = connection.execute(query.order_by(c.opened_at.desc()).limit(1)).scalar()
    if newest is None and actor.role is Role.DEALER and actor.desks and len(actor.desks) == 1:
        return next(iter(actor.desks))
    return newest


def _no_silence(silence_id: str) -> NotThere:
    return NotThere("There is no silence %(id)s.", {"id": silence_id})
