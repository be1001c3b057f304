"""Kafka clients that leave nothing behind where no broker answers."""

from typing import Any, TypeVar

from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

Client = TypeVar("Client", KafkaConsumer, KafkaProducer)


def made(kind: type[Client], **config: Any) -> Client:
    """Make a consumer or a producer; if it fails, end its thread, which kafka-python leaves behind.

    Who tries again every few seconds through an outage would otherwise gather threads that spin.
    """
    begun: list[Any] = []

    def client(**given: Any) -> Any:
        begun.append(kind.DEFAULT_CONFIG["kafka_client"](**given))
        return begun[-1]

    try:
        return kind(kafka_client=client, **config)
    except KafkaError:
        for one in begun:
            one.close()
        raise
