"""What could not be used: read it, mark it as redriven or dropped, and hold it again."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from models import tables as t
from models.batch import Partition, Record
from models.errors import NotThere
from models.sql import within
from models.words import Feed


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter; None matches all. Offsets are inclusive, `until` is not; times are records'."""

    reason: str | None = None
    topic: str | None = None
    partition: int | None = None
    first_offset: int | None = None
    last_offset: int | None = None
    since: datetime | None = None
    until: datetime | None = None


HELD, DROPPED, REDRIVEN = "held", "dropped", "redriven"
_LIST = (
    "quarantine_id",
    "feed",
    "topic",
    "part",
    "record_offset",
    "record_timestamp",
    "reason",
    "detail",
    "pointer",
    "state",
)


def listing(
    connection: sa.Connection,
    *,
    reason: str | None,
    topic: str | None,
    after: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """List what is held, by id, beginning behind `after`."""
    q = t.quarantine.c
    query = sa.select(*(q[name] for name in _LIST)).where(q.state == HELD)
    if reason:
        query = query.where(q.reason == reason)
    if topic:
        query = query.where(q.topic == topic)
    if after:
        query = query.where(q.quarantine_id > after)
    query = query.order_by(q.quarantine_id).limit(limit)
    return [_named(dict(row)) for row in connection.execute(query).mappings()]


def show(connection: sa.Connection, quarantine_id: str) -> dict[str, Any]:
    """Return one record with its untouched bytes, as base64. Raises `NotThere` for no such id."""
    row = _row(connection, quarantine_id)
    return {
        **_named({name: row[name] for name in _LIST}),
        "key_base64": _base64(row["record_key"]),
        "value_base64": _base64(row["value"]),
        "headers": row["headers"],
    }


def records(connection: sa.Connection, quarantine_ids: Sequence[str]) -> dict[Record, list[str]]:
    """Return the held records in the order of their streams, each with its ids in quarantine."""
    q = t.quarantine.c
    query = (
        sa.select(t.quarantine)
        .where(within(connection, q.quarantine_id, quarantine_ids), q.state == HELD)
        .order_by(q.record_timestamp, q.feed, q.topic, q.part, q.record_offset, q.quarantine_id)
    )
    ids_by_record: dict[Record, list[str]] = {}
    for row in connection.execute(query).mappings():
        ids_by_record.setdefault(_record(dict(row)), []).append(row["quarantine_id"])
    return ids_by_record


def _record(row: Mapping[str, Any]) -> Record:
    return Record(
        partition=Partition(Feed(row["feed"]), row["topic"], row["part"]),
        offset=row["record_offset"],
        timestamp=row["record_timestamp"],
        key=row["record_key"],
        value=row["value"],
        headers=tuple((name, base64.b64decode(value)) for name, value in row["headers"]),
    )


def mark(connection: sa.Connection, quarantine_ids: Sequence[str], state: str) -> int:
    """Change the state of held records; return how many were changed."""
    q = t.quarantine.c
    statement = (
        sa.update(t.quarantine)
        .where(within(connection, q.quarantine_id, quarantine_ids), q.state == HELD)
        .values(state=state)
    )
    return connection.execute(statement).rowcount


def chosen(
    connection: sa.Connection, wanted: Wanted, quarantine_ids: Sequence[str] | None = None
) -> tuple[list[str], int]:
    """Return the ids of the held records that match, and how many that match were redriven."""
    q = t.quarantine.c
    query = sa.select(q.quarantine_id, q.state).where(*_conditions(wanted))
    if quarantine_ids is not None:
        query = query.where(within(connection, q.quarantine_id, quarantine_ids))
    matches = connection.execute(query.order_by(q.quarantine_id)).all()
    ids = [row.quarantine_id for row in matches if row.state == HELD]
    return ids, sum(row.state == REDRIVEN for row in matches)


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    q = t.quarantine.c
    pairs: tuple[tuple[Any, Callable[[Any], sa.ColumnElement[bool]]], ...] = (
        (wanted.reason, lambda value: q.reason == value),
        (wanted.topic, lambda value: q.topic == value),
        (wanted.partition, lambda value: q.part == value),
        (wanted.first_offset, lambda value: q.record_offset >= value),
        (wanted.last_offset, lambda value: q.record_offset <= value),
        (wanted.since, lambda value: q.record_timestamp >= int(value.timestamp() * 1000)),
        (wanted.until, lambda value: q.record_timestamp < int(value.timestamp() * 1000)),
    )
    return [condition(value) for value, condition in pairs if value is not None]


def mark_redriven(connection: sa.Connection, batch: str, offsets: Mapping[str, int]) -> int:
    """Mark held records (id to its offset in the feed of redrives) as redriven by a batch.

    Returns how many were held until now.
    """
    q = t.quarantine.c
    statement = (
        sa.update(t.quarantine)
        .where(q.quarantine_id == sa.bindparam("b_id"), q.state == HELD)
        .values(state=REDRIVEN, batch=batch, redriven_offset=sa.bindparam("b_offset"))
    )
    moves = [{"b_id": id_, "b_offset": offset} for id_, offset in sorted(offsets.items())]
    return connection.execute(statement, moves).rowcount if moves else 0


def mark_held(connection: sa.Connection, quarantine_ids: Sequence[str]) -> None:
    """Hold redriven records again, as if nothing had happened to them."""
    q = t.quarantine.c
    connection.execute(
        sa.update(t.quarantine)
        .where(within(connection, q.quarantine_id, quarantine_ids), q.state == REDRIVEN)
        .values(state=HELD, batch=None, redriven_offset=None)
    )


def _row(connection: sa.Connection, quarantine_id: str) -> Mapping[str, Any]:
    query = sa.select(t.quarantine).where(t.quarantine.c.quarantine_id == quarantine_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        message = f"Nothing in quarantine has the id {quarantine_id}."
        raise NotThere(message)
    return dict(row)


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row under the names that commands print."""
    short = {"part": "partition", "record_offset": "offset", "record_timestamp": "timestamp"}
    return {short.get(name, name): value for name, value in row.items()}


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode("ascii")
