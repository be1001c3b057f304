"""Kafka without a group: reads on from any offsets, and keeps only what a test on the bytes wants.

Its offsets are stored nowhere: reading ahead of the pipeline takes nothing away from it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kafka import TopicPartition
from kafka.errors import KafkaError

from ingest.kafka.client import consumer_of
from ingest.kafka.consumer import record_of
from ingest.kafka.offsets import spans_of
from models.batch import Extent, Partition, Record
from models.errors import Unreachable
from models.words import Feed

_CLOSE_MS: Final = 4_000
# Whether a record is worth making one: its topic, its bytes, its headers.
Wanted = Callable[[str, bytes | None, Sequence[tuple[str, bytes | None]]], bool]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one read brought: the wanted records, and how many were passed in all."""

    records: list[Record]
    passed: int


class KafkaAhead:
    """Reads some partitions, each from where it was sent to. All calls may raise `Unreachable`."""

    def __init__(self, bootstrap: str, wanted: Wanted) -> None:
        self._bootstrap = bootstrap
        self._wanted = wanted
        self._consumer = consumer_of(bootstrap, group_id=None)
        self._next: dict[Partition, int] = {}

    @property
    def places(self) -> Mapping[Partition, int]:
        """Return the next offset of each partition that is read."""
        return dict(self._next)

    def spans(self, topics: Iterable[str]) -> dict[Partition, Extent]:
        """Return where the partitions of topics begin and end."""
        try:
            return spans_of(self._consumer, topics)
        except KafkaError as error:
            raise self._unreachable(error) from error

    def go(self, places: Mapping[Partition, int]) -> None:
        """Read these partitions from these offsets, and no others."""
        if dict(places) == self._next:
            return
        self._next = dict(places)
        self._consumer.assign([_topic_partition(partition) for partition in sorted(places)])
        for partition, offset in places.items():
            self._consumer.seek(_topic_partition(partition), offset)

    def read(self, limit: int, wait_ms: int) -> Reading:
        """Return the wanted of the next `limit` records; wait for the first up to `wait_ms`."""
        if not self._next:
            return Reading([], 0)
        try:
            polled = self._consumer.poll(timeout_ms=wait_ms, max_records=limit)
        except KafkaError as error:
            raise self._unreachable(error) from error
        records, passed = [], 0
        for part, messages in polled.items():
            passed += len(messages)
            self._next[Partition(Feed.KAFKA, part.topic, part.partition)] = messages[-1].offset + 1
            records += [
                record_of(Feed.KAFKA, message)
                for message in messages
                if self._wanted(part.topic, message.value, message.headers)
            ]
        return Reading(records, passed)

    def close(self) -> None:
        """Let the connections go."""
        self._consumer.close(autocommit=False, timeout_ms=_CLOSE_MS)

    def _unreachable(self, error: KafkaError) -> Unreachable:
        return Unreachable(f"Kafka at {self._bootstrap} does not answer: {error}")


def _topic_partition(partition: Partition) -> TopicPartition:
    return TopicPartition(partition.topic, partition.number)
