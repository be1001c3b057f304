"""A dealer's attempts to reach a customer: noted one by one, until the customer answers."""

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from dispatch.bench import NOBODY
from dispatch.cadence import Channel, next_attempt
from dispatch.deadline import deadlines
from dispatch.store import House, open_bench, require_holder, resumed
from models.errors import Conflict
from models.person import Actor
from models.words import Priority, Queue, TaskState


def attempt(
    connection: sa.Connection,
    task_id: str,
    actor: Actor,
    at: datetime,
    house: House,
    channel: Channel,
    note: str | None,
) -> None:
    """Note that the customer was not reached, and put the task back until the next attempt.

    The promise to call moves along: one business day after the next attempt is due.
    """
    bench = open_bench(connection, task_id, actor, at, house)
    require_holder(bench, actor)
    if bench.task.queue is not Queue.DEALER or bench.task.state is not TaskState.CLAIMED:
        raise Conflict(f"A {bench.task.queue} task that is {bench.task.state} has no attempts.")
    desk = house.directory.desk(bench.task.desk)
    made = bench.hands.attempts + 1
    due = next_attempt(made, desk, at)
    promise = deadlines(Priority.NORMAL, Queue.DEALER, desk, due or at).contact_by
    task, hands = resumed(bench, at)
    back = replace(task, state=TaskState.QUEUED, contact_by=promise)
    free = replace(hands, attempts=made, next_attempt_at=due, **NOBODY)
    detail = {"channel": channel.value, "number": made, **({"note": note} if note else {}),
              **({"next_at": due.isoformat()} if due else {})}  # fmt: skip
    bench.change("attempted", back, free, **detail)
