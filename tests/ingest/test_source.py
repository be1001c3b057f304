"""The contract of a source, on both of them: tapes, and a group on a real Kafka."""

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pytest
from kafka.errors import KafkaTimeoutError

from ingest.kafka.consumer import KafkaSource
from ingest.kafka.producer import KafkaSender
from ingest.source import Source, StreamPosition, Take
from ingest.tape import TapeSource, write_tape
from models.batch import Message, Partition, Record
from tests.support.commands import waits
from tests.worlds import CAR, OTHER, Stream


class Open(Protocol):
    """Opens the same recorded stream anew."""

    def __call__(self, take: Take) -> Source: ...


def stream() -> list[Record]:
    """Eleven records, among them a null value and bytes that are no text."""
    stream = Stream()
    for number in range(8):
        stream.says((CAR, OTHER)[number % 2], "dtc:P0A80", number)
    return stream.raw(None, 8, key=b"k").raw(b"\xff\x00", 9).raw(b"", 10).records


@pytest.fixture(params=["tape", pytest.param("kafka", marks=pytest.mark.kafka)])
def open_source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """The stream on a tape, and on a topic of one partition."""
    if request.param == "tape":
        tape = tmp_path / "tape.jsonl"
        write_tape(stream(), tape)
        yield lambda take: TapeSource([tape], take=take)
        return
    address: str = request.getfixturevalue("kafka_address")
    topic: str = request.getfixturevalue("make_topic")(1)
    with closing(KafkaSender(address)) as sender:
        sender.send([Message(topic, r.key, r.value, r.headers, r.timestamp) for r in stream()])
    yield lambda take: KafkaSource(
        address, f"group {uuid.uuid4()}", [topic], take=take, poll_ms=200
    )


@pytest.mark.kafka
def test_a_sender_lets_go_while_the_brokers_do_not_answer(
    kafka_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = KafkaSender(kafka_address)

    def unanswered(timeout: float) -> None:
        raise KafkaTimeoutError(f"waited {timeout} s for what is under way")

    monkeypatch.setattr(sender._producer, "flush", unanswered)
    sender.close()
    waits(lambda: not sender._producer._sender.is_alive(), 20)


class Positions:
    """Positions as the database would keep them."""

    def __init__(self, start: int | None = None) -> None:
        self.at: dict[Partition, int] = {}
        self._start = start

    def take(
        self, partition: Partition, start: int | None, topic_id: str | None = None, **_: bool
    ) -> StreamPosition:
        """Take a partition over."""
        self.at[partition] = (start or 0) if self._start is None else self._start
        return StreamPosition(self.at[partition], 1, topic_id)


def read_all(source: Source, limit: int) -> list[list[Record]]:
    """Poll until the end; the batches that were not empty."""
    batches: list[list[Record]] = []
    until = time.monotonic() + 60
    while time.monotonic() < until:
        batch = source.poll(limit)
        if batch:
            batches.append(list(batch))
        if source.is_at_end() and not batch:
            return batches
    raise AssertionError("the end never came")


def plain(records: Sequence[Record]) -> list[tuple[object, ...]]:
    """Records without where they were read from."""
    return [(r.offset, r.timestamp, r.key, r.value, r.headers) for r in records]


def test_every_record_comes_once_in_order_and_untouched(open_source: Open) -> None:
    with closing(open_source(Positions().take)) as source:
        read = [record for batch in read_all(source, 100) for record in batch]
    assert plain(read) == plain(stream())


def test_a_poll_never_gives_more_than_was_asked_for(open_source: Open) -> None:
    with closing(open_source(Positions().take)) as source:
        batches = read_all(source, 3)
    assert max(map(len, batches)) <= 3
    assert sum(map(len, batches)) == 11


def test_a_partition_is_taken_before_its_first_record(open_source: Open) -> None:
    positions = Positions()
    with closing(open_source(positions.take)) as source:
        assert not source.is_at_end()
        for batch in read_all(source, 4):
            assert {record.partition for record in batch} <= set(positions.at)


def test_committing_and_asking_for_the_lag_disturb_nothing(open_source: Open) -> None:
    positions = Positions()
    got = 0
    with closing(open_source(positions.take)) as source:
        while got < 11:
            batch = source.poll(5)
            got += len(batch)
            if batch:
                at = {batch[-1].partition: batch[-1].offset + 1}
                source.commit(at)
                lag: Mapping[Partition, int] = source.lag(at)
                assert set(lag.values()) <= {11 - got}
    assert got == 11


def test_what_was_not_committed_comes_again(open_source: Open) -> None:
    for _ in range(2):
        with closing(open_source(Positions().take)) as source:
            assert sum(map(len, read_all(source, 4))) == 11
