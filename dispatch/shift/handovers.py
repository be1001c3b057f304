"""Hand-overs: a shift given away, and taken when the next person has confirmed each urgent task."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from dispatch.access.visibility import seen, seen_tasks
from dispatch.read.open_tasks import OPEN
from dispatch.read.typed_rows import columns_of, typed
from models import tables as t
from models.errors import Conflict, NotAllowed, NotThere
from models.ids import digest
from models.person import WORKERS, Actor
from models.words import PRIORITY_RANK, Priority

_NEWEST: Final = 3


@dataclass(frozen=True, slots=True)
class Handover:
    """A shift given away. `urgent`: each urgent task, with who confirmed it and when."""

    handover_id: str
    desk: str
    given_by: str
    given_by_name: str
    given_at: datetime
    note: str
    urgent: Mapping[str, Mapping[str, str]]
    taken_at: datetime | None


def can_give(actor: Actor) -> bool:
    """Whether somebody has a shift to hand over: who works, and belongs to a desk."""
    return actor.role in WORKERS and bool(actor.desks)


def desk_of(actor: Actor) -> str:
    """Return the desk whose shift somebody hands over. Raises `NotAllowed` without one."""
    if not can_give(actor) or actor.desks is None:
        raise NotAllowed("A shift is handed over by who belongs to a desk.")
    return min(actor.desks)


def give(connection: sa.Connection, actor: Actor, desk: str, note: str, at: datetime) -> None:
    """Give a shift away; without an urgent task nobody has to confirm anything."""
    is_urgent = t.task.c.priority_rank == PRIORITY_RANK[Priority.URGENT]
    query = sa.select(t.task.c.task_id).where(is_urgent, OPEN, seen_tasks(actor))
    urgent: dict[str, dict[str, str]] = {
        task_id: {} for task_id in connection.execute(query).scalars()
    }
    connection.execute(
        sa.insert(t.handover).values(
            handover_id=digest("handover", actor.actor_id, at.isoformat()),
            desk=desk,
            given_by=actor.actor_id,
            given_by_name=actor.name,
            given_at=at,
            note=note,
            urgent=urgent,
            taken_at=None if urgent else at,
        )
    )


def confirm(
    connection: sa.Connection, handover_id: str, task_id: str, actor: Actor, at: datetime
) -> None:
    """Confirm one urgent task; the last one takes the shift.

    Raises `NotThere` for another desk's hand-over, `Conflict` for who gave it.
    """
    h = t.handover.c
    query = sa.select(t.handover).where(h.handover_id == handover_id).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None or not actor.sees(row.desk) or task_id not in row.urgent:
        raise NotThere("There is no such case on a hand-over of yours.")
    if row.given_by == actor.actor_id:
        raise Conflict("The next person confirms, not the one who goes.")
    stamp = {"name": actor.name, "at": at.isoformat()}
    urgent = {**row.urgent, task_id: stamp}
    is_taken = all(urgent.values())
    connection.execute(
        sa.update(t.handover)
        .where(h.handover_id == handover_id)
        .values(urgent=urgent, taken_at=at if is_taken else None)
    )


def pending(connection: sa.Connection, actor: Actor) -> list[Handover]:
    """List the newest hand-overs of the actor's desks that nobody has taken whole."""
    h = t.handover.c
    query = (
        sa.select(*columns_of(Handover, t.handover))
        .where(h.taken_at.is_(None), seen(h.desk, actor))
        .order_by(h.given_at.desc())
        .limit(_NEWEST)
    )
    return [typed(Handover, row) for row in connection.execute(query).mappings()]
