"""When a task must be claimed and its customer reached, and what a pause adds to that."""

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dispatch.rules.calendar import (
    add_working,
    is_at_work,
    next_business_day,
    next_open,
    working_between,
)
from models.case import Desk, Task
from models.words import Priority, Queue

# Claim and contact within, by priority (the service promise, docs/console.md)
_PROMISES: Final = {
    Priority.URGENT: (timedelta(seconds=60), timedelta(minutes=5)),
    Priority.HIGH: (timedelta(minutes=10), timedelta(minutes=30)),
}
_A_DAY: Final = timedelta(days=1)
# How long a dealer has after its next opening for a call that fell due while it was shut.
_AFTER_OPENING: Final = timedelta(hours=1)


class Deadlines(Struct, frozen=True):
    """Latest times of the claim and of the first contact; None where there is none."""

    claim_by: datetime | None
    contact_by: datetime | None


def deadlines(priority: Priority, queue: Queue, desk: Desk | None, at: datetime) -> Deadlines:
    """Return the deadlines of a task opened at `at`.

    A normal task's customer is reached within one business day of its desk: by the same time of
    the next day on which it is open. A desk that never is has a day.
    """
    if priority in _PROMISES:
        claim, contact = _PROMISES[priority]
        return Deadlines(at + claim, at + contact)
    if desk is None or queue is Queue.ROADSIDE:
        return Deadlines(None, at + _A_DAY)
    return Deadlines(None, next_business_day(desk, at) or at + _A_DAY)


def shut_beyond_promise(desk: Desk, at: datetime) -> bool:
    """Return whether holidays keep a dealer shut for longer than it promises to call back.

    The promise is one business day of its usual week: a holiday of a day is waited for, and two in
    a row are not. A desk that never opens is shut beyond any promise.
    """
    opens = next_open(desk, at)
    if opens is None or not desk.holidays or opens == at:
        return opens is None
    promise = next_business_day(replace(desk, holidays=frozenset()), at)
    return promise is not None and opens > promise


def counts_working_time(task: Task) -> bool:
    """Return whether a task's promise is one of business days, and not of minutes as the
    roadside's, or that of a pressing case whose car stands in a workshop.
    """
    return task.queue is Queue.DEALER and task.claim_by is None


def after_pause(
    due: datetime, task: Task, desk: Desk | None, paused_at: datetime, at: datetime
) -> datetime:
    """Return when a task is due that waited for its customer: what was left is left again.

    What was due before the pause stays due then.
    """
    if due <= paused_at:
        return due
    if desk is not None and counts_working_time(task):
        left = working_between(desk, paused_at, due)
        later = add_working(desk, at, left)
        if later is not None:
            return later
    return at + (due - paused_at)


def after_opening(due: datetime, task: Task, desk: Desk | None) -> datetime:
    """Return when a call is due that falls due while its dealer is shut, as after a transfer or a
    change of hours: an hour after the next opening. One that falls due in its hours stays.
    """
    if desk is None or not counts_working_time(task) or is_at_work(desk, due):
        return due
    return add_working(desk, due, _AFTER_OPENING) or due
