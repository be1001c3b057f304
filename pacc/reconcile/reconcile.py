"""One look at everything, as it stood at one moment."""

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

# Asks Kafka where the partitions of these topics begin and end.
AskKafka = Callable[[Iterable[str]], Mapping[Partition, Extent]]


@dataclass(frozen=True, slots=True)
class Scope:
    """What to compare: which topics, how long an event may wait (None: for ever), every row or
    the newest."""

    topics: tuple[str, ...]
    unsent_after: timedelta | None = timedelta(minutes=5)
    is_full: bool = False


def reconcile(
    engine: sa.Engine, ask: AskKafka | None, scope: Scope, at: datetime
) -> dict[str, Any]:
    """Compare everything with everything; without `ask` Kafka is left out, and that is said.

    The database is read in one snapshot and Kafka after it, so that a pipeline at work is no
    finding: positions only grow, and so do ends.
    """
    began = perf_counter()
    with snapshot(engine) as connection:
        held = stream.positions(connection)
        looked, of = ledger_pages.pages(connection, held, at, is_full=scope.is_full)
        findings = _inside(connection, held, looked, scope, at)
    ends: Mapping[Partition, Extent] = {}
    if ask is not None:
        read = {one.topic for one in held if one.feed is Feed.KAFKA}
        ends = ask(sorted(read | set(scope.topics)))
        findings = [*stream.against_kafka(held, ends, scope.topics), *findings]
    return {
        "reconciled": not findings,
        "at": at,
        "kafka": "compared" if ask is not None else "not looked at",
        "pages": {"looked_at": len(looked), "of": of},
        "seconds": round(perf_counter() - began, 3),
        "partitions": [_partition(one, row, ends.get(one)) for one, row in held.items()],
        "findings": [finding.shown() for finding in findings],
    }


def _inside(
    connection: sa.Connection,
    held: stream.Positions,
    looked: list[ledger_pages.Page],
    scope: Scope,
    at: datetime,
) -> list[Finding]:
    is_full = scope.is_full
    return [
        *stream.against_ledger(connection, held),
        *ledger_pages.alerts_beyond(connection, held),
        *ledger_pages.alerts_against_ledger(connection, looked),
        *ledger_pages.quarantine_against_ledger(connection, looked),
        *cases.alerts_against_cases(connection, looked, is_full=is_full),
        *cases.faults_against_alerts(connection, looked, is_full=is_full),
        *cases.cases_against_tasks(connection),
        *cases.tasks_made(connection, is_full=is_full),
        *events.outbox(connection, at, scope.unsent_after, is_full=is_full),
    ]


def _partition(one: Partition, row: sa.RowMapping, span: Extent | None) -> dict[str, Any]:
    return {
        "feed": one.feed.value,
        "topic": one.topic,
        "partition": one.number,
        "position": row["next_offset"],
        "begin": span.first if span else None,
        "end": span.end if span else None,
        "lag": max(0, span.end - row["next_offset"]) if span else None,
    }
