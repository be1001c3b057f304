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
from pacc.reconcile.finding import Finding, of_rows
from pacc.reconcile.stream import Positions, named

NEWEST: Final = 2
IN_TURN: Final = 4
_LOOK: Final = (
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
    def spelled(self) -> str:
        """Say which offsets it covers."""
        return f"{named(self.partition)} offsets {self.first} to {self.end - 1}"


def pages(
    connection: sa.Connection, held: Positions, at: datetime, *, is_full: bool
) -> tuple[list[Page], int]:
    """Choose the pages to look at, and say how many there are.

    All if `is_full`; else the newest of each partition, and some old ones in turn by the minute of
    `at`: a look every minute comes to each of them in time.
    """
    c = t.ledger.c
    query = sa.select(c.feed, c.topic, c.part, c.page).where(c.page >= 0).distinct()
    known: dict[Partition, set[int]] = {one: set() for one in held}
    for feed, topic, part, page in connection.execute(query):
        known.setdefault(Partition(Feed(feed), topic, part), set()).add(page)
    for partition, row in held.items():
        if row["advanced"]:
            known[partition].add((row["next_offset"] - 1) // LEDGER_PAGE)
    chosen: list[Page] = []
    for partition in sorted(known):
        numbers = sorted(known[partition])
        picked = numbers if is_full else [*_in_turn(numbers[:-NEWEST], at), *numbers[-NEWEST:]]
        chosen += [Page(partition, number) for number in picked]
    return chosen, sum(map(len, known.values()))


def _in_turn(old: Sequence[int], at: datetime) -> list[int]:
    if len(old) <= IN_TURN:
        return list(old)
    start = int(at.timestamp()) // 60 * IN_TURN
    return sorted(old[(start + step) % len(old)] for step in range(IN_TURN))


def alerts_against_ledger(connection: sa.Connection, looked: Iterable[Page]) -> list[Finding]:
    """Count the alerts of each page by outcome, and compare with what the ledger counted."""
    found = []
    for page in looked:
        counted, _ = _counters(connection, page)
        there = _rows(connection, page)
        for outcome in sorted(counted.keys() | there.keys()):
            should, has = counted.get(outcome, 0), there.get(outcome, 0)
            if should > has:
                found.append(
                    Finding(
                        "alerts_missing",
                        should - has,
                        f"{should - has} of the {should} alerts that the ledger counts as "
                        f"{outcome} in {page.spelled} are not in the table `alert`.",
                        _LOOK,
                    )
                )
            elif has > should:
                found.append(
                    Finding(
                        "alerts_uncounted",
                        has - should,
                        f"{page.spelled}: the table `alert` has {has} alerts that ended {outcome}, "
                        f"the ledger counts {should}: a counter was changed, or somebody else "
                        "wrote rows.",
                        "`pacc ledger`; who wrote to the tables `alert` and `ledger`",
                    )
                )
    return found


def quarantine_against_ledger(connection: sa.Connection, looked: Iterable[Page]) -> list[Finding]:
    """Look whether every record that went to quarantine is there. A tape may play one twice."""
    q = t.quarantine.c
    found = []
    for page in looked:
        if page.partition.feed is Feed.TAPE:
            continue
        _, records = _counters(connection, page)
        should = records.get(Outcome.QUARANTINED.value, 0)
        if not should:
            continue
        query = sa.select(sa.func.count(sa.distinct(q.record_offset))).where(
            _on(t.quarantine, page)
        )
        has = connection.execute(query).scalar_one()
        if has < should:
            found.append(
                Finding(
                    "quarantine_missing",
                    should - has,
                    f"{should - has} of the {should} records of {page.spelled} that went to "
                    "quarantine are not there: their bytes are only in the topic, if it still "
                    "holds them.",
                    "`pacc quarantine list`; `pacc record` for that range",
                )
            )
    return found


def alerts_beyond(connection: sa.Connection, held: Positions) -> list[Finding]:
    """Find alerts at offsets that we have not come to, by our position."""
    a = t.alert.c
    found = []
    for partition, row in held.items():
        if partition.feed is Feed.TAPE:
            continue
        beyond = a.record_offset >= row["next_offset"]
        query = sa.select(a.fingerprint).where(_of(t.alert, partition), beyond).limit(1000)
        ids = connection.execute(query.order_by(a.record_offset)).scalars().all()
        found += of_rows(
            "alerts_beyond_position",
            ids,
            f"%d alerts lie beyond our position in {named(partition)} ({row['next_offset']}).",
            "the position was moved back: the records come again and end as duplicates",
        )
    return found


def alerts_of(
    connection: sa.Connection, page: Page, outcomes: Sequence[Outcome], limit: int | None
) -> Iterator[tuple[str, str]]:
    """Give fingerprint and VIN of the newest alerts of a page with these outcomes."""
    a = t.alert.c
    words = [outcome.value for outcome in outcomes]
    query = sa.select(a.fingerprint, a.vin).where(_on(t.alert, page), a.outcome.in_(words))
    for one in connection.execute(query.order_by(a.record_offset.desc()).limit(limit)):
        yield one.fingerprint, one.vin


def _counters(connection: sa.Connection, page: Page) -> tuple[dict[str, int], dict[str, int]]:
    c = t.ledger.c
    query = sa.select(c.outcome, c.alerts, c.records).where(
        _of(t.ledger, page.partition), c.page == page.number
    )
    rows = connection.execute(query).all()
    return {one.outcome: one.alerts for one in rows}, {one.outcome: one.records for one in rows}


def _rows(connection: sa.Connection, page: Page) -> dict[str, int]:
    a = t.alert.c
    query = sa.select(a.outcome, sa.func.count()).where(_on(t.alert, page)).group_by(a.outcome)
    return {one.outcome: one[1] for one in connection.execute(query)}


def _of(table: sa.Table, partition: Partition) -> sa.ColumnElement[bool]:
    return sa.and_(*(table.c[name] == value for name, value in partition_key(partition).items()))


def _on(table: sa.Table, page: Page) -> sa.ColumnElement[bool]:
    offset = table.c.record_offset
    return sa.and_(_of(table, page.partition), offset >= page.first, offset < page.end)
