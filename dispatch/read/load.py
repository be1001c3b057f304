"""How much work waits, and for whom: per desk, per person, floods, and what live pages repeat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from dispatch.access.sessions import valid_sessions
from dispatch.access.visibility import seen_tasks
from dispatch.read.open_tasks import AWAKE, MISSED, OPEN
from dispatch.read.typed_rows import typed
from dispatch.rules.routing import Directory
from models import tables as t
from models.case import Text
from models.person import Actor
from models.words import PRIORITY_RANK, Priority, Queue, TaskState

FLOOD: Final = 10  # more urgent tasks than this within ten minutes
_WINDOW: Final = timedelta(minutes=10)
_IS_URGENT: Final = t.task.c.priority_rank == PRIORITY_RANK[Priority.URGENT]


@dataclass(frozen=True, slots=True)
class DeskLoad:
    """Open work of a desk: how much, how much of it late, and since when the oldest waits."""

    desk: str
    queue: Queue
    name: Text
    open: int
    urgent: int
    high: int
    in_hand: int
    missed: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class PersonLoad:
    """What a person has in hand, and how many urgent cases they took within ten minutes."""

    name: str
    claimed: int
    urgent: int


@dataclass(frozen=True, slots=True)
class Pulse:
    """What every live page repeats, before it is cut down to what a person may see."""

    at: datetime
    unclaimed: Mapping[str, int]  # desk → urgent tasks that nobody has claimed
    floods: Mapping[str, int]
    claimed: Mapping[str, Sequence[str]]  # person → tasks
    ended: frozenset[str]  # of the sessions that were listening


def desk_loads(connection: sa.Connection, actor: Actor, directory: Directory) -> list[DeskLoad]:
    """List the desks with open work, the most pressing first.

    What a fleet issue holds back is counted there.
    """
    k = t.task.c
    is_unclaimed = sa.and_(
        k.holder.is_(None), k.state == TaskState.QUEUED.value, k.paused_at.is_(None)
    )

    def counted(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)

    query = (
        sa.select(
            k.desk,
            k.queue,
            sa.func.count().label("open"),
            counted(k.priority == Priority.URGENT.value).label("urgent"),
            counted(k.priority == Priority.HIGH.value).label("high"),
            counted(k.holder.is_not(None)).label("in_hand"),
            counted(MISSED).label("missed"),
            sa.func.min(sa.case((is_unclaimed, k.opened_at))).label("oldest"),
        )
        .where(OPEN, k.issue_id.is_(None), seen_tasks(actor))
        .group_by(k.desk, k.queue)
        .order_by(sa.desc("urgent"), sa.desc("missed"), sa.desc("high"), k.desk)
    )
    loads = []
    for row in connection.execute(query).mappings():
        desk = directory.desk(row["desk"])
        name = desk.name if desk else Text(row["desk"], row["desk"])
        loads.append(typed(DeskLoad, row, name=name))
    return loads


def person_loads(connection: sa.Connection, actor: Actor, at: datetime) -> list[PersonLoad]:
    """List who has work of the actor's desks in hand, or took some within ten minutes, by name."""
    k, e = t.task.c, t.entry.c
    claimed = sa.select(k.holder_name, sa.func.count()).where(
        k.holder.is_not(None), OPEN, seen_tasks(actor)
    )
    took = (
        sa.select(e.actor, sa.func.count())
        .join(t.task, k.task_id == e.task_id)
        .where(e.kind == "task_claimed", e.at > at - _WINDOW)
        .where(k.priority == Priority.URGENT.value, seen_tasks(actor))
    )
    claimed_by = {
        str(name): count for name, count in connection.execute(claimed.group_by(k.holder_name))
    }
    took_by = {str(name): count for name, count in connection.execute(took.group_by(e.actor))}
    return [
        PersonLoad(name, claimed_by.get(name, 0), took_by.get(name, 0))
        for name in sorted({*claimed_by, *took_by})
    ]


def unclaimed(connection: sa.Connection, actor: Actor, kind: Queue) -> tuple[int, datetime | None]:
    """Count the urgent tasks that nobody has in hand, and return since when the oldest waits."""
    k = t.task.c
    query = sa.select(sa.func.count(), sa.func.min(k.opened_at)).where(
        k.queue == kind.value, seen_tasks(actor), _IS_URGENT, AWAKE, k.holder.is_(None)
    )
    many, oldest = connection.execute(query).one()
    return many, oldest


def floods(connection: sa.Connection, at: datetime) -> dict[str, int]:
    """Return the desks with more urgent tasks in ten minutes than people can take, each with how
    many."""
    k = t.task.c
    many = sa.func.count()
    query = (
        sa.select(k.desk, many)
        .where(k.priority == Priority.URGENT.value, k.opened_at > at - _WINDOW)
        .where(k.queue == Queue.ROADSIDE.value)
        .group_by(k.desk)
        .having(many > FLOOD)
    )
    return dict(connection.execute(query).all())


def pulse(connection: sa.Connection, sessions: Sequence[str], at: datetime) -> Pulse:
    """Read what every live page repeats, and which of these sessions have ended."""
    k = t.task.c
    waiting = connection.execute(
        sa.select(k.desk, sa.func.count())
        .where(_IS_URGENT, AWAKE, k.state == TaskState.QUEUED.value)
        .where(k.queue == Queue.ROADSIDE.value, k.holder.is_(None))
        .group_by(k.desk)
    )
    claimed: dict[str, list[str]] = {}
    for person, task in connection.execute(
        sa.select(k.holder, k.task_id).where(k.holder.is_not(None), OPEN)
    ):
        claimed.setdefault(str(person), []).append(task)
    valid = valid_sessions(connection, sessions, at)
    return Pulse(
        at,
        dict(waiting.all()),
        floods(connection, at),
        claimed,
        frozenset(sessions).difference(valid),
    )
