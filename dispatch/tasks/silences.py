"""Silences and the workshop: holding a vehicle's tasks back, and letting them go again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec.structs import replace

from dispatch.access.acting import Acting
from dispatch.access.visibility import seen
from dispatch.read.open_tasks import OPEN
from dispatch.read.silences import in_force
from dispatch.rules.deadlines import deadlines
from dispatch.rules.silence import held_because
from dispatch.tasks.locked_task import LockedTask
from models import rows
from models import tables as t
from models.errors import Conflict, NotAllowed, NotThere, Unusable
from models.ids import digest
from models.person import Actor
from models.words import PRIORITY_RANK, Priority, Role, Status, TaskState


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
        )
    )
    for task_id in _open(connection, vin):
        locked = LockedTask(acting, task_id)
        because = held_because(_silences(connection, vin), locked.task.priority, at)
        if because and locked.task.held_because is None and locked.task.state is TaskState.QUEUED:
            task = replace(locked.task, held_because=because)
            locked.change("held", task, locked.assignment, because=because.en)
    return silence_id


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
    c = t.task.c
    query = sa.select(c.task_id).where(c.vin == vin, seen(c.desk, actor))
    if connection.execute(query.limit(1)).first() is None:
        raise NotThere("There is no vehicle %(vin)s with a task.", {"vin": vin})


def _no_silence(silence_id: str) -> NotThere:
    return NotThere("There is no silence %(id)s.", {"id": silence_id})
