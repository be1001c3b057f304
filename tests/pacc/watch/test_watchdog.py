"""The watchdog: who stands still while records wait is made anew once, then ended; no one else."""

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from ingest.kafka.client import made
from ingest.kafka.consumer import KafkaSource
from ingest.kafka.offsets import ends_of
from models import tables as t
from models.batch import Extent, Partition, Record
from models.errors import Stalled, Unreachable
from models.migrations import upgrade
from models.words import Feed
from pacc.pipeline.limits import Limits
from pacc.pipeline.loop import Tally, run
from pacc.pipeline.worker import Worker
from pacc.process.database import make_engine
from pacc.watch.metrics import Metrics
from pacc.watch.watchdog import Behind, Watchdog, WatchdogReading, behind
from tests.conftest import missing
from tests.ingest.kafka.test_kafka import send
from tests.servers.kafka import new_topic, own_kafka
from tests.servers.processes import NotToBeHad
from tests.support.commands import Pacc, waits
from tests.worlds import CAR, OTHER, Room, Stream, policy

P0 = Partition(Feed.KAFKA, "pacc.alerts", 0)
MINUTE = timedelta(minutes=1)
Look = Callable[[], Behind]


class Still:
    """A source that gives its records once and then stands still; each poll takes ten seconds."""

    def __init__(self, room: "Yard", records: Sequence[Record]) -> None:
        self._room = room
        self._records = list(records)
        room.worker.take(P0, 0)

    def poll(self, limit: int) -> list[Record]:
        """Give what there is; let time pass and the watchdog look."""
        given, self._records = self._records[:limit], self._records[limit:]
        self._room.passes(10)
        return given

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Tell nobody."""

    def is_at_end(self) -> bool:
        """Never: it is asked for ever."""
        return False

    def lag(self, _positions: Mapping[Partition, int]) -> Mapping[Partition, int]:
        """Know nothing of it, as a consumer that fetches nothing."""
        return {}

    def close(self) -> None:
        """Let go."""


class Yard:
    """A worker, its watchdog, and the time."""

    def __init__(self, engine: sa.Engine, look: Look) -> None:
        self.worker = Worker(engine, policy(), {}, "me", Limits())
        self.now = 0.0
        self.sights: list[WatchdogReading] = []
        self.ended: list[Stalled] = []
        self.dog = Watchdog(look, MINUTE, self.ended.append, self.sights.append, lambda: self.now)
        self.sources = 0

    def passes(self, seconds: float) -> None:
        """Let time pass, and the watchdog look at its end."""
        self.now += seconds
        self.dog.look()

    def runs(self, *given: Sequence[Record], seconds: float = 1000) -> Tally:
        """Run on sources that give these records, one after the other; the last ones give none."""

        def make() -> Still:
            self.sources += 1
            return Still(self, given[self.sources - 1] if self.sources <= len(given) else ())

        return run(
            self.worker,
            make,
            Limits(),
            until_end=False,
            is_stopped=lambda: self.now > seconds,
            watchdog=self.dog,
        )


def waiting(records: int = 5, at: int = 0) -> Behind:
    """So many records wait behind this position."""
    return Behind({P0: records}, {P0: at})


def test_a_partition_that_was_lost_is_no_longer_counted() -> None:
    metrics, p1 = Metrics(), Partition(Feed.KAFKA, "pacc.alerts", 1)

    def lags() -> dict[str, float]:
        (family,) = (one for one in metrics.registry.collect() if one.name == "pacc_lag_records")
        return {sample.labels["partition"]: sample.value for sample in family.samples}

    metrics.sighted(WatchdogReading(Behind({P0: 5, p1: 7}), 0, 0))
    assert lags() == {"0": 5, "1": 7}
    metrics.sighted(WatchdogReading(None, 0, 0))
    assert lags() == {"0": 5, "1": 7}
    metrics.sighted(WatchdogReading(Behind({P0: 6}), 0, 0))
    assert lags() == {"0": 6}


RECORDS = Stream(P0).says(CAR, "dtc:P0A80").says(OTHER, "dtc:P0A80").records


def test_who_stands_still_is_made_anew_once_and_then_ends(engine: sa.Engine) -> None:
    yard = Yard(engine, waiting)
    with pytest.raises(Stalled, match="has not moved for 60 s") as stalled:
        yard.runs()
    assert (yard.sources, stalled.value.exit_code) == (2, 6)
    assert 120 <= yard.now <= 160
    assert max(sight.standing_seconds for sight in yard.sights) == 60
    assert yard.sights[-1].rebuilt == 1
    assert yard.ended == []


def test_a_consumer_made_anew_that_reads_again_may_be_made_anew_again(engine: sa.Engine) -> None:
    yard = Yard(engine, waiting)
    with pytest.raises(Stalled):
        yard.runs((), RECORDS[:1])
    assert yard.sources == 3
    assert sum(Room(engine).outcomes().values()) == 1


def test_brokers_that_are_away_are_no_stall_and_the_time_away_does_not_count(
    engine: sa.Engine,
) -> None:
    def look() -> Behind:
        if 50 < yard.now < 900:
            raise Unreachable("Kafka does not answer")
        return waiting()

    yard = Yard(engine, look)
    yard.runs(seconds=940)
    assert yard.sources == 1
    assert [sight.behind for sight in yard.sights[5:50]] == [None] * 45
    assert {sight.standing_seconds for sight in yard.sights[5:50]} == {0}
    assert yard.sights[-1].standing_seconds == 50


def test_nobody_stalls_while_nothing_waits(engine: sa.Engine) -> None:
    yard = Yard(engine, lambda: waiting(0))
    yard.runs()
    assert yard.sources == 1
    assert {sight.standing_seconds for sight in yard.sights} == {0}


def test_a_position_that_another_way_moved_counts_as_moving(engine: sa.Engine) -> None:
    yard = Yard(engine, lambda: waiting(5, at=int(yard.now // 40)))
    yard.runs()
    assert yard.sources == 1
    assert max(sight.standing_seconds for sight in yard.sights) == 30


def test_a_call_that_never_returns_ends_the_process(engine: sa.Engine) -> None:
    """A thread of its own looks: the loop hangs in `poll` and cannot."""
    back = threading.Event()
    reasons: list[Stalled] = []

    def end(reason: Stalled) -> None:
        reasons.append(reason)
        back.set()

    class Hung(Still):
        def poll(self, limit: int) -> list[Record]:  # noqa: ARG002 - as a source has it
            assert back.wait(60)
            return []

    yard = Yard(engine, waiting)
    dog = Watchdog(waiting, timedelta(milliseconds=200), end)
    with dog:
        run(
            yard.worker,
            lambda: Hung(yard, ()),
            Limits(),
            until_end=False,
            is_stopped=back.is_set,
            watchdog=dog,
        )
    assert reasons[0].exit_code == 6


def test_only_what_is_ours_waits_for_us(engine: sa.Engine) -> None:
    """A partition that went to another worker is that worker's to read."""
    other = Partition(Feed.KAFKA, "pacc.alerts", 1)
    for partition, owner in ((P0, "me"), (other, "another")):
        Worker(engine, policy(), {}, owner, Limits()).take(partition, 3)
    ends = {P0: Extent(0, 10), other: Extent(0, 1000)}
    with engine.connect() as connection:
        assert behind(connection, "me", ends) == Behind({P0: 7}, {P0: 3})
        assert behind(connection, "nobody", ends).records == 7 + 997
        assert behind(connection, "me", {P0: Extent(0, 2)}).records == 0


