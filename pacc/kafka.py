"""Connects to the Kafka of the settings."""

from collections.abc import Callable

from ingest.kafka import KafkaSender, KafkaSource
from ingest.source import Source
from models.batch import Partition
from pacc.settings import Settings


def make_sender(settings: Settings) -> KafkaSender:
    """Connect to Kafka to send."""
    return KafkaSender(settings.kafka_bootstrap_servers)


def make_kafka_source(
    settings: Settings, take: Callable[[Partition, int | None], int], *, accept_gaps: bool
) -> Source:
    """Join the group on the settings' topics."""
    return KafkaSource(
        settings.kafka_bootstrap_servers,
        settings.group_id,
        sorted(settings.topics),
        take=take,
        accept_gaps=accept_gaps,
    )
