"""Reconciliation: every comparison, on one snapshot of the database."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

import sqlalchemy as sa

from models.batch import Extent, Partition
from models.words import Feed
from pacc.process.database import snapshot
from pacc.reconcile import cases, events, ledger_pages, stream
from pacc.reconcile.finding import Finding
from pacc.reconcile.ledger_pages import Page
from pacc.reconcile.stream import Positions

# Reads from Kafka where the partitions of these topics begin and end.
ReadEnds = Callable[[Iterable[str]], Mapping[Partition, Extent]]


@dataclass(frozen=True, slots=True)
class Scope:
    """What to compare: the topics, how long an event may wait (None: for ever), all rows or the
    newest."""

    topics: tuple[str, ...]
    unsent_after: timedelta | None = timedelta(minutes=5)
    is_full: bool = False


def reconcile(
    engine: sa.Engine, read_ends: ReadEnds | None, scope: Scope, at: datetime
) -> dict[str, Any]:
    """Compare Kafka, positions, ledger and rows; return a report with every finding.

    Without `read_ends` Kafka is left out, and the report says so. The database is read in one
    snapshot and Kafka after it: positions and ends only grow, so a pipeline at work is no finding.
    """
    began = perf_counter()
    with snapshot(engine) as connection:
        positions = stream.read_positions(connection)
        pages, page_count = ledger_pages.choose_pages(
            connection, positions, at, is_full=scope.is_full
        )
        findings = _database_findings(connection, positions, pages, scope, at)
    ends: Mapping[Partition, Extent] = {}
    if read_ends is not None:
        topics = {partition.topic for partition in positions if partition.feed is Feed.KAFKA}
        ends = read_ends(sorted(topics | set(scope.topics)))
        findings = [*stream.against_kafka(positions, ends, scope.topics), *findings]
    return {
        "reconciled": not findings,
        "at": at,
        "kafka": "compared" if read_ends is not None else "not looked at",
        "pages": {"looked_at": len(pages), "of": page_count},
        "seconds": round(perf_counter() - began, 3),
        "partitions": [
            _partition_facts(partition, row, ends.get(partition))
            for partition, row in positions.items()
        ],
        "findings": [finding.as_document() for finding in findings],
    }


def _database_findings(
    connection: sa.Connection,
    positions: Positions,
    pages: list[Page],
    scope: Scope,
    at: datetime,
) -> list[Finding]:
    is_full = scope.is_full
    return [
        *stream.against_ledger(connection, positions),
        *ledger_pages.alerts_beyond(connection, positions),
        *ledger_pages.alerts_against_ledger(connection, pages),
        *ledger_pages.quarantine_against_ledger(connection, pages),
        *cases.alerts_against_cases(connection, pages, is_full=is_full),
        *cases.faults_against_alerts(connection, pages, is_full=is_full),
        *cases.cases_against_tasks(connection),
        *cases.tasks_made(connection, is_full=is_full),
        *events.outbox(connection, at, scope.unsent_after, is_full=is_full),
    ]


def _partition_facts(
    partition: Partition, row: sa.RowMapping, extent: Extent | None
) -> dict[str, Any]:
    return {
        "feed": partition.feed.value,
        "topic": partition.topic,
        "partition": partition.number,
        "position": row["next_offset"],
        "begin": extent.first if extent else None,
        "end": extent.end if extent else None,
        "lag": max(0, extent.end - row["next_offset"]) if extent else None,
    }