def test_a_real_consumer_that_was_left_paused_is_made_anew_and_reads(
    kafka_address: str, make_topic: Callable[[int], str], engine: sa.Engine
) -> None:
    topic = make_topic(1)
    worker = Worker(engine, policy(), {topic: "cloudevents"}, "me", Limits())
    made: list[KafkaSource] = []

    class Paused(KafkaSource):
        """What kafka-python does when it loses its place: it polls, and nothing comes."""

        def poll(self, limit: int) -> list[Record]:
            self._consumer.pause(*self._consumer.assignment())
            return super().poll(limit)

    def make_source() -> KafkaSource:
        kind = KafkaSource if made else Paused
        made.append(kind(kafka_address, topic, [topic], take=worker.take, poll_ms=100))
        return made[-1]

    def look() -> Behind:
        with engine.connect() as connection:
            return behind(connection, "me", ends_of(kafka_address, [topic]))

    with closing(make_source()) as source:
        until = time.monotonic() + 30
        while not worker.positions() and time.monotonic() < until:
            source.poll(10)
    made.clear()
    send(kafka_address, topic, Stream().says(CAR, "dtc:P0A80").records)
    with Watchdog(look, timedelta(seconds=6), lambda _: None) as dog:
        until = time.monotonic() + 120

        def is_stopped() -> bool:
            return bool(Room(engine).outcomes()) or time.monotonic() > until

        run(worker, make_source, Limits(), until_end=False, watchdog=dog, is_stopped=is_stopped)
    assert len(made) == 2
    assert Room(engine).outcomes() == {"opened": 1}


@pytest.mark.kafka
def test_a_broker_that_sleeps_longer_than_a_stall_ends_nobody(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'pacc.db'}"
    engine = make_engine(url)
    upgrade(engine)
    room = Room(engine)
    try:
        broker_of_its_own = own_kafka()
        broker = broker_of_its_own.__enter__()
    except NotToBeHad as error:
        missing(str(error))
    address, process = broker.address, broker.process
    assert process is not None
    try:
        topic = new_topic(address, 1)
        send(address, topic, Stream().says(CAR, "dtc:P0A80").records)
        pacc = Pacc(
            PACC_DATABASE_URL=url,
            PACC_TOPICS=f"{topic}: cloudevents",
            PACC_KAFKA_BOOTSTRAP_SERVERS=address,
            PACC_STALL_AFTER="4s",
        )
        with pacc.runs("run") as worker:
            waits(lambda: room.outcomes() == {"opened": 1})
            os.kill(process.pid, signal.SIGSTOP)
            asleep = time.monotonic() + 20
            waits(lambda: time.monotonic() > asleep or worker.poll() is not None)
            os.kill(process.pid, signal.SIGCONT)
            assert worker.poll() is None
            send(address, topic, Stream().says(OTHER, "dtc:P0A80", id="other").records)
            waits(lambda: room.outcomes() == {"opened": 2})
            assert worker.poll() is None
            (pulse,) = room.rows(t.pulse)
            assert pulse["detail"].keys() == {"behind", "standing_seconds"}
    finally:
        broker_of_its_own.__exit__(None, None, None)
        engine.dispose()


def test_asking_brokers_that_are_away_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    for kind in (KafkaConsumer, KafkaProducer):
        with pytest.raises(KafkaError):
            made(kind, bootstrap_servers="127.0.0.1:1", bootstrap_timeout_ms=300)
    left = set(threading.enumerate()) - before
    for thread in left:
        thread.join(timeout=10)
    assert [thread.name for thread in left if thread.is_alive()] == []
