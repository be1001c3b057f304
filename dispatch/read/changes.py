"""What has changed since a number: the feed that live pages follow, in an order that cannot skip.

On PostgreSQL the number is a transaction id: everything below the oldest transaction still running
is complete, so nothing can appear behind a page's back later. SQLite writes one after the other;
there the outbox's own number does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from models import tables as t

_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class Change:
    """Something happened to a task. `what` is the event's word: opened, raised, claimed, …"""

    task_id: str
    desk: str
    what: str
    priority: str
    state: str


def horizon(connection: sa.Connection) -> int:
    """Return the number up to which, itself not included, nothing can change any more."""
    if connection.dialect.name == "postgresql":
        query = sa.text("select (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint")
        return int(connection.execute(query).scalar_one())
    newest = connection.execute(sa.select(sa.func.max(t.outbox.c.seq))).scalar()
    return int(newest or 0) + 1


def changes(connection: sa.Connection, first: int, end: int) -> Sequence[Change]:
    """Return what happened to tasks from `first` up to `end`, the newest thousand at most."""
    o = t.outbox.c
    number = o.xid if connection.dialect.name == "postgresql" else o.seq
    query = (
        sa.select(o.kind, o.data)
        .where(number >= first, number < end, o.kind.like("pacc.task.%"))
        .order_by(o.seq.desc())
        .limit(_MOST)
    )
    return [
        Change(
            row.data["task_id"],
            row.data["desk"],
            row.kind.split(".")[2],
            row.data["priority"],
            row.data["state"],
        )
        for row in connection.execute(query)
    ]
