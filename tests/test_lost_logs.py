"""Another log under the same name: a topic that was made anew, a log that lost its end."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import gettempdir
from types import SimpleNamespace
from uuid import UUID

import pytest
import sqlalchemy as sa
from kafka import KafkaAdminClient, TopicPartition

from ingest.ends import ends_of, topic_id
from ingest.kafka import KafkaSource
from models import tables as t
from models.batch import Record
from models.errors import OffsetLost
from pacc.limits import Limits
from pacc.pipeline import Tally, run
from pacc.reconcile.look import Scope, reconcile
from pacc.worker import Worker
from tests.servers.kafka import new_topic, own_kafka
from tests.servers.processes import Server
from tests.test_kafka import send
from tests.worlds import CAR, OTHER, START, Room, Stream, policy

pytestmark = pytest.mark.kafka
MakeTopic = Callable[[int], str]


def reports(car: str, first: int, end: int) -> list[Record]:
    """Give the alerts `first` to `end` - 1 of a stream, all of one car."""
    stream = Stream()
    for number in range(end):
        stream.says(car, "dtc:P0A80", number)
    return stream.records[first:]


class Reader:
    """One pipeline on one topic, started anew for each run."""

    def __init__(self, engine: sa.Engine, address: str, topic: str) -> None:
        self.engine, self._address, self._topic = engine, address, topic

    def worker(self) -> Worker:
        """Start one."""
        return Worker(self.engine, policy(), {self._topic: "cloudevents"}, "test", Limits())

    def source(self, worker: Worker, *, accept_gaps: bool = False) -> KafkaSource:
        """Join the group."""
        return KafkaSource(
            self._address, f"group {self._topic}", [self._topic], take=worker.take,
            accept_gaps=accept_gaps, poll_ms=500, session_timeout_ms=6000,
        )  # fmt: skip

    def runs(self, *, accept_gaps: bool = False) -> Tally:
        """Work to the end of the topic."""
        worker = self.worker()
        return run(
            worker, lambda: self.source(worker, accept_gaps=accept_gaps), Limits(),
            until_end=True, is_stopped=lambda: False,
        )  # fmt: skip

    def findings(self) -> list[str]:
        """What `pacc reconcile` finds in Kafka and the database."""
        scope = Scope((self._topic,), unsent_after=None)
        told = reconcile(self.engine, lambda topics: ends_of(self._address, topics), scope, START)
        return [one["what"] for one in told["findings"]]


def works_to(end: int, worker: Worker, source: KafkaSource) -> None:
    """Poll and decide for half a minute, or until a position has come that far."""
    for _ in range(60):
        if max(worker.positions().values(), default=0) >= end:
            return
        records = source.poll(100)
        if records:
            worker.process(records)


def made_anew(address: str, topic: str) -> None:
    """Delete a topic and make one of the same name."""
    admin = KafkaAdminClient(bootstrap_servers=address)
    admin.delete_topics([topic])
    while topic in admin.list_topics():
        pass
    admin.create_topics(
        {topic: {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True
    )
    admin.close()


def test_a_topic_that_was_made_anew_is_not_read_on_from_its_middle(
    kafka_address: str, make_topic: MakeTopic, engine: sa.Engine
) -> None:
    topic = make_topic(1)
    reader = Reader(engine, kafka_address, topic)
    send(kafka_address, topic, reports(CAR, 0, 3))
    assert reader.runs().records == 3
    with engine.begin() as connection:  # a place of the older schema, which learns its topic
        connection.execute(sa.update(t.position).values(topic_id=None))
    assert reader.runs().records == 0
    made_anew(kafka_address, topic)
    send(kafka_address, topic, reports(OTHER, 3, 8))
    assert reader.findings() == ["made_anew"]
    with pytest.raises(
        OffsetLost, match="made anew: our position 3 in partition 0 is one of the old"
    ):
        reader.runs()
    assert reader.runs(accept_gaps=True).outcomes == {"opened": 1, "repeated": 4}
    assert reader.findings() == []
    assert Room(engine).ledger["reconciled"]


def test_another_bad_record_at_the_same_offset_is_kept_too(
    kafka_address: str, make_topic: MakeTopic, engine: sa.Engine
) -> None:
    topic = make_topic(1)
    reader = Reader(engine, kafka_address, topic)
    send(kafka_address, topic, Stream().raw(b"the old").records)
    reader.runs()
    made_anew(kafka_address, topic)
    send(kafka_address, topic, Stream().raw(b"the new", 1).records)
    reader.runs(accept_gaps=True)
    assert {row["value"] for row in Room(engine).rows(t.quarantine)} == {b"the old", b"the new"}


def test_a_topic_that_is_made_anew_under_a_worker_is_found(
    kafka_address: str, make_topic: MakeTopic, engine: sa.Engine
) -> None:
    topic = make_topic(1)
    reader = Reader(engine, kafka_address, topic)
    send(kafka_address, topic, reports(CAR, 0, 3))
    worker = reader.worker()
    with closing(reader.source(worker)) as source:
        works_to(3, worker, source)
        made_anew(kafka_address, topic)
        send(kafka_address, topic, reports(OTHER, 3, 8))
        source._consumer._cluster.request_update()  # as the client does each minute
        with pytest.raises(OffsetLost, match="made anew"):
            works_to(99, worker, source)
    reader.runs(accept_gaps=True)
    assert len(Room(engine).rows(t.alert)) == 8
    assert Room(engine).ledger["reconciled"]


@pytest.mark.parametrize("found", [None, UUID(int=0)])
def test_a_topic_that_is_not_there_just_now_is_no_other_topic(found: UUID | None) -> None:
    consumer = SimpleNamespace(_cluster=SimpleNamespace(topic_id=lambda _topic: found))
    assert topic_id(consumer, "pacc.alerts") is None


@pytest.fixture
def broker() -> Iterator[Server]:
    """A broker of our own, which may be ended."""
    with own_kafka() as server:
        yield server


def cut(broker: Server, topic: str, size: int) -> None:
    """Let the power fail: the log's last records had not reached the disk."""
    broker.end()
    (log,) = Path(gettempdir()).glob(f"pacc-kafka-*/logs/{topic}-0/*.log")
    with log.open("r+b") as file:
        file.truncate(size)
    broker.start()


