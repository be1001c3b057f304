"""Reaching a customer: attempts, one by one, until there is an answer; and whether we may call."""

import sqlalchemy as sa
from msgspec.structs import replace

from dispatch.access.acting import Acting
from dispatch.rules.call_cadence import next_attempt
from dispatch.rules.deadlines import deadlines
from dispatch.tasks.holder import lock_task, require_holder, resumed
from dispatch.tasks.locked_task import NOBODY, LockedTask
from models import tables as t
from models.errors import Conflict
from models.words import Channel, Priority, Queue, TaskState


def attempt(
    acting: Acting,
    task_id: str,
    channel: Channel,
    note: str | None,
) -> None:
    """Log that the customer was not reached, and queue the task until the next attempt.

    The promise to call moves along: one business day after the next attempt is due. Raises
    `Conflict` for a task that no dealer has claimed.
    """
    locked = lock_task(acting, task_id)
    require_holder(locked)
    if locked.task.queue is not Queue.DEALER or locked.task.state is not TaskState.CLAIMED:
        raise Conflict(
            "A %(queue)s task that is %(state)s has no attempts.",
            {"queue": locked.task.queue, "state": locked.task.state},
        )
    desk = acting.policy.directory.desk(locked.task.desk)
    number = locked.assignment.attempts + 1
    due = next_attempt(number, desk, acting.at)
    promise = deadlines(Priority.NORMAL, Queue.DEALER, desk, due or acting.at).contact_by
    task, assignment = resumed(locked)
    back = replace(task, state=TaskState.QUEUED, contact_by=promise)
    free = replace(assignment, attempts=number, next_attempt_at=due, **NOBODY)
    detail = {
        "channel": channel.value,
        "number": number,
        **({"note": note} if note else {}),
        **({"next_at": due.isoformat()} if due else {}),
    }
    locked.change("attempted", back, free, **detail)


def ask(
    acting: Acting,
    task_id: str,
    note: str | None,
) -> None:
    """Log that the owner was asked in writing whether we may call.

    Where the cadence of a dealer runs, that is its attempt by message; anywhere else a line of the
    timeline, and the task stays in hand.
    """
    locked = _lock_claimed(acting, task_id)
    if locked.task.queue is Queue.DEALER and locked.task.state is TaskState.CLAIMED:
        attempt(acting, task_id, Channel.MESSAGE, note)
        return
    detail = {"channel": Channel.MESSAGE.value, **({"note": note} if note else {})}
    locked.change("asked", locked.task, locked.assignment, **detail)


def agree(acting: Acting, task_id: str) -> None:
    """Log that the owner agreed to be called; from now on the number is shown.

    Raises `Conflict` if no owner is known.
    """
    locked = _lock_claimed(acting, task_id)
    if not _set_consent(acting.connection, locked.vin, has_consent=True):
        raise Conflict("The owner of this car is not known here.")
    locked.change("agreed", locked.task, locked.assignment)


def decline(acting: Acting, task_id: str) -> None:
    """Log that the owner asked not to be called; from now on no number is shown."""
    locked = _lock_claimed(acting, task_id)
    _set_consent(acting.connection, locked.vin, has_consent=False)
    locked.change("no_call", locked.task, locked.assignment)


def _lock_claimed(acting: Acting, task_id: str) -> LockedTask:
    locked = lock_task(acting, task_id)
    require_holder(locked)
    return locked


def _set_consent(connection: sa.Connection, vin: str, *, has_consent: bool) -> bool:
    """Update the owner's consent; return whether an owner is known."""
    statement = sa.update(t.contact).where(t.contact.c.vin == vin).values(has_consent=has_consent)
    return connection.execute(statement).rowcount == 1
