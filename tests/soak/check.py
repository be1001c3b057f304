"""The checks: the system against the stream that the driver knows, while everything rests."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from kafka import KafkaConsumer, TopicPartition

from ingest.store import ledger as ledgers
from models.words import Outcome
from tests.soak.people import LEASE, Promise
from tests.soak.stream import Known
from tests.soak.system.database import DRIVER


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that must never be: the check that found it, and what it saw."""

    check: str
    what: str


@dataclass(slots=True)
class Calm:
    """What an undisturbed run of the same tape gives: its digest, and how each offset ended."""

    digest: Mapping[str, Any]
    outcomes: Sequence[Mapping[int, str]]


@dataclass(slots=True)
class Seen:
    """What was read of the topics so far, and figures of the last look.

    `written` are all events of the outbox, looked at after the topics.
    """

    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    places: dict[TopicPartition, int] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    lost: int = 0
    twice: int = 0
    sent_again: int = 0


def flaws(
    connection: sa.Connection,
    known: Sequence[Known],
    calm: Calm,
    promises: Sequence[Promise],
    seen: Seen,
) -> list[Flaw]:
    """Find everything that is not as it must be."""
    wrong = [*_offsets(connection, known, calm, seen), *_owners(connection)]
    if not ledgers.ledger(connection)["reconciled"]:
        wrong.append(Flaw("ledger", "the counts do not add up to the positions"))
    wrong += _at_most_one(connection)
    mine = ledgers.digest(connection)
    if mine != calm.digest:
        wrong.append(Flaw("digest", f"{mine} is not the undisturbed {calm.digest}"))
    wrong += [*_events(connection, seen), *_promises(connection, promises)]
    return wrong


def _offsets(
    connection: sa.Connection, known: Sequence[Known], calm: Calm, seen: Seen
) -> Iterator[Flaw]:
    """Every offset was passed once, and once more for each time that the driver moved back."""
    seen.lost = seen.twice = 0
    filed = _pairs(connection, "select part, record_offset from alert")
    quarantined = _pairs(connection, "select part, record_offset from quarantine")
    pages = "select part, outcome, sum(records) as records from ledger group by part, outcome"
    ledger = {(row.part, row.outcome): row.records for row in connection.execute(sa.text(pages))}
    for part, sent in enumerate(known):
        passes = _passes(connection, part)
        wanted: Counter[str] = Counter()
        for offset, outcome in calm.outcomes[part].items():
            through, back = passes[0][offset], passes[1][offset]
            seen.lost += through == 0
            seen.twice += through > 1 + back
            wanted[outcome] += 1
            again = Outcome.QUARANTINED if offset in sent.poison else Outcome.DUPLICATE
            wanted[again.value] += back
            if through != 1 + back:
                yield Flaw("offsets", f"{part}/{offset}: {through} times through, {back} back")
        counted = {name: count for (at, name), count in ledger.items() if at == part}
        if counted != dict(+wanted):
            yield Flaw("outcomes", f"partition {part}: {counted} and not {dict(wanted)}")
        for name, there, right in (
            ("alerts", filed, sent.first),
            ("quarantine", quarantined, sent.poison),
        ):
            mine = Counter(offset for at, offset in there if at == part)
            if mine != Counter(right):
                odd = sorted((mine - Counter(right)) + (Counter(right) - mine))[:5]
                yield Flaw(name, f"partition {part}: not as sent at offsets {odd}")


def _pairs(connection: sa.Connection, query: str) -> list[tuple[int, int]]:
    return [(row[0], row[1]) for row in connection.execute(sa.text(query))]


def _passes(connection: sa.Connection, part: int) -> tuple[Counter[int], Counter[int]]:
    """Count how often each offset was worked through, and how often the driver moved back."""
    through: Counter[int] = Counter()
    back: Counter[int] = Counter()
    moves = sa.text("select app, first, past from soak_move where part = :part and not is_take")
    for move in connection.execute(moves, {"part": part}):
        if move.app == DRIVER:
            back.update(range(move.past, move.first))
        else:
            through.update(range(move.first, move.past))
    return through, back


def _owners(connection: sa.Connection) -> Iterator[Flaw]:
    """Whoever moves a position is the one who took the partition last."""
    owner: dict[int, str] = {}
    for move in connection.execute(sa.text("select * from soak_move order by number")):
        if move.is_take:
            owner[move.part] = move.app
        elif move.app not in (DRIVER, owner.get(move.part)):
            yield Flaw(
                "owner",
                f"{move.app} wrote {move.part}/{move.first}..{move.past}, "
                f"which is {owner.get(move.part)}'s",
            )


def _at_most_one(connection: sa.Connection) -> Iterator[Flaw]:
    for name, query in (
        ("open cases", "select vin from \"case\" where state = 'open' group by vin"),
        ("open tasks", "select case_id from task where state <> 'done' group by case_id, queue"),
    ):
        for row in connection.execute(sa.text(f"{query} having count(*) > 1")):
            yield Flaw(name, f"{row[0]} has more than one")


