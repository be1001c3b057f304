"""Kafka's offsets against our positions, and our positions against the ledger."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from ingest.store import ledger
from models import tables as t
from models.batch import Extent, Partition
from models.words import Feed
from pacc.reconcile.finding import Finding

Positions = Mapping[Partition, sa.RowMapping]


def positions(connection: sa.Connection) -> dict[Partition, sa.RowMapping]:
    """Read every position, by its partition in order."""
    rows = connection.execute(sa.select(t.position)).mappings()
    found = {Partition(Feed(row["feed"]), row["topic"], row["part"]): row for row in rows}
    return dict(sorted(found.items()))


def named(partition: Partition) -> str:
    """Spell a partition."""
    spelled = f"{partition.topic}/{partition.number}"
    return spelled if partition.feed is Feed.KAFKA else f"{partition.feed.value} {spelled}"


def against_kafka(
    held: Positions, ends: Mapping[Partition, Extent], topics: Iterable[str]
) -> list[Finding]:
    """Compare what Kafka holds with where we are. A position that lags behind is no finding."""
    found = [_beside(one, row, ends[one]) for one, row in held.items() if one in ends]
    wanted = set(topics)
    for partition in sorted(ends.keys() - held.keys()):
        span = ends[partition]
        if span.end > span.first:
            found.append(
                Finding(
                    "never_read",
                    span.end - span.first,
                    f"{named(partition)} holds {span.end - span.first} records and no worker has "
                    "ever taken it: nothing of it has been decided.",
                    "`pacc run` with this topic in PACC_TOPICS; one worker reads all partitions",
                )
            )
    there = {partition.topic for partition in ends}
    for topic in sorted(wanted - there):
        found.append(
            Finding(
                "topic_gone",
                1,
                f"Kafka has no topic {topic}, which PACC_TOPICS names.",
                "`pacc doctor`; is it the right broker?",
            )
        )
    for partition in held:
        if partition.feed is Feed.KAFKA and partition.topic in there and partition not in ends:
            found.append(
                Finding(
                    "partition_gone",
                    1,
                    f"We have a position in {named(partition)}, and the topic has no such "
                    "partition.",
                    "was the topic made anew? Its offsets begin at 0 again then",
                )
            )
    return [one for one in found if one is not None]


def _beside(partition: Partition, row: sa.RowMapping, span: Extent) -> Finding | None:
    position = row["next_offset"]
    if None not in (row["topic_id"], span.topic_id) and row["topic_id"] != span.topic_id:
        return Finding(
            "made_anew",
            span.end - span.first,
            f"{partition.topic} was deleted and made anew: our position {position} in "
            f"{named(partition)} is one of the old topic, and the new one holds "
            f"{span.end - span.first} records.",
            "who made the topic; `pacc run --accept-gaps` begins with the new one",
        )
    if position > span.end:
        return Finding(
            "beyond_end",
            position - span.end,
            f"Our position in {named(partition)} is {position}, {position - span.end} beyond its "
            f"end at {span.end}: the topic was cut or made anew, or the position was moved.",
            "the broker's log for the topic; `pacc run` refuses to go on from there",
        )
    if position < span.first:
        return Finding(
            "lost_upstream",
            span.first - position,
            f"{named(partition)} begins at {span.first} and our position is {position}: "
            f"{span.first - position} offsets were deleted before we read them.",
            "the topic's retention; `pacc run --accept-gaps` goes on and records the gap",
        )
    return None


def against_ledger(connection: sa.Connection, held: Positions) -> list[Finding]:
    """Compare the offsets that were passed with the outcomes that were counted."""
    found = []
    report = ledger.ledger(connection)
    for one in report["topics"]:
        partition = Partition(Feed(one["feed"]), one["topic"], one["partition"])
        found += _counted(partition, one["advanced"], sum(one["outcomes"].values()))
        row = held[partition]
        moved = row["next_offset"] - row["advanced"] - row["base"]
        if moved:
            way = "forward: records were skipped" if moved > 0 else "back: records come again"
            found.append(
                Finding(
                    "position_moved",
                    abs(moved),
                    f"The position of {named(partition)} was moved {abs(moved)} offsets {way}. "
                    "No batch of ours did that.",
                    "who wrote to the table `position`; `pacc record` has the records of that "
                    "range",
                )
            )
    found += [
        Finding(
            "ledger_without_position",
            one["records"],
            f"The ledger counts {one['records']} records of {named(one['partition'])}, which has "
            "no position.",
            "the table `position`: a row is gone",
        )
        for one in _orphans(connection, held)
    ]
    return found


def _counted(partition: Partition, advanced: int, counted: int) -> list[Finding]:
    if counted == advanced:
        return []
    less = counted < advanced
    how = "without an outcome" if less else "more outcomes than offsets"
    return [
        Finding(
            "offsets_without_outcome" if less else "outcomes_without_offset",
            abs(advanced - counted),
            f"{named(partition)}: {advanced} offsets were passed and the ledger counts {counted} "
            f"outcomes: {abs(advanced - counted)} {how}.",
            "`pacc ledger`; a counter was changed, or rows of the table `ledger` are gone",
        )
    ]


def _orphans(connection: sa.Connection, held: Positions) -> list[dict[str, Any]]:
    c = t.ledger.c
    key = (c.feed, c.topic, c.part)
    query = sa.select(*key, sa.func.sum(c.records)).group_by(*key).order_by(*key)
    return [
        {"partition": Partition(Feed(feed), topic, part), "records": int(records)}
        for feed, topic, part, records in connection.execute(query)
        if Partition(Feed(feed), topic, part) not in held
    ]
