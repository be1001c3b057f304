"""Reading a range of a topic for a recording, without a group."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from kafka import KafkaConsumer, TopicPartition

from ingest.kafka.client import consumer_of
from ingest.kafka.consumer import record_of
from models.batch import Record
from models.errors import Unusable
from models.words import Feed

_CALL_MS: Final = 15_000
_CLOSE_MS: Final = 4_000


def record_range(bootstrap: str, topic: str, start: str, stop: str) -> Iterator[Record]:
    """Read a topic from `start` to `stop` without a group, up to the ends seen at the start.

    Both are `beginning`, `end`, an offset (of every partition), or an RFC 3339 time; `Unusable` is
    raised for anything else, and for a topic that is not there.
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
        for part in parts:
            begin = max(_offset(consumer, part, start, firsts, ends), firsts[part])
            until = min(_offset(consumer, part, stop, firsts, ends), ends[part])
            yield from _read(consumer, part, begin, until)
    finally:
        consumer.close(autocommit=False, timeout_ms=_CLOSE_MS)


def _read(
    consumer: KafkaConsumer, part: TopicPartition, begin: int, until: int
) -> Iterator[Record]:
    consumer.assign([part])
    consumer.seek(part, begin)
    while consumer.position(part, timeout_ms=_CALL_MS) < until:
        for messages in consumer.poll(timeout_ms=1000, max_records=2000).values():
            for message in messages:
                if message.offset < until:
                    yield record_of(Feed.TAPE, message)


def _offset(
    consumer: KafkaConsumer,
    part: TopicPartition,
    bound: str,
    firsts: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> int:
    if bound == "beginning":
        return firsts[part]
    if bound == "end":
        return ends[part]
    if bound.isdigit():
        return int(bound)
    try:
        at = datetime.fromisoformat(bound)
    except ValueError as error:
        message = f"{bound!r} is neither beginning, end, an offset nor an RFC 3339 time."
        raise Unusable(message) from error
    offsets = consumer.offsets_for_times({part: int(at.timestamp() * 1000)}, timeout_ms=_CALL_MS)
    return offsets[part].offset if offsets.get(part) else ends[part]
