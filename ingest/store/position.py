"""Where the pipeline stands in each partition: the place, its fence, and which log it is in.

Every function works inside the caller's transaction and costs a fixed number of statements.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from ingest.source import StreamPosition
from models import rows
from models import tables as t
from models.batch import NO_EPOCH, Extent, Partition, Span
from models.errors import Fenced
from models.sql import Writer, insert_new, run_many
from models.words import Feed

_AT_ONCE: Final = frozenset({Feed.HTTP.value, Feed.REDRIVE.value})
_AT_PARTITION: Final = tuple(
    t.position.c[name] == sa.bindparam(f"b_{name}") for name in ("feed", "topic", "part")
)


def take(
    connection: sa.Connection,
    partition: Partition,
    owner: str,
    start: int,
    topic_id: str | None = None,
    *,
    rewind: bool,
) -> StreamPosition:
    """Become the owner of a partition: raise its epoch, and return the position to go on from.

    A partition that is new starts at `start`; so does a known one if `rewind`: a tape that is
    played again, or another log of the same name. Otherwise a stored `topic_id` stays.
    """
    key = rows.partition_key(partition)
    insert_new(
        connection,
        t.position,
        [
            {
                **key,
                "next_offset": start,
                "epoch": 0,
                "owner": owner,
                "advanced": 0,
                "base": start,
                "leader_epoch": NO_EPOCH,
            }
        ],
    )
    p = t.position.c
    log = sa.func.coalesce(p.topic_id, topic_id)
    values: dict[str, Any] = {"epoch": p.epoch + 1, "owner": owner, "topic_id": log}
    if rewind:
        values |= {
            "next_offset": start,
            "base": start - p.advanced,
            "topic_id": topic_id,
            "leader_epoch": NO_EPOCH,
        }
    row = connection.execute(
        sa.update(t.position)
        .where(*(p[name] == value for name, value in key.items()))
        .values(values)
        .returning(p.next_offset, p.epoch, p.topic_id, p.leader_epoch)
    ).one()
    return StreamPosition(row.next_offset, row.epoch, row.topic_id, row.leader_epoch)


def move(
    connection: sa.Connection,
    spans: Mapping[Partition, Span],
    positions: Mapping[Partition, StreamPosition],
) -> None:
    """Move every position of the batch from its first offset to its end.

    This is the first statement of the transaction: a worker that lost a partition cannot write.
    Raises `Fenced` where another worker owns one of them by now.
    """
    p = t.position.c
    statement = (
        sa.update(t.position)
        .where(
            *_AT_PARTITION,
            p.epoch == sa.bindparam("b_epoch"),
            p.next_offset == sa.bindparam("b_first"),
        )
        .values(
            next_offset=sa.bindparam("b_end"),
            advanced=p.advanced + sa.bindparam("b_end", type_=sa.BigInteger) - p.next_offset,
            leader_epoch=sa.bindparam("b_leader_epoch"),
        )
    )
    moves = [
        {
            **_at_partition(partition),
            "b_epoch": positions[partition].epoch,
            "b_first": spans[partition].first,
            "b_end": spans[partition].end,
            "b_leader_epoch": spans[partition].leader_epoch,
        }
        for partition in sorted(spans)
    ]
    moved = connection.execute(statement, moves).rowcount
    if moved != len(moves):
        raise Fenced("Another worker has taken a partition of this batch; nothing was written.")


def watermarks(
    connection: sa.Connection, partitions: Sequence[Partition]
) -> dict[Partition, datetime]:
    """Read the stream time of the partitions that have one."""
    p = t.position.c
    result = connection.execute(
        sa.select(p.feed, p.topic, p.part, p.watermark).where(p.watermark.is_not(None))
    )
    wanted = set(partitions)
    stored = {Partition(Feed(row.feed), row.topic, row.part): row.watermark for row in result}
    return {partition: at for partition, at in stored.items() if partition in wanted}


def read_to_end(connection: sa.Connection, ends: Mapping[Partition, Extent]) -> list[Partition]:
    """Return the partitions of which nothing waits: those of Kafka up to these ends of theirs.

    What comes over HTTP or is put back waits nowhere; a lane is read as far as its partition. A
    tape has no present.
    """
    p = t.position.c
    columns = (p.feed, p.topic, p.part, p.next_offset, p.topic_id)
    query = sa.select(*columns).where(p.feed != Feed.TAPE.value)
    stored = list(connection.execute(query))
    read = {
        (row.topic, row.part)
        for row in stored
        if row.feed == Feed.KAFKA.value and _is_read(row, ends)
    }
    return sorted(
        Partition(Feed(row.feed), row.topic, row.part)
        for row in stored
        if row.feed in _AT_ONCE or (row.topic, row.part) in read
    )


def _is_read(row: Any, ends: Mapping[Partition, Extent]) -> bool:
    end = ends.get(Partition(Feed.KAFKA, row.topic, row.part))
    if end is None or row.next_offset < end.end:
        return False
    return None in (row.topic_id, end.topic_id) or row.topic_id == end.topic_id


def save_watermarks(writer: Writer, watermark: Mapping[Partition, datetime]) -> None:
    """Write the stream time of partitions."""
    statement = sa.update(t.position).where(*_AT_PARTITION).values(watermark=sa.bindparam("b_at"))
    run_many(
        writer,
        statement,
        [{**_at_partition(partition), "b_at": at} for partition, at in sorted(watermark.items())],
    )


def _at_partition(partition: Partition) -> dict[str, Any]:
    return {f"b_{name}": value for name, value in rows.partition_key(partition).items()}
