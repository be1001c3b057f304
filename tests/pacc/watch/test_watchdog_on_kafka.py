"""The watchdog on a real broker: a consumer that lost its place, and brokers that sleep."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from ingest.kafka.consumer import KafkaSource
from ingest.kafka.offsets import ends_of
from models import tables as t
from models.batch import Record
from models.migrations import upgrade
from pacc.pipeline.limits import Limits
from pacc.pipeline.loop import run
from pacc.pipeline.worker import Worker
from pacc.process.database import make_engine
from pacc.watch.watchdog import Behind, Watchdog, read_behind
from tests.conftest import missing
from tests.servers.kafka import new_topic, own_kafka, send
from tests.servers.processes import NotToBeHad
from tests.support.commands import Pacc, waits
from tests.worlds import CAR, OTHER, Room, Stream, policy


def test_a_real_consumer_that_was_left_paused_is_made_anew_and_reads(
    kafka_address: str, make_topic: Callable[[int], str], engine: sa.Engine
) -> None:
    topic = make_topic(1)
    worker = Worker(engine, policy(), {topic: "cloudevents"}, "me", Limits())
    sources: list[KafkaSource] = []

    class Paused(KafkaSource):
        """What kafka-python does when it loses its place: it polls, and nothing comes."""

        def poll(self, limit: int) -> list[Record]:
            self._consumer.pause(*self._consumer.assignment())
            return super().poll(limit)

    def make_source() -> KafkaSource:
        kind = KafkaSource if sources else Paused
        sources.append(kind(kafka_address, topic, [topic], take=worker.take, poll_ms=100))
        return sources[-1]

    def look() -> Behind:
        with engine.connect() as connection:
            return read_behind(connection, "me", ends_of(kafka_address, [topic]))

    with closing(make_source()) as source:
        until = time.monotonic() + 30
        while not worker.positions() and time.monotonic() < until:
            source.poll(10)
    sources.clear()
    send(kafka_address, topic, Stream().says(CAR, "dtc:P0A80").records)
    with Watchdog(look, timedelta(seconds=6), lambda _: None) as dog:
        until = time.monotonic() + 120

        def is_stopped() -> bool:
            return bool(Room(engine).outcomes()) or time.monotonic() > until

        run(worker, make_source, Limits(), until_end=False, watchdog=dog, is_stopped=is_stopped)
    assert len(sources) == 2
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