def _events(connection: sa.Connection, seen: Seen) -> Iterator[Flaw]:
    """Every change of a case has its event; every event is on its topic, in order of its case."""
    sequences: dict[str, list[int]] = {}
    sent: dict[str, set[str]] = {}
    for row in connection.execute(
        sa.text("select event_id, topic, case_id, case_seq, sent_at from outbox")
    ):
        sequences.setdefault(row.case_id, []).append(row.case_seq)
        if row.sent_at is not None:
            sent.setdefault(row.topic, set()).add(row.event_id)
    for row in connection.execute(sa.text('select case_id, revision from "case"')):
        if sorted(sequences.get(row.case_id, [])) != list(range(1, row.revision + 1)):
            yield Flaw("events", f"case {row.case_id}: {row.revision} changes, not as many events")
    seen.sent_again = 0
    for topic, events in seen.events.items():
        ids = {event["id"] for event in events}
        missing = sent.get(topic, set()) - ids
        foreign = ids - seen.written
        if missing or foreign:
            yield Flaw(
                "sent", f"{topic}: {len(missing)} events missing, {len(foreign)} that nobody wrote"
            )
        seen.sent_again += len(events) - len(ids)
        yield from _order(topic, events)


def _order(topic: str, sent: Sequence[Mapping[str, Any]]) -> Iterator[Flaw]:
    """First deliveries of a case's events come in the order of the case."""
    last: dict[str, str] = {}
    ids: set[str] = set()
    for event in sent:
        if event["id"] in ids:
            continue
        ids.add(event["id"])
        if event["sequence"] <= last.get(event["subject"], ""):
            yield Flaw("order", f"{topic}: event {event['id']} came late")
        last[event["subject"]] = event["sequence"]


def read_topics(address: str, topics: Sequence[str], seen: Seen) -> None:
    """Read on where the last look stopped, to the end."""
    with closing(KafkaConsumer(bootstrap_servers=address, enable_auto_commit=False)) as consumer:
        parts = [
            TopicPartition(topic, n)
            for topic in topics
            for n in consumer.partitions_for_topic(topic)
        ]
        consumer.assign(parts)
        for part in parts:
            consumer.seek(part, seen.places.get(part, 0))
        ends = consumer.end_offsets(parts)
        while any(seen.places.get(part, 0) < end for part, end in ends.items()):
            for part, records in consumer.poll(timeout_ms=500).items():
                events = seen.events.setdefault(part.topic, [])
                events += [json.loads(record.value) for record in records]
                seen.places[part] = records[-1].offset + 1


def _promises(connection: sa.Connection, promises: Sequence[Promise]) -> Iterator[Flaw]:
    """What a person was told is done is done, once; and nobody had a task beside another."""
    entries = Counter(
        (row.task_id, row.actor, row.kind)
        for row in connection.execute(
            sa.text(
                "select task_id, actor, kind from entry where task_id is not null and kind in"
                " ('task_claimed', 'task_contacted', 'task_released', 'task_closed')"
                " and actor not in ('pacc', 'pacc tend')"
            )
        )
    )
    heard = Counter((promise.task_id, promise.name, promise.what) for promise in promises)
    for key in sorted((heard - entries) | (entries - heard)):
        yield Flaw("told", f"{key}: told {heard[key]} times, done {entries[key]} times")
    ends = {
        row.task_id: row.disposition
        for row in connection.execute(sa.text("select task_id, disposition from task"))
    }
    for promise in promises:
        if promise.disposition is not None and ends.get(promise.task_id) != promise.disposition:
            yield Flaw(
                "told", f"{promise.name} was told {promise.task_id} ended as {promise.disposition}"
            )
        if promise.seen is not None and promise.version != promise.seen + 1:
            yield Flaw(
                "told", f"{promise.name} claimed version {promise.seen} and got {promise.version}"
            )
    yield from one_at_a_time(promises)


def one_at_a_time(promises: Sequence[Promise]) -> Iterator[Flaw]:
    """Nobody was told that they had a task while another's claim on it was alive."""
    by_task: dict[str, list[Promise]] = {}
    for promise in promises:
        by_task.setdefault(promise.task_id, []).append(promise)
    for task_id, of_task in by_task.items():
        holder: Promise | None = None
        for promise in sorted(of_task, key=lambda thing: thing.version):
            if (
                promise.what == "task_claimed"
                and holder is not None
                and holder.name != promise.name
            ):
                began = promise.lease_until - LEASE if promise.lease_until else None
                if holder.lease_until and began and began < holder.lease_until:
                    yield Flaw("told", f"{promise.name} and {holder.name} both had {task_id}")
            holder = None if promise.what in ("task_released", "task_closed") else promise
