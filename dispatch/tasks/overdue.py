"""What time alone changes: claims that ran out, promises that were missed, holds that ended.

Each task is changed in a transaction of its own and read again under its lock, so that any
number of these may run beside each other and beside people.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from msgspec.structs import replace

from dispatch.access.acting import Acting
from dispatch.data.retention import tidy
from dispatch.read.open_tasks import OPEN
from dispatch.rules.call_cadence import CADENCE
from dispatch.rules.deadlines import after_opening
from dispatch.rules.lifecycle import new_task
from dispatch.rules.policy import DispatchPolicy
from dispatch.rules.routing import UNASSIGNED, needs_of, route
from dispatch.rules.whose_car import goes_to_desks
from dispatch.tasks import silences
from dispatch.tasks.actions import end
from dispatch.tasks.holder import resumed
from dispatch.tasks.locked_task import NOBODY, LockedTask
from models import tables as t
from models.canary import CANARY_DESK
from models.case import Text
from models.errors import Conflict
from models.person import CLOCK
from models.words import PRIORITY_RANK, Disposition, Priority, Queue, TaskState

_AT_ONCE: Final = 500
_Change = Callable[[LockedTask], str | None]


@dataclass(frozen=True, slots=True)
class _Duty:
    """What is due by a time, what has waited longest first, and what is done with each."""

    due: Callable[[datetime], sa.ColumnElement[bool]]
    since: sa.Column[datetime]
    change: _Change


def tick(engine: sa.Engine, at: datetime, policy: DispatchPolicy) -> Counter[str]:
    """Do everything that is due at `at`; return how often each was done."""
    done: Counter[str] = Counter()
    for duty in _DUTIES:
        for task_id in _due(engine, duty.due(at), duty.since):
            what = _changed(engine, task_id, duty.change, at, policy)
            if what is not None:
                done[what] += 1
    for task_id in _due(engine, silences.is_free(at), t.task.c.opened_at):
        with engine.begin() as connection:
            done["unheld"] += silences.release(Acting(connection, CLOCK, at, policy), task_id)
    return +done + tidy(engine, at)


def _changed(
    engine: sa.Engine, task_id: str, change: _Change, at: datetime, policy: DispatchPolicy
) -> str | None:
    """Change one task; if somebody changed it meanwhile, the next tick sees what is left to do."""
    try:
        with engine.begin() as connection:
            return change(LockedTask(Acting(connection, CLOCK, at, policy), task_id))
    except Conflict:
        return None


def _due(
    engine: sa.Engine, condition: sa.ColumnElement[bool], since: sa.Column[datetime]
) -> Sequence[str]:
    """Return tasks to change, `_AT_ONCE` at most: one that stays as it is would keep others out."""
    c = t.task.c
    query = sa.select(c.task_id).where(OPEN, c.desk != CANARY_DESK, condition)
    with engine.begin() as connection:
        return connection.execute(query.order_by(since).limit(_AT_ONCE)).scalars().all()


def _lease_due(at: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(t.task.c.holder.is_not(None), t.task.c.lease_until <= at)


def _expire(locked: LockedTask) -> str | None:
    """Queue a task again whose holder is gone; help that is under way only loses its holder."""
    assignment = locked.assignment
    if assignment.holder is None or assignment.is_claimed(locked.acting.at):
        return None
    state = locked.task.state
    back = TaskState.QUEUED if state is TaskState.CLAIMED else state
    free = replace(assignment, **NOBODY)
    locked.change("lease_expired", replace(locked.task, state=back), free)
    return "lease_expired"


def _wake_due(at: datetime) -> sa.ColumnElement[bool]:
    c = t.task.c
    return sa.and_(
        c.paused_at.is_not(None), sa.or_(c.wake_at <= at, c.priority_rank > c.paused_rank)
    )


def _wake(locked: LockedTask) -> str | None:
    """End a pause, and alarm again: the customer was promised that we would come back."""
    assignment, rank = locked.assignment, PRIORITY_RANK[locked.task.priority]
    is_raised = assignment.paused_rank is not None and rank > assignment.paused_rank
    is_over = assignment.wake_at is not None and assignment.wake_at <= locked.acting.at
    if assignment.paused_at is None or not (is_over or is_raised):
        return None
    task, awake = resumed(locked)
    locked.change("woken", replace(task, alarms=task.alarms + 1), awake)
    return "woken"


def _off_road_due(at: datetime) -> sa.ColumnElement[bool]:  # noqa: ARG001 - all duties take it
    """Select what waits although nobody drives the car any more, as the master data say now."""
    off_road = sa.select(t.vehicle.c.vin).where(t.OFF_ROAD)
    return sa.and_(t.task.c.state == TaskState.QUEUED.value, t.task.c.vin.in_(off_road))


def _leave_desks(locked: LockedTask) -> str | None:
    if goes_to_desks(locked.info) or locked.task.state is not TaskState.QUEUED:
        return None
    end(locked, Disposition.SUPERSEDED)
    locked.need_no_task()
    return "off_road"


def _claim_due(at: datetime) -> sa.ColumnElement[bool]:
    c = t.task.c
    return sa.and_(
        c.claim_by <= at, c.claimed_at.is_(None), c.claim_missed_at.is_(None), c.held_zh.is_(None)
    )


def _miss_claim(locked: LockedTask) -> str | None:
    due, at = locked.task.claim_by, locked.acting.at
    if due is None or due > at or locked.assignment.claimed_at is not None:
        return None
    locked.set(
        replace(locked.task, alarms=locked.task.alarms + 1), locked.assignment, claim_missed_at=at
    )
    locked.log("claim_missed", {"claim_by": due.isoformat()})
    return "claim_missed"


def _contact_due(at: datetime) -> sa.ColumnElement[bool]:
    c = t.task.c
    return sa.and_(
        c.contact_by <= at,
        c.contacted_at.is_(None),
        c.contact_missed_at.is_(None),
        c.paused_at.is_(None),
        c.held_zh.is_(None),
    )


def _miss_contact(locked: LockedTask) -> str | None:
    """Alarm; and take a customer whom the dealer does not call back to the roadside centre.

    What fell due while the dealer was shut waits until it has been open for an hour.
    """
    due, at, policy = locked.task.contact_by, locked.acting.at, locked.acting.policy
    if due is None or due > at or locked.assignment.contacted_at or locked.assignment.paused_at:
        return None
    opens = after_opening(due, locked.task, policy.directory.desk(locked.task.desk))
    if opens > at:
        locked.set(replace(locked.task, contact_by=opens), locked.assignment)
        locked.log(
            "contact_postponed", {"contact_by": opens.isoformat(), "before": due.isoformat()}
        )
        return "contact_postponed"
    alarmed = replace(locked.task, alarms=locked.task.alarms + 1)
    locked.set(alarmed, locked.assignment, contact_missed_at=at)
    locked.log("contact_missed", {"contact_by": due.isoformat()})
    if locked.task.queue is Queue.ROADSIDE:
        return "contact_missed"
    if locked.assignment.attempts >= len(CADENCE):
        end(locked, Disposition.UNREACHABLE)
        if not locked.has_open_tasks():
            locked.close_case(Disposition.UNREACHABLE.value)
        return "unreachable"
    end(locked, Disposition.RETURNED)
    case = locked.case
    place = case.place.point if case.place else None
    routed = route(
        Priority.HIGH,
        locked.info,
        place,
        policy.directory,
        needs=needs_of(locked.info.powertrain),
        at=at,
    )
    if routed.desk != UNASSIGNED:
        routed = replace(routed, reason=_NOT_CALLED)
    number, priority = case.tasks_made, case.ranking.priority
    locked.open_beside(new_task(case.case_id, number, priority, routed, policy.directory, at))
    return "returned"


_NOT_CALLED: Final = Text(
    "经销商未在时限内联系车主，退回救援中心",
    "The dealer did not call in time: back to the roadside centre",
)
_DUTIES: Final = (
    _Duty(_lease_due, t.task.c.lease_until, _expire),
    _Duty(_wake_due, t.task.c.wake_at, _wake),
    _Duty(_off_road_due, t.task.c.opened_at, _leave_desks),
    _Duty(silences.hold_due, t.task.c.opened_at, silences.hold),
    _Duty(_claim_due, t.task.c.claim_by, _miss_claim),
    _Duty(_contact_due, t.task.c.contact_by, _miss_contact),
)
