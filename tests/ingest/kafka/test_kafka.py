"""The pipeline on a real Apache Kafka: positions, rebalances, lost records, SIGKILL."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from kafka import KafkaAdminClient, TopicPartition

from ingest.kafka.consumer import KafkaSource
from ingest.kafka.recording import record_range
from ingest.source import StreamPosition
from ingest.tape import read_tape, write_tape
from models.batch import Partition, Record
from models.errors import OffsetLost, Unreachable
from models.migrations import upgrade
from models.words import Feed
from pacc.commands import simulate
from pacc.pipeline.limits import Limits
from pacc.pipeline.loop import run
from pacc.pipeline.worker import Worker
from pacc.process.database import make_engine
from pacc.process.settings import Settings
from tests.servers.kafka import send
from tests.support.commands import Pacc, waits
from tests.worlds import CAR, START, Room, Stream, policy

MakeTopic = Callable[[int], str]


class StoredPositions:
    """A stand-in for the stored positions: partitions begin where the test says."""

    def __init__(self, start: int | None = None) -> None:
        self.start = start
        self.taken: list[Partition] = []

    def take(
        self, partition: Partition, start: int | None, topic_id: str | None = None, **_: bool
    ) -> StreamPosition:
        """Note that a partition was taken."""
        self.taken.append(partition)
        return StreamPosition((start or 0) if self.start is None else self.start, 1, topic_id)


def drain(source: KafkaSource, count: int, seconds: float = 30) -> list[Record]:
    """Poll until so many records have come."""
    got: list[Record] = []
    until = time.monotonic() + seconds
    while len(got) < count and time.monotonic() < until:
        got += source.poll(1000)
    return got


def source_of(address: str, topic: str, places: StoredPositions, **more: bool) -> KafkaSource:
    """Join a group of this topic's own."""
    return KafkaSource(
        address,
        f"group {topic}",
        [topic],
        take=places.take,
        poll_ms=200,
        session_timeout_ms=6000,
        **more,
    )


def test_records_come_raw_and_in_order(kafka_address: str, make_topic: MakeTopic) -> None:
    topic = make_topic(1)
    sent = Stream().says(CAR, "dtc:P0A80").raw(b"\xff\x00").raw(None, key=b"k").records
    send(kafka_address, topic, sent)
    with closing(source_of(kafka_address, topic, StoredPositions())) as source:
        got = drain(source, 3)
        assert source.is_at_end()
    assert [(r.offset, r.key, r.value, r.timestamp) for r in got] == [
        (r.offset, r.key, r.value, r.timestamp) for r in sent
    ]


def test_what_a_fleet_would_say_after_now_is_sent_as_of_now(
    kafka_address: str, make_topic: MakeTopic
) -> None:
    """A broker refuses what is more than an hour ahead of it, and all that goes with it."""
    topic, now = make_topic(1), time.time() * 1000
    minutes = (now / 1000 - START.timestamp()) / 60
    records = Stream().raw(b"past", minutes - 60).raw(b"future", minutes + 120).records
    simulate.send(Settings(kafka_bootstrap_servers=kafka_address), records, topic)
    with closing(source_of(kafka_address, topic, StoredPositions())) as source:
        past, future = drain(source, 2)
    assert past.timestamp == records[0].timestamp
    assert now - 1 <= future.timestamp < records[1].timestamp


def test_reading_begins_at_the_stored_position(kafka_address: str, make_topic: MakeTopic) -> None:
    topic = make_topic(1)
    send(kafka_address, topic, Stream().raw(b"0").raw(b"1").raw(b"2").records)
    with closing(source_of(kafka_address, topic, StoredPositions(start=2))) as source:
        assert [record.value for record in drain(source, 1)] == [b"2"]


def test_a_second_worker_takes_over_some_partitions(
    kafka_address: str, make_topic: MakeTopic
) -> None:
    topic, first, second = make_topic(2), StoredPositions(), StoredPositions()
    with closing(source_of(kafka_address, topic, first)) as source:
        drain(source, 1, seconds=3)
        assert len(set(first.taken)) == 2
        with closing(source_of(kafka_address, topic, second)) as other:
            until = time.monotonic() + 30
            while not second.taken and time.monotonic() < until:
                source.poll(10)
                other.poll(10)
            assert len(set(second.taken)) == 1


def truncated(address: str, topic: str) -> None:
    """Delete the first five of ten records."""
    stream = Stream()
    for number in range(10):
        stream.says(CAR, "dtc:P0A80", number / 10)
    send(address, topic, stream.records)
    admin = KafkaAdminClient(bootstrap_servers=address)
    admin.delete_records({TopicPartition(topic, 0): 5})
    admin.close()


