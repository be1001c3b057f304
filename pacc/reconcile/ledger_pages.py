"""The ledger's counters against the rows that they count, page by page."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from models import tables as t
from models.batch import Partition
from models.rows import partition_key
from models.tables import LEDGER_PAGE
from models.words import Feed, Outcome
from pacc.reconcile.finding import Finding, findings_of_ids
from pacc.reconcile.stream import Positions, name_of

NEWEST: Final = 2
ROTATING: Final = 4
_WHERE_TO_LOOK: Final = (
    "`pacc reconcile --full`; a backup of the table `alert`, or `pacc record` and `replay`"
)


@dataclass(frozen=True, slots=True)
class Page:
    """The offsets `first` to `end` - 1 of a partition, whose counters have rows of their own."""

    partition: Partition
    number: int

    @property
    def first(self) -> int:
        """Its first offset."""
        return self.number * LEDGER_PAGE

    @property
    def end(self) -> int:
        """The offset after its last."""
        return self.first + LEDGER_PAGE

    @property
    def name(self) -> str:
        """The partition and the offsets that it covers, for findings."""
        return f"{name_of(self.partition)} offsets {self.first} to {self.end - 1}"


def choose_pages(
    connection: sa.Connection, positions: Positions, at: datetime, *, is_full: bool
) -> tuple[list[Page], int]:
    """Return the pages to compare, and how many there are.

    All if `is_full`; else the newest of each partition, and some old ones by the minute of `at`: a
    run every minute reaches each of them in time.
    """
    c = t.ledger.c
    query = sa.select(c.feed, c.topic, c.part, c.page).where(c.page >= 0).distinct()
    known: dict[Partition, set[int]] = {partition: set() for partition in positions}
    for feed, topic, part, page in connection.execute(query):
        known.setdefault(Partition(Feed(feed), topic, part), set()).add(page)
    for partition, row in positions.items():
        if row["advanced"]:
            known[partition].add((row["next_offset"] - 1) // LEDGER_PAGE)
    chosen: list[Page] = []
    for partition in sorted(known):
        numbers = sorted(known[partition])
        picked = numbers if is_full else [*_rotating(numbers[:-NEWEST], at), *numbers[-NEWEST:]]
        chosen += [Page(partition, number) for number in picked]
    return chosen, sum(map(len, known.values()))


def _rotating(old: Sequence[int], at: datetime) -> list[int]:
    if len(old) <= ROTATING:
        return list(old)
    start = int(at.timestamp()) // 60 * ROTATING
    return sorted(old[(start + step) % len(old)] for step in range(ROTATING))


def alerts_against_ledger(connection: sa.Connection, pages: Iterable[Page]) -> list[Finding]:
    """Count the alerts of each page by outcome, and compare with what the ledger counted."""
    findings = []
    for page in pages:
        counted, _ = _counters(connection, page)
        present = _alerts_by_outcome(connection, page)
        for outcome in sorted(counted.keys() | present.keys()):
            should, has = counted.get(outcome, 0), present.get(outcome, 0)
            if should > has:
                findings.append(
                    Finding(
                        "alerts_missing",
                        should - has,
                        f"{should - has} of the {should} alerts that the ledger counts as "
                        f"{outcome} in {page.name} are not in the table `alert`.",
                        _WHERE_TO_LOOK,
                    )
                )
            elif has > should:
                findings.append(
                    Finding(
                        "alerts_uncounted",
                        has - should,
                        f"{page.name}: the table `alert` has {has} alerts that ended {outcome}, "
                        f"the ledger counts {should}: a counter was changed, or somebody else "
                        "wrote rows.",
                        "`pacc ledger`; who wrote to the tables `alert` and `ledger`",
                    )
                )
    return findings


def quarantine_against_ledger(connection: sa.Connection, pages: Iterable[Page]) -> list[Finding]:
    """Compare the records in quarantine with the counters. A tape may play a record twice."""
    q = t.quarantine.c
    findings = []
    for page in pages:
        if page.partition.feed is Feed.TAPE:
            continue
        _, records = _counters(connection, page)
        should = records.get(Outcome.QUARANTINED.value, 0)
        if not should:
            continue
        query = sa.select(sa.func.count(sa.distinct(q.record_offset))).where(
            _in_page(t.quarantine, page)
        )
        has = connection.execute(query).scalar_one()
        if has < should:
            findings.append(
                Finding(
                    "quarantine_missing",
                    should - has,
                    f"{should - has} of the {should} records of {page.name} that went to "
                    "quarantine are not there: their bytes are only in the topic, if it still "
                    "holds them.",
                    "`pacc quarantine list`; `pacc record` for that range",
                )
            )
    return findings


def alerts_beyond(connection: sa.Connection, positions: Positions) -> list[Finding]:
    """Find alerts at offsets that our position has not reached."""
    a = t.alert.c
    findings = []
    for partition, row in positions.items():
        if partition.feed is Feed.TAPE:
            continue
        beyond = a.record_offset >= row["next_offset"]
        query = (
            sa.select(a.fingerprint).where(_in_partition(t.alert, partition), beyond).limit(1000)
        )
        ids = connection.execute(query.order_by(a.record_offset)).scalars().all()
        findings += findings_of_ids(
            "alerts_beyond_position",
            ids,
            f"%d alerts lie beyond our position in {name_of(partition)} ({row['next_offset']}).",
            "the position was moved back: the records come again and end as duplicates",
        )
    return findings


def alerts_of(
    connection: sa.Connection, page: Page, outcomes: Sequence[Outcome], limit: int | None
) -> Iterator[tuple[str, str]]:
    """Yield fingerprint and VIN of the newest alerts of a page with these outcomes."""
    a = t.alert.c
    values = [outcome.value for outcome in outcomes]
    query = sa.select(a.fingerprint, a.vin).where(_in_page(t.alert, page), a.outcome.in_(values))
    for row in connection.execute(query.order_by(a.record_offset.desc()).limit(limit)):
        yield row.fingerprint, row.vin


def _counters(connection: sa.Connection, page: Page) -> tuple[dict[str, int], dict[str, int]]:
    """Return what the ledger counts on a page, by outcome: alerts, and records."""
    c = t.ledger.c
    query = sa.select(c.outcome, c.alerts, c.records).where(
        _in_partition(t.ledger, page.partition), c.page == page.number
    )
    rows = connection.execute(query).all()
    return {row.outcome: row.alerts for row in rows}, {row.outcome: row.records for row in rows}


def _alerts_by_outcome(connection: sa.Connection, page: Page) -> dict[str, int]:
    a = t.alert.c
    query = sa.select(a.outcome, sa.func.count()).where(_in_page(t.alert, page)).group_by(a.outcome)
    return {row.outcome: row[1] for row in connection.execute(query)}


def _in_partition(table: sa.Table, partition: Partition) -> sa.ColumnElement[bool]:
    return sa.and_(*(table.c[name] == value for name, value in partition_key(partition).items()))


def _in_page(table: sa.Table, page: Page) -> sa.ColumnElement[bool]:
    offset = table.c.record_offset
    return sa.and_(_in_partition(table, page.partition), offset >= page.first, offset < page.end)