def size_of(topic: str) -> int:
    """The bytes of a log."""
    (log,) = Path(gettempdir()).glob(f"pacc-kafka-*/logs/{topic}-0/*.log")
    return log.stat().st_size


def test_a_log_that_lost_its_end_is_not_read_on_behind_it(
    broker: Server, engine: sa.Engine
) -> None:
    topic = new_topic(broker.address, 1)
    reader = Reader(engine, broker.address, topic)
    send(broker.address, topic, reports(CAR, 0, 2))
    size = size_of(topic)
    send(broker.address, topic, reports(CAR, 2, 5))
    worker = reader.worker()
    with closing(reader.source(worker)) as source:
        works_to(5, worker, source)
        cut(broker, topic, size)
        send(broker.address, topic, reports(OTHER, 5, 8))  # as many as were lost
        told = "was cut at 2, and we had read to 5"
        with pytest.raises(OffsetLost, match=told):
            works_to(99, worker, source)
    with pytest.raises(OffsetLost, match=told):
        reader.runs()
    assert max(worker.positions().values()) == 5  # nothing was read behind the cut
    assert reader.runs(accept_gaps=True).outcomes == {"opened": 1, "repeated": 2}
    assert reader.runs().records == 0
    assert reader.findings() == []
    assert Room(engine).ledger["reconciled"]
    cut(broker, topic, size)  # and nothing stands in their place
    assert reader.findings() == ["beyond_end"]
    with pytest.raises(OffsetLost, match=told):
        reader.runs()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_quiet_topic_whose_records_have_all_expired_has_lost_nothing(
    broker: Server, engine: sa.Engine
) -> None:
    topic = new_topic(broker.address, 1)
    reader = Reader(engine, broker.address, topic)
    send(broker.address, topic, reports(CAR, 0, 3))
    assert reader.runs().records == 3
    admin = KafkaAdminClient(bootstrap_servers=broker.address)
    admin.delete_records({TopicPartition(topic, 0): 3})
    admin.close()
    assert reader.runs().records == 0
    for number in (3, 4):  # under another leader, and under one more
        broker.end()
        broker.start()
        assert reader.runs().records == 0
        send(broker.address, topic, reports(CAR, number, number + 1))
        assert reader.runs().records == 1
    assert reader.findings() == []
