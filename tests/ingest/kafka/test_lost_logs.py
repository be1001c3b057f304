"""Another log under the same name: a topic that was made anew, a log that lost its end."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import gettempdir
from types import SimpleNamespace
from uuid import UUID

import pytest
import sqlalchemy as sa
from kafka import KafkaAdminClient, TopicPartition

from ingest.kafka.consumer import KafkaSource
from ingest.kafka.offsets import ends_of, topic_id
from models import tables as t
from models.errors import OffsetLost
from pacc.pipeline.limits import Limits
from pacc.pipeline.loop import Tally, run
from pacc.pipeline.worker import Worker
from pacc.reconcile.reconcile import Scope, reconcile
from tests.servers.kafka import new_topic, own_kafka, send
from tests.servers.processes import Server
from tests.support.commands import waits
from tests.worlds import CAR, OTHER, START, Room, Stream, policy

pytestmark = pytest.mark.kafka


class Reader:
    """One pipeline on one topic, started anew for each run."""

    def __init__(self, engine: sa.Engine, address: str) -> None:
        self.engine, self.address = engine, address
        self.topic = new_topic(address, 1)

    def sends(self, car: str, first: int, end: int) -> None:
        """Send the alerts `first` to `end` - 1 of a stream, all of one car."""
        stream = Stream()
        for number in range(end):
            stream.says(car, "dtc:P0A80", number)
        send(self.address, self.topic, stream.records[first:])

    def worker(self) -> Worker:
        """Start one."""
        return Worker(self.engine, policy(), {self.topic: "cloudevents"}, "test", Limits())

    def source(self, worker: Worker, *, accept_gaps: bool = False) -> KafkaSource:
        """Join the group."""
        return KafkaSource(
            self.address,
            f"group {self.topic}",
            [self.topic],
            take=worker.take,
            accept_gaps=accept_gaps,
            poll_ms=500,
            session_timeout_ms=6000,
        )

    def runs(self, *, accept_gaps: bool = False) -> Tally:
        """Work to the end of the topic."""
        worker = self.worker()
        return run(
            worker,
            lambda: self.source(worker, accept_gaps=accept_gaps),
            Limits(),
            until_end=True,
            is_stopped=lambda: False,
        )

    def findings(self) -> list[str]:
        """What `pacc reconcile` finds in Kafka and the database."""
        scope = Scope((self.topic,), unsent_after=None)
        report = reconcile(self.engine, lambda topics: ends_of(self.address, topics), scope, START)
        return [finding["what"] for finding in report["findings"]]


@pytest.fixture
def reader(kafka_address: str, engine: sa.Engine) -> Reader:
    """A pipeline on a topic of this test's own."""
    return Reader(engine, kafka_address)


def works_to(end: int, worker: Worker, source: KafkaSource) -> None:
    """Poll and decide until a position has come that far, for half a minute at most."""
    for _ in range(60):
        if max(worker.positions().values(), default=0) >= end:
            return
        records = source.poll(100)
        if records:
            worker.process(records)
    raise AssertionError(f"{worker.positions()} and no further")


