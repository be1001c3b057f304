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
