"""Kafka clients that leave nothing behind where no broker answers."""

from typing import Any, TypeVar

from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from ingest.kafka.headers import read_any_name
from models.errors import Unreachable

Client = TypeVar("Client", KafkaConsumer, KafkaProducer)


def make_client(kind: type[Client], **config: Any) -> Client:
    """Make a consumer or a producer; if that fails, close what kafka-python leaves running.

    A caller that retries through an outage would otherwise gather spinning threads. Raises
    `KafkaError` as the library does.
    """
    clients: list[Any] = []

    def recorded_client(**options: Any) -> Any:
        clients.append(kind.DEFAULT_CONFIG["kafka_client"](**options))
        return clients[-1]

    try:
        return kind(kafka_client=recorded_client, **config)
    except KafkaError:
        for network_client in clients:
            network_client.close()
        raise


def consumer_of(bootstrap: str, **more: Any) -> KafkaConsumer:
    """Make a consumer that returns raw bytes and never decides about offsets by itself.

    Raises `Unreachable` where no broker answers within seconds.
    """
    read_any_name()
    try:
        return make_client(
            KafkaConsumer,
            bootstrap_servers=bootstrap.split(","),
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=8 * 1024 * 1024,
            metrics_enabled=False,
            bootstrap_timeout_ms=5_000,
            allow_auto_create_topics=False,
            **more,
        )
    except KafkaError as error:
        raise Unreachable(f"Kafka at {bootstrap} cannot be reached: {error}") from error
