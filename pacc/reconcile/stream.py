"""Kafka's offsets against our positions, and our positions against the ledger."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from ingest.store import ledger
from models import tables as t
from models.batch import Extent, Partition
from models.words import Feed
from pacc.reconcile.finding import Finding

Positions = Mapping[Partition, sa.RowMapping]


def read_positions(connection: sa.Connection) -> dict[Partition, sa.RowMapping]:
    """Read every position, in the order of partitions."""
    rows = connection.execute(sa.select(t.position)).mappings()
    by_partition = {Partition(Feed(row["feed"]), row["topic"], row["part"]): row for row in rows}
    return dict(sorted(by_partition.items()))


def name_of(partition: Partition) -> str:
    """Return the name of a partition in findings: its feed (unless Kafka), topic and number."""
    name = f"{partition.topic}/{partition.number}"
    return name if partition.feed is Feed.KAFKA else f"{partition.feed.value} {name}"


def against_kafka(
    positions: Positions, ends: Mapping[Partition, Extent], topics: Iterable[str]
) -> list[Finding]:
    """Compare what Kafka holds with our positions. A position that lags behind is no finding."""
    findings = [
        _against_extent(partition, row, ends[partition])
        for partition, row in positions.items()
        if partition in ends
    ]
    wanted = set(topics)
    for partition in sorted(ends.keys() - positions.keys()):
        extent = ends[partition]
        count = extent.end - extent.first
        if count > 0:
            findings.append(
                Finding(
                    "never_read",
                    count,
                    f"{name_of(partition)} holds {count} records and no worker has "
                    "ever taken it: nothing of it has been decided.",
                    "`pacc run` with this topic in PACC_TOPICS; one worker reads all partitions",
                )
            )
    existing = {partition.topic for partition in ends}
    for topic in sorted(wanted - existing):
        findings.append(
            Finding(
                "topic_gone",
                1,
                f"Kafka has no topic {topic}, which PACC_TOPICS names.",
                "`pacc doctor`; is it the right broker?",
            )
        )
    for partition in positions:
        if partition.feed is Feed.KAFKA and partition.topic in existing and partition not in ends:
            findings.append(
                Finding(
                    "partition_gone",
                    1,
                    f"We have a position in {name_of(partition)}, and the topic has no such "
                    "partition.",
                    "was the topic made anew? Its offsets begin at 0 again then",
                )
            )
    return [finding for finding in findings if finding is not None]


def _against_extent(partition: Partition, row: sa.RowMapping, extent: Extent) -> Finding | None:
    position = row["next_offset"]
    if None not in (row["topic_id"], extent.topic_id) and row["topic_id"] != extent.topic_id:
        return Finding(
            "made_anew",
            extent.end - extent.first,
            f"{partition.topic} was deleted and made anew: our position {position} in "
            f"{name_of(partition)} is one of the old topic, and the new one holds "
            f"{extent.end - extent.first} records.",
            "who made the topic; `pacc run --accept-gaps` begins with the new one",
        )
    if position > extent.end:
        return Finding(
            "beyond_end",
            position - extent.end,
            f"Our position in {name_of(partition)} is {position}, {position - extent.end} beyond "
            f"its end at {extent.end}: the topic was cut or made anew, or the position was moved.",
            "the broker's log for the topic; `pacc run` refuses to go on from there",
        )
    if position < extent.first:
        return Finding(
            "lost_upstream",
            extent.first - position,
            f"{name_of(partition)} begins at {extent.first} and our position is {position}: "
            f"{extent.first - position} offsets were deleted before we read them.",
            "the topic's retention; `pacc run --accept-gaps` goes on and records the gap",
        )
    return None


def against_ledger(connection: sa.Connection, positions: Positions) -> list[Finding]:
    """Compare the offsets that were passed with the outcomes that were counted."""
    findings = []
    report = ledger.ledger(connection)
    for entry in report["topics"]:
        partition = Partition(Feed(entry["feed"]), entry["topic"], entry["partition"])
        findings += _against_outcomes(partition, entry["advanced"], sum(entry["outcomes"].values()))
        row = positions[partition]
        moved = row["next_offset"] - row["advanced"] - row["base"]
        if moved:
            way = "forward: records were skipped" if moved > 0 else "back: records come again"
            findings.append(
                Finding(
                    "position_moved",
                    abs(moved),
                    f"The position of {name_of(partition)} was moved {abs(moved)} offsets {way}. "
                    "No batch of ours did that.",
                    "who wrote to the table `position`; `pacc record` has the records of that "
                    "range",
                )
            )
    findings += [
        Finding(
            "ledger_without_position",
            records,
            f"The ledger counts {records} records of {name_of(partition)}, which has no position.",
            "the table `position`: a row is gone",
        )
        for partition, records in _without_position(connection, positions)
    ]
    return findings


def _against_outcomes(partition: Partition, advanced: int, counted: int) -> list[Finding]:
    if counted == advanced:
        return []
    less = counted < advanced
    how = "without an outcome" if less else "more outcomes than offsets"
    return [
        Finding(
            "offsets_without_outcome" if less else "outcomes_without_offset",
            abs(advanced - counted),
            f"{name_of(partition)}: {advanced} offsets were passed and the ledger counts {counted} "
            f"outcomes: {abs(advanced - counted)} {how}.",
            "`pacc ledger`; a counter was changed, or rows of the table `ledger` are gone",
        )
    ]


def _without_position(
    connection: sa.Connection, positions: Positions
) -> list[tuple[Partition, int]]:
    """Return the partitions that have counters and no position, with how many records."""
    c = t.ledger.c
    key = (c.feed, c.topic, c.part)
    query = sa.select(*key, sa.func.sum(c.records)).group_by(*key).order_by(*key)
    return [
        (Partition(Feed(feed), topic, part), int(records))
        for feed, topic, part, records in connection.execute(query)
        if Partition(Feed(feed), topic, part) not in positions
    ]
