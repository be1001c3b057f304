"""Reaching a customer: attempts, one by one, until there is an answer; and whether we may call."""

from datetime import datetime

import sqlalchemy as sa
from msgspec.structs import replace

from dispatch.rules.call_cadence import next_attempt
from dispatch.rules.deadlines import deadlines
from dispatch.rules.policy import DispatchPolicy
from dispatch.tasks.actions import open_bench, require_holder, resumed
from dispatch.tasks.locked_task import NOBODY, LockedTask
from models import tables as t
from models.errors import Conflict
from models.person import Actor
from models.words import Channel, Priority, Queue, TaskState


def attempt(
    connection: sa.Connection,
    task_id: str,
    actor: Actor,
    at: datetime,
    house: DispatchPolicy,
    channel: Channel,
    note: str | None,
) -> None:
    """Note that the customer was not reached, and put the task back until the next attempt.

    The promise to call moves along: one business day after the next attempt is due.
    """
    bench = open_bench(connection, task_id, actor, at, house)
    require_holder(bench, actor)
    if bench.task.queue is not Queue.DEALER or bench.task.state is not TaskState.CLAIMED:
        raise Conflict(
            "A %(queue)s task that is %(state)s has no attempts.",
            {"queue": bench.task.queue, "state": bench.task.state},
        )
    desk = house.directory.desk(bench.task.desk)
    made = bench.hands.attempts + 1
    due = next_attempt(made, desk, at)
    promise = deadlines(Priority.NORMAL, Queue.DEALER, desk, due or at).contact_by
    task, hands = resumed(bench, at)
    back = replace(task, state=TaskState.QUEUED, contact_by=promise)
    free = replace(hands, attempts=made, next_attempt_at=due, **NOBODY)
    detail = {
        "channel": channel.value,
        "number": made,
        **({"note": note} if note else {}),
        **({"next_at": due.isoformat()} if due else {}),
    }
    bench.change("attempted", back, free, **detail)


def ask(
    connection: sa.Connection,
    task_id: str,
    actor: Actor,
    at: datetime,
    house: DispatchPolicy,
    note: str | None,
) -> None:
    """Note that the owner was asked in writing whether we may call.

    Where the cadence of a dealer runs, that is its attempt by message; anywhere else a line of the
    timeline, and the task stays in hand.
    """
    bench = _held(connection, task_id, actor, at, house)
    if bench.task.queue is Queue.DEALER and bench.task.state is TaskState.CLAIMED:
        attempt(connection, task_id, actor, at, house, Channel.MESSAGE, note)
        return
    detail = {"channel": Channel.MESSAGE.value, **({"note": note} if note else {})}
    bench.change("asked", bench.task, bench.hands, **detail)


def agree(
    connection: sa.Connection, task_id: str, actor: Actor, at: datetime, house: DispatchPolicy
) -> None:
    """Note that the owner agreed to be called; from now on the number is shown.

    Raises `Conflict` where no owner is known.
    """
    bench = _held(connection, task_id, actor, at, house)
    if not _note_consent(connection, bench.vin, has_consent=True):
        raise Conflict("The owner of this car is not known here.")
    bench.change("agreed", bench.task, bench.hands)


def decline(
    connection: sa.Connection, task_id: str, actor: Actor, at: datetime, house: DispatchPolicy
) -> None:
    """Note that the owner asked not to be called; from now on no number is shown."""
    bench = _held(connection, task_id, actor, at, house)
    _note_consent(connection, bench.vin, has_consent=False)
    bench.change("no_call", bench.task, bench.hands)


def _held(
    connection: sa.Connection, task_id: str, actor: Actor, at: datetime, house: DispatchPolicy
) -> LockedTask:
    bench = open_bench(connection, task_id, actor, at, house)
    require_holder(bench, actor)
    return bench


def _note_consent(connection: sa.Connection, vin: str, *, has_consent: bool) -> bool:
    """Write the owner's word down; say whether an owner is known."""
    statement = sa.update(t.contact).where(t.contact.c.vin == vin).values(has_consent=has_consent)
    return connection.execute(statement).rowcount == 1
