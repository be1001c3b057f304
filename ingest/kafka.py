"""Kafka: the group that the pipeline reads with, and reading a range for a recording."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, OffsetOutOfRangeError
from kafka.structs import OffsetAndMetadata

from ingest.client import consumer_of
from models.batch import Partition, Record
from models.errors import OffsetLost, Unreachable, Unusable
from models.words import Feed

_CALL_MS: Final = 15_000
_COMMIT_MS: Final = 3_000
_CLOSE_MS: Final = 4_000
_log = logging.getLogger(__name__)


class KafkaSource:
    """A member of a consumer group whose positions are the database's, never Kafka's."""

    def __init__(
        self,
        bootstrap: str,
        group_id: str,
        topics: Sequence[str],
        *,
        take: Callable[[Partition, int | None], int],
        accept_gaps: bool = False,
        poll_ms: int = 500,
        session_timeout_ms: int = 10_000,
    ) -> None:
        self._take = take
        self._accept_gaps = accept_gaps
        self._poll_ms = poll_ms
        self._adopted = _Assignment()
        self._ends: dict[TopicPartition, int] = {}
        self._consumer = consumer_of(
            bootstrap,
            group_id=group_id,
            session_timeout_ms=session_timeout_ms,
            heartbeat_interval_ms=session_timeout_ms // 4,
        )
        self._adopted.consumer = self._consumer
        self._require(topics)
        self._consumer.subscribe(topics=sorted(topics), listener=self._adopted)

    def poll(self, limit: int) -> list[Record]:
        """Give the next records; adopt partitions that were assigned meanwhile."""
        try:
            self._finish_joining()
            polled = self._consumer.poll(timeout_ms=self._poll_ms, max_records=limit)
            self._adopt()
        except OffsetOutOfRangeError as error:
            raise OffsetLost(f"The topic no longer holds our position: {error}. {_TOLD}") from error
        except KafkaError as error:
            raise Unreachable(f"Kafka does not answer: {error}") from error
        return [
            record_of(Feed.KAFKA, message) for messages in polled.values() for message in messages
        ]

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Tell Kafka where we are, so that lag tools work; a failure is only logged."""
        mine = self._consumer.assignment()
        offsets = {
            TopicPartition(one.topic, one.number): OffsetAndMetadata(offset, "", -1)
            for one, offset in positions.items()
            if TopicPartition(one.topic, one.number) in mine
        }
        try:
            self._consumer.commit(offsets, timeout_ms=_COMMIT_MS)
        except KafkaError as error:
            _log.warning("offsets not told to Kafka: %s", error)

    def is_at_end(self) -> bool:
        """Whether every assigned partition is where its end was when we got it."""
        return bool(self._ends) and all(
            self._consumer.position(one, timeout_ms=_CALL_MS) >= end
            for one, end in self._ends.items()
        )

    def lag(self, positions: Mapping[Partition, int]) -> Mapping[Partition, int]:
        """Count the records from our position to the newest known end of each partition of ours."""
        lags = {}
        for one in self._consumer.assignment():
            partition = Partition(Feed.KAFKA, one.topic, one.partition)
            end = self._consumer.highwater(one)
            if end is not None and partition in positions:
                lags[partition] = max(0, end - positions[partition])
        return lags

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close(autocommit=False, timeout_ms=_CLOSE_MS)

    def _finish_joining(self) -> None:
        """Go on with a join that the last poll did not wait for.

        kafka-python 3.0 forgets one that changed metadata began and that ended between two polls:
        no heartbeat, no assignment told, nothing read. Seen under load; found by the watchdog.
        """
        coordinator = self._consumer._coordinator
        if coordinator.rejoining:
            coordinator.request_rejoin()

    def _require(self, topics: Iterable[str]) -> None:
        """Refuse to wait for ever on a topic that is not there."""
        there = self._consumer.topics()
        gone = sorted(set(topics) - set(there))
        if gone:
            self.close()
            raise Unreachable(
                f"Kafka has no topic {', '.join(gone)}. Create it, or name another in PACC_TOPICS."
            )

    def _adopt(self) -> None:
        """Go to the stored position of each new partition, and check that the topic holds it."""
        fresh = self._adopted.fresh()
        if not fresh:
            return
        first = self._consumer.beginning_offsets(fresh, timeout_ms=_CALL_MS)
        ends = self._consumer.end_offsets(fresh, timeout_ms=_CALL_MS)
        for one in sorted(fresh):
            start = self._take(Partition(Feed.KAFKA, one.topic, one.partition), first[one])
            if not first[one] <= start <= ends[one]:
                start = self._lost(one, start, first[one], ends[one])
            self._consumer.seek(one, start)
            self._consumer.resume(one)
        self._ends = {one: end for one, end in self._ends.items()
                      if one in self._consumer.assignment()}  # fmt: skip
        self._ends.update({one: ends[one] for one in fresh})

    def _lost(self, one: TopicPartition, position: int, first: int, end: int) -> int:
        if self._accept_gaps and position < first:
            _log.warning("gap accepted: %s from %s to %s", one, position, first)
            return first
        raise OffsetLost(
            f"{one.topic}/{one.partition} holds offsets {first} to {end}, our position is "
            f"{position}: records were lost upstream. {_TOLD}",
        )


