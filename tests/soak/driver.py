"""The driver: sends a round of the stream, does to the system what the plan says, then checks."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from kafka import KafkaProducer

from models.batch import Record
from tests.soak.calm import CalmRun
from tests.soak.check import Calm, Flaw, Seen, flaws, read_topics
from tests.soak.disturbances.disturb import Disturber
from tests.soak.disturbances.outages import ACTS
from tests.soak.disturbances.plan import ROUND_SECONDS, Step
from tests.soak.people import People
from tests.soak.stream import PARTITIONS, Tape
from tests.soak.system.database import patiently
from tests.soak.system.supervisor import Servers, System

# Records carry times up to now: the broker refuses any that lie more than an hour ahead.
_AGO: Final = timedelta(hours=8)
_SETTLES_SECONDS: Final = 240.0
_STUCK_SECONDS: Final = 6.0
_CHUNK: Final = 12


@dataclass(slots=True)
class Report:
    """What one soak did and found."""

    flaws: list[Flaw] = field(default_factory=list)
    records: int = 0
    rounds: int = 0
    done: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    recoveries: list[float] = field(default_factory=list)
    promises: int = 0
    refused: int = 0
    events: int = 0
    sent_again: int = 0
    lost: int = 0
    twice: int = 0
    plan: list[Step] = field(default_factory=list)
    seconds: float = 0.0


class Soak:
    """One system with its stream, its people and whoever disturbs it."""

    def __init__(
        self,
        servers: Servers,
        folder: Path,
        seed: int,
        guard: str | None = None,
        *,
        round_seconds: float = ROUND_SECONDS,
        **more: Any,
    ) -> None:
        self.report = Report()
        self._round_seconds = round_seconds
        self._system = System(servers, folder, seed, guard, **more)
        self._tape = Tape(self._system.topic, seed, datetime.now(UTC) - _AGO)
        self._calm = CalmRun(folder, self._system.topic)
        self._disturber = Disturber(self._system, ACTS)
        self._people = People(self._system, seed)
        self._seen = Seen()
        self._began = time.monotonic()
        self._producer = KafkaProducer(
            bootstrap_servers=servers.kafka.address,
            acks="all",
            enable_idempotence=True,
            metrics_enabled=False,
        )

    def round(self, steps: Sequence[Step]) -> list[Flaw]:
        """Go through one round of the stream and of the plan; return what is wrong after it."""
        records = self._tape.more()
        self._calm.plays(records)
        self._people.work()
        sender = threading.Thread(target=self._sends, args=(records,), daemon=True)
        sender.start()
        began = time.monotonic()
        for step in steps:
            time.sleep(max(0.0, began + step.second - time.monotonic()))
            self._disturber.does(step)
        sender.join()
        self._disturber.let_go()
        wrong = self._settles()
        unanswered = self._people.rest()
        wrong += [Flaw("people", unanswered)] if unanswered else []
        wrong += self._outbox_is_empty()
        wrong += self._checks()
        self._note(steps, wrong)
        return wrong

    def close(self) -> Report:
        """End everything; return the report."""
        self._people.go_home()
        self._system.close()
        self._calm.close()
        self._producer.close(timeout=5)
        self.report.seconds = time.monotonic() - self._began
        return self.report

    def _sends(self, records: Sequence[Record]) -> None:
        pause = self._round_seconds / max(1, len(records) // _CHUNK)
        for first in range(0, len(records), _CHUNK):
            with self._disturber.sending:
                sent = [(one, self._send(one)) for one in records[first : first + _CHUNK]]
                self._producer.flush(timeout=60)
                for record, future in sent:
                    offset = future.get(timeout=60).offset
                    assert offset == record.offset, f"sent to {offset}, meant {record.offset}"
            time.sleep(pause)

    def _send(self, record: Record) -> Any:
        return self._producer.send(
            self._system.topic,
            value=record.value,
            key=record.key,
            partition=record.partition.number,
            timestamp_ms=record.timestamp,
        )

    def _settles(self) -> list[Flaw]:
        """Wait until every position is at its end; who sits idle behind one is started anew."""
        ends = [len(self._calm.outcomes[number]) for number in range(PARTITIONS)]
        until = time.monotonic() + _SETTLES_SECONDS
        last, moved, patience = ends, time.monotonic(), _STUCK_SECONDS
        while True:
            at = patiently(self._positions)
            if at == ends:
                return []
            if at != last:
                last, moved = at, time.monotonic()
            if time.monotonic() > until:
                return [Flaw("stuck", f"positions {at} and not {ends}")]
            if time.monotonic() - moved > patience + self._system.session_seconds:
                moved, patience = time.monotonic(), 2 * patience
                for slot in list(self._system.wanted):
                    if slot.startswith("run"):
                        self._system.kill(slot, 15)
            time.sleep(0.05)

    def _positions(self) -> list[int]:
        with self._system.engine.connect() as connection:
            rows = connection.execute(sa.text("select part, next_offset from position"))
            at = {row.part: row.next_offset for row in rows}
        return [at.get(number, 0) for number in range(PARTITIONS)]

    def _outbox_is_empty(self) -> list[Flaw]:
        until = time.monotonic() + _SETTLES_SECONDS
        query = sa.text("select count(*) from outbox where sent_at is null")
        while time.monotonic() < until:
            with suppress(sa.exc.OperationalError), self._system.engine.connect() as connection:
                if connection.execute(query).scalar_one() == 0:
                    return []
            time.sleep(0.1)
        return [Flaw("sent", "the outbox does not get empty")]

    def _checks(self) -> list[Flaw]:
        calm = Calm(self._calm.digest(), self._calm.outcomes)
        topics = list(self._system.out.values())
        with self._system.engine.begin() as connection:
            # Tending goes on meanwhile: what it writes after this moment is not looked at.
            connection.execute(sa.text("set transaction isolation level repeatable read"))
            connection.execute(sa.text("select 1 from outbox limit 1"))
            read_topics(self._system.servers.kafka.address, topics, self._seen)
            with self._system.engine.begin() as now:
                ids = now.execute(sa.text("select event_id from outbox")).scalars()
                self._seen.written = set(ids)
            return flaws(connection, self._tape.known, calm, self._people.promises, self._seen)

    def _note(self, steps: Sequence[Step], wrong: Sequence[Flaw]) -> None:
        report, seen = self.report, self._seen
        report.flaws += wrong
        report.records = len(self._tape.records)
        report.rounds += 1
        report.plan += steps
        report.done, report.ends = self._disturber.done, self._system.ends
        report.missed = self._system.missed
        report.promises, report.refused = len(self._people.promises), self._people.refused
        report.events = sum(len(events) for events in seen.events.values())
        report.sent_again, report.lost, report.twice = seen.sent_again, seen.lost, seen.twice
        report.recoveries = self._recoveries()

    def _recoveries(self) -> list[float]:
        """Return seconds from each SIGKILL of a worker to the next commit in each of its places."""
        with self._system.engine.connect() as connection:
            moves = list(
                connection.execute(
                    sa.text(
                        "select app, part, is_take, extract(epoch from at)::float as at"
                        " from soak_move order by number"
                    )
                )
            )
        return recoveries([(m.app, m.part, m.is_take, m.at) for m in moves], self._disturber.kills)


def recoveries(
    moves: Sequence[tuple[str, int, bool, float]], kills: Sequence[tuple[str, float]]
) -> list[float]:
    """Return seconds from each kill to the next commit of another in each partition of the victim.

    `moves` are application, partition, whether it took the partition, and when; in order.
    """
    seconds = []
    for app, at in kills:
        owner: dict[int, str] = {}
        for who, part, is_take, when in moves:
            if is_take and when <= at:
                owner[part] = who
        for part in [part for part, who in owner.items() if who == app]:
            after = [m[3] for m in moves if m[1] == part and not m[2] and m[3] > at and m[0] != app]
            seconds += [min(after) - at] if after else []
    return seconds
