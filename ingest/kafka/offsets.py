"""Where the partitions of topics begin and end, asked of the brokers by a client of its own."""

from collections.abc import Iterable
from typing import Final

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from ingest.kafka.client import consumer_of
from models.batch import Extent, Partition
from models.errors import Unreachable
from models.words import Feed

_CALL_MS: Final = 5_000


def ends_of(bootstrap: str, topics: Iterable[str]) -> dict[Partition, Extent]:
    """Return the offsets that every partition of the topics holds; a topic that is gone has none.

    Raises `Unreachable` where the brokers do not answer within seconds.
    """
    consumer = consumer_of(bootstrap, group_id=None)
    try:
        return spans_of(consumer, topics)
    except KafkaError as error:
        raise Unreachable(f"Kafka at {bootstrap} does not answer: {error}") from error
    finally:
        consumer.close(autocommit=False, timeout_ms=_CALL_MS)


def spans_of(consumer: KafkaConsumer, topics: Iterable[str]) -> dict[Partition, Extent]:
    """Return the same through an open client. Raises `KafkaError`."""
    there = sorted(set(topics) & set(consumer.topics()))
    parts = [
        TopicPartition(topic, number)
        for topic in there
        for number in sorted(consumer.partitions_for_topic(topic) or ())
    ]
    firsts = consumer.beginning_offsets(parts, timeout_ms=_CALL_MS)
    ends = consumer.end_offsets(parts, timeout_ms=_CALL_MS)
    return {
        Partition(Feed.KAFKA, part.topic, part.partition): Extent(
            firsts[part], ends[part], topic_id(consumer, part.topic)
        )
        for part in parts
    }


def topic_id(consumer: KafkaConsumer, topic: str) -> str | None:
    """Return Kafka's id of a topic; None where it is not known.

    Brokers before 2.8 have none, and for a topic that is not there just now it is 0.
    """
    uuid = consumer._cluster.topic_id(topic)
    return str(uuid) if uuid is not None and uuid.int else None