_TOLD: Final = "Find out why; `pacc run --accept-gaps` goes on and records the gap."


class _Assignment(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes new partitions on the library's thread and holds them until they are adopted."""

    consumer: KafkaConsumer | None = None

    def __init__(self) -> None:
        self._fresh: set[TopicPartition] = set()

    def fresh(self) -> list[TopicPartition]:
        """Give the partitions that wait to be adopted, once."""
        given, self._fresh = self._fresh, set()
        return sorted(given)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Forget what is no longer ours."""
        self._fresh -= set(revoked)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Hold the partitions: nothing is fetched before their stored position is known."""
        if self.consumer is None:
            return
        for one in assigned:
            self.consumer.seek(one, 0)
            self.consumer.pause(one)
            self._fresh.add(one)


def topics_at(bootstrap: str) -> set[str]:
    """Name the topics of a broker."""
    consumer = consumer_of(bootstrap, group_id=None)
    try:
        return set(consumer.topics())
    except KafkaError as error:
        raise Unreachable(f"Kafka at {bootstrap} does not answer: {error}") from error
    finally:
        consumer.close(autocommit=False, timeout_ms=_CLOSE_MS)


def record_range(bootstrap: str, topic: str, start: str, stop: str) -> Iterator[Record]:
    """Read a topic from `start` to `stop` without a group, up to the ends seen at the start.

    Both are `beginning`, `end`, an offset (of every partition), or an RFC 3339 time.
    """
    consumer = consumer_of(bootstrap, group_id=None)
    try:
        numbers = consumer.partitions_for_topic(topic)
        if not numbers:
            raise Unusable(f"There is no topic {topic}.")
        parts = [TopicPartition(topic, number) for number in sorted(numbers)]
        consumer.assign(parts)
        firsts = consumer.beginning_offsets(parts, timeout_ms=_CALL_MS)
        ends = consumer.end_offsets(parts, timeout_ms=_CALL_MS)
        for one in parts:
            begin = max(_offset(consumer, one, start, firsts, ends), firsts[one])
            until = min(_offset(consumer, one, stop, firsts, ends), ends[one])
            yield from _read(consumer, one, begin, until)
    finally:
        consumer.close(autocommit=False, timeout_ms=_CLOSE_MS)


def _read(consumer: KafkaConsumer, one: TopicPartition, begin: int, until: int) -> Iterator[Record]:
    consumer.assign([one])
    consumer.seek(one, begin)
    while consumer.position(one, timeout_ms=_CALL_MS) < until:
        for messages in consumer.poll(timeout_ms=1000, max_records=2000).values():
            for message in messages:
                if message.offset < until:
                    yield record_of(Feed.TAPE, message)


def _offset(
    consumer: KafkaConsumer,
    one: TopicPartition,
    spoken: str,
    firsts: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> int:
    if spoken == "beginning":
        return firsts[one]
    if spoken == "end":
        return ends[one]
    if spoken.isdigit():
        return int(spoken)
    try:
        at = datetime.fromisoformat(spoken)
    except ValueError as error:
        message = f"{spoken!r} is neither beginning, end, an offset nor an RFC 3339 time."
        raise Unusable(message) from error
    found = consumer.offsets_for_times({one: int(at.timestamp() * 1000)}, timeout_ms=_CALL_MS)
    return found[one].offset if found.get(one) else ends[one]


def record_of(feed: Feed, message: Any) -> Record:
    """Take a message of the library as a record of a feed."""
    return Record(
        partition=Partition(feed, message.topic, message.partition),
        offset=message.offset,
        timestamp=message.timestamp,
        key=message.key,
        value=message.value,
        headers=tuple((name, value or b"") for name, value in message.headers or ()),
    )
