"""Messages to Kafka."""

from collections.abc import Sequence
from typing import Final

from kafka import KafkaProducer
from kafka.errors import KafkaError

from ingest.kafka.client import make_client
from models.batch import Message
from models.errors import Unreachable

_CALL_MS: Final = 15_000
_CLOSE_MS: Final = 4_000


class KafkaSender:
    """Sends messages; returns only when the brokers have them all."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        try:
            self._producer = make_client(
                KafkaProducer,
                bootstrap_servers=bootstrap.split(","),
                acks="all",
                enable_idempotence=True,
                bootstrap_timeout_ms=5_000,
                max_block_ms=_CALL_MS,
                allow_auto_create_topics=False,
                # `send` flushes: nothing lingers, and what is sent together leaves together
                linger_ms=50,
                batch_size=256 * 1024,
                metrics_enabled=False,
            )
        except KafkaError as error:
            raise Unreachable(f"Kafka at {bootstrap} cannot be reached: {error}") from error

    def send(self, messages: Sequence[Message]) -> None:
        """Send in this order. Raises `Unreachable` if one message did not get through."""
        try:
            sent = [
                self._producer.send(
                    message.topic,
                    value=message.value,
                    key=message.key,
                    headers=list(message.headers),
                    timestamp_ms=message.timestamp,
                )
                for message in messages
            ]
            self._producer.flush(timeout=_CALL_MS / 1000)
            for future in sent:
                future.get(timeout=_CALL_MS / 1000)
        except KafkaError as error:
            raise Unreachable(
                f"Kafka at {self._bootstrap} does not take events: {error}"
            ) from error

    def close(self) -> None:
        """Close the connection, also while the brokers do not answer: `send` has raised that."""
        try:
            self._producer.close(timeout=_CLOSE_MS / 1000)
        except KafkaError:  # it waited for what is under way, gave up, and left its thread behind
            self._producer._sender.force_close()