def test_a_rejoin_that_outlasts_a_poll_is_finished_by_the_next(
    kafka_address: str, make_topic: MakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic, places = make_topic(1), StoredPositions()
    with closing(source_of(kafka_address, topic, places)) as source:
        until = time.monotonic() + 30
        while not places.taken and time.monotonic() < until:
            source.poll(1)
        coordinator = source._consumer._coordinator
        join = coordinator._do_join_and_sync_async

        async def slowly() -> Any:
            assignment = await join()
            await coordinator._net.sleep(0.7)  # polls are over after 0.2 s
            return assignment

        monkeypatch.setattr(coordinator, "_do_join_and_sync_async", slowly)
        places.taken.clear()
        coordinator._assignment_snapshot = {}  # as when the topic is seen to have changed
        send(kafka_address, topic, Stream().says(CAR, "dtc:P0A80").records)
        assert len(drain(source, 1, seconds=10)) == 1
    assert places.taken


def test_lost_records_stop_the_worker_with_a_clear_sentence(
    kafka_address: str, make_topic: MakeTopic
) -> None:
    topic = make_topic(1)
    truncated(kafka_address, topic)
    with (
        closing(source_of(kafka_address, topic, StoredPositions(start=2))) as source,
        pytest.raises(OffsetLost, match="holds offsets 5 to 10, our position is 2"),
    ):
        drain(source, 1)


def test_lost_records_become_a_gap_when_told_so(
    kafka_address: str, make_topic: MakeTopic, engine: sa.Engine
) -> None:
    topic = make_topic(1)
    worker = Worker(engine, policy(), {topic: "cloudevents"}, "test", Limits())
    worker.take(Partition(Feed.KAFKA, topic, 0), 2)
    truncated(kafka_address, topic)

    def make_source() -> KafkaSource:
        return KafkaSource(
            kafka_address, f"group {topic}", [topic], take=worker.take, accept_gaps=True
        )

    tally = run(worker, make_source, Limits(), until_end=True, is_stopped=lambda: False)
    assert tally.outcomes == {"opened": 1, "repeated": 4, "gap": 3}
    assert Room(engine).ledger["reconciled"]


def test_kafka_that_is_not_there_is_said_in_one_sentence() -> None:
    with pytest.raises(Unreachable, match="cannot be reached"):
        KafkaSource("127.0.0.1:1", "g", ["t"], take=StoredPositions().take)


def test_a_topic_that_is_not_there_is_said_and_not_waited_for(kafka_address: str) -> None:
    with pytest.raises(Unreachable, match=r"no topic not\.there"):
        source_of(kafka_address, "not.there", StoredPositions())


def test_a_topic_goes_onto_a_tape_and_back_unchanged(
    kafka_address: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic, tape = make_topic(1), tmp_path / "tape.jsonl.zst"
    sent = Stream().says(CAR, "dtc:P0A80").raw(b"\xff").raw(None, key=b"k").records
    send(kafka_address, topic, sent)
    assert write_tape(record_range(kafka_address, topic, "beginning", "end"), tape) == 3
    assert [(r.offset, r.value) for r in read_tape(tape)] == [(r.offset, r.value) for r in sent]
    assert len(list(record_range(kafka_address, topic, "1", "2"))) == 1


def a_day() -> list[Record]:
    """Two thousand alerts of forty vehicles, with duplicates and poison."""
    stream = Stream()
    for number in range(2000):
        vin = f"LBV8P2C05L7F{number % 40:05d}"
        code = ("dtc:P0A80", "dtc:B1342", "dtc:P0562", "dtc:U0100")[number // 40 % 4]
        status = "cleared" if number % 13 == 12 else "active"
        ident = f"alert {number - 40}" if number % 20 == 19 else f"alert {number}"
        stream.says(vin, code, number / 10, id=ident, status=status)
        if number % 100 == 0:
            stream.raw(b"{broken", number / 10)
    return stream.records


def pacc_on(url: str, address: str, topic: str) -> Pacc:
    """The commands on a database and a topic."""
    return Pacc(
        PACC_DATABASE_URL=url,
        PACC_KAFKA_BOOTSTRAP_SERVERS=address,
        PACC_TOPICS=f"{topic}: cloudevents",
        PACC_GROUP_ID=f"group {topic}",
    )


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def two_databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The database under test, and one for the undisturbed run."""
    calm = f"sqlite:///{tmp_path / 'calm.db'}"
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'shaken.db'}", calm
    else:
        yield request.getfixturevalue("postgres_url"), calm


def test_a_worker_killed_in_the_middle_loses_nothing_and_doubles_nothing(
    kafka_address: str, make_topic: MakeTopic, two_databases: tuple[str, str]
) -> None:
    shaken, calm = two_databases
    topic, records = make_topic(1), a_day()
    send(kafka_address, topic, records)
    engine = make_engine(shaken)
    upgrade(engine)
    room, pacc = Room(engine), pacc_on(shaken, kafka_address, topic)
    with pacc.runs("run", "--batch", "5") as victim:
        waits(lambda: bool(room.outcomes()))
        victim.send_signal(signal.SIGKILL)
    passed = sum(room.outcomes().values())
    assert 0 < passed < len(records)
    assert room.ledger["reconciled"]

    assert pacc("run", "--until-end")["records"] == len(records) - passed
    assert room.ledger["reconciled"]

    quiet = make_engine(calm)
    upgrade(quiet)
    undisturbed = Room(quiet).plays(records, cuts=[700])
    assert room.digest == undisturbed.digest
    assert room.outcomes() == undisturbed.outcomes()
    quiet.dispose()
    engine.dispose()


def test_sigterm_finishes_the_batch_and_leaves_within_five_seconds(
    kafka_address: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic = make_topic(1)
    send(kafka_address, topic, Stream().says(CAR, "dtc:P0A80").records)
    url = f"sqlite:///{tmp_path / 'pacc.db'}"
    engine = make_engine(url)
    upgrade(engine)
    room, pacc = Room(engine), pacc_on(url, kafka_address, topic)
    with pacc.runs("run", "--json", stdout=subprocess.PIPE) as worker:
        waits(lambda: bool(room.outcomes()))
        asked = time.monotonic()
        worker.terminate()
        out, _ = worker.communicate(timeout=20)
    assert time.monotonic() - asked < 5
    assert worker.returncode == 0
    assert json.loads(out)["records"] == 1
    engine.dispose()