def made_anew(address: str, topic: str) -> None:
    """Delete a topic and make one of the same name."""
    with closing(KafkaAdminClient(bootstrap_servers=address)) as admin:
        admin.delete_topics([topic])
        waits(lambda: topic not in admin.list_topics(), 20)
        admin.create_topics(
            {topic: {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True
        )


def test_a_topic_that_was_made_anew_is_not_read_on_from_its_middle(reader: Reader) -> None:
    reader.sends(CAR, 0, 3)
    assert reader.runs().records == 3
    with reader.engine.begin() as connection:  # a place of the older schema, which learns its topic
        connection.execute(sa.update(t.position).values(topic_id=None))
    assert reader.runs().records == 0
    made_anew(reader.address, reader.topic)
    reader.sends(OTHER, 3, 8)
    assert reader.findings() == ["made_anew"]
    reason = "made anew: our position 3 in partition 0 is one of the old"
    with pytest.raises(OffsetLost, match=reason):
        reader.runs()
    assert reader.runs(accept_gaps=True).outcomes == {"opened": 1, "repeated": 4}
    assert reader.findings() == []
    assert Room(reader.engine).ledger["reconciled"]


def test_another_bad_record_at_the_same_offset_is_kept_too(reader: Reader) -> None:
    send(reader.address, reader.topic, Stream().raw(b"the old").records)
    reader.runs()
    made_anew(reader.address, reader.topic)
    send(reader.address, reader.topic, Stream().raw(b"the new", 1).records)
    reader.runs(accept_gaps=True)
    quarantined = Room(reader.engine).rows(t.quarantine)
    assert {row["value"] for row in quarantined} == {b"the old", b"the new"}


@pytest.mark.parametrize("accept_gaps", [False, True])
def test_a_topic_that_is_made_anew_under_a_worker_is_found(
    reader: Reader, *, accept_gaps: bool
) -> None:
    reader.sends(CAR, 0, 3)
    worker = reader.worker()
    with closing(reader.source(worker, accept_gaps=accept_gaps)) as source:
        works_to(3, worker, source)
        made_anew(reader.address, reader.topic)
        reader.sends(OTHER, 3, 8)
        assert source._consumer.config["metadata_max_age_ms"] <= 60_000
        source._consumer._cluster.request_update()  # as the client does each minute
        if accept_gaps:
            waits(lambda: alerts_after_a_poll(reader, worker, source) == 8, 30)
        else:
            with pytest.raises(OffsetLost, match="made anew"):
                works_to(99, worker, source)
    if not accept_gaps:  # the first member has left by now
        reader.runs(accept_gaps=True)
    room = Room(reader.engine)
    assert len(room.rows(t.alert)) == 8
    assert "gap" not in room.outcomes()
    assert room.ledger["reconciled"]


def alerts_after_a_poll(reader: Reader, worker: Worker, source: KafkaSource) -> int:
    """Poll and decide once; count the alerts that are filed."""
    records = source.poll(100)
    if records:
        worker.process(records)
    return len(Room(reader.engine).rows(t.alert))


@pytest.mark.parametrize("answer", [None, UUID(int=0)])
def test_a_topic_that_is_not_there_just_now_is_no_other_topic(answer: UUID | None) -> None:
    consumer = SimpleNamespace(_cluster=SimpleNamespace(topic_id=lambda _topic: answer))
    assert topic_id(consumer, "pacc.alerts") is None


@pytest.fixture
def broker() -> Iterator[Server]:
    """A broker of our own, which may be ended."""
    with own_kafka() as server:
        yield server


def log_of(topic: str) -> Path:
    """Find the log of a topic's partition on the broker's disk."""
    (log,) = Path(gettempdir()).glob(f"pacc-kafka-*/logs/{topic}-0/*.log")
    return log


def cut(broker: Server, topic: str, size: int) -> None:
    """Let the power fail: the log's last records had not reached the disk."""
    broker.end()
    with log_of(topic).open("r+b") as file:
        file.truncate(size)
    broker.start()


def test_a_log_that_lost_its_end_is_not_read_on_behind_it(
    broker: Server, engine: sa.Engine
) -> None:
    reader = Reader(engine, broker.address)
    reader.sends(CAR, 0, 2)
    size = log_of(reader.topic).stat().st_size
    reader.sends(CAR, 2, 5)
    worker = reader.worker()
    with closing(reader.source(worker)) as source:
        works_to(5, worker, source)
        cut(broker, reader.topic, size)
        reader.sends(OTHER, 5, 8)  # as many as were lost
        reason = "was cut at 2, and we had read to 5"
        with pytest.raises(OffsetLost, match=reason):
            works_to(99, worker, source)
    with pytest.raises(OffsetLost, match=reason):
        reader.runs()
    assert max(worker.positions().values()) == 5  # nothing was read behind the cut
    assert reader.runs(accept_gaps=True).outcomes == {"opened": 1, "repeated": 2}
    assert reader.runs().records == 0
    assert reader.findings() == []
    assert Room(engine).ledger["reconciled"]
    cut(broker, reader.topic, size)  # and nothing stands in their place
    assert reader.findings() == ["beyond_end"]
    with pytest.raises(OffsetLost, match=reason):
        reader.runs()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_quiet_topic_whose_records_have_all_expired_has_lost_nothing(
    broker: Server, engine: sa.Engine
) -> None:
    reader = Reader(engine, broker.address)
    reader.sends(CAR, 0, 3)
    assert reader.runs().records == 3
    with closing(KafkaAdminClient(bootstrap_servers=broker.address)) as admin:
        admin.delete_records({TopicPartition(reader.topic, 0): 3})
    assert reader.runs().records == 0
    for number in (3, 4):  # under another leader, and under one more
        broker.end()
        broker.start()
        assert reader.runs().records == 0
        reader.sends(CAR, number, number + 1)
        assert reader.runs().records == 1
    assert reader.findings() == []
