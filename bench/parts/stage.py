"""What is measured on: a Kafka and a PostgreSQL of our own on loopback, and the streams."""

import json
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from kafka import KafkaConsumer, TopicPartition
from msgspec import Struct

from dispatch.data.master_data import import_desks, read_rows
from ingest.kafka.producer import KafkaSender
from models.batch import Message
from models.migrations import upgrade
from pacc.process.database import make_engine
from pacc.process.settings import Settings
from pacc.wiring import pipeline
from prioritizer.model.registry import CHAMPION, point
from tests.servers.kafka import new_topic, running_kafka
from tests.servers.postgres import running_postgres
from tests.worlds import SAMPLE_DESKS

PARTITIONS = 4
START = datetime(2026, 1, 15, tzinfo=UTC)
CODES = ("dtc:P0A7E", "dtc:B1342", "dtc:P0420", "dtc:C0083", "dtc:P0562")
_AT_ONCE = 5000


class Stage(Struct, frozen=True):
    """The addresses of the servers of a run."""

    kafka: str
    postgres: str


@contextmanager
def running() -> Iterator[Stage]:
    """Start both servers, and end them afterwards."""
    with running_kafka() as kafka, running_postgres() as postgres:
        yield Stage(kafka, postgres)


def steady(count: int) -> Iterator[Message]:
    """Return alerts whose faults repeat about ten times, never twice in one batch."""
    return (alert(number, number % max(1, count // 10)) for number in range(count))


def storm(count: int) -> Iterator[Message]:
    """Return alerts that are each of another vehicle."""
    return (alert(number, number) for number in range(count))


MIXES = {"steady": steady, "storm": storm}


def vin(car: int) -> str:
    """Return a car's VIN."""
    return f"LZZS1M0L{car:09d}"


def alert(number: int, car: int, at: datetime | None = None, severity: str = "limited") -> Message:
    """Return one canonical alert of about 320 bytes."""
    at = at or START + timedelta(milliseconds=10 * number)
    document = {
        "id": f"{number:012d}",
        "source": "urn:bench",
        "vin": vin(car),
        "observed_at": at.isoformat(),
        "code": CODES[car % len(CODES)],
        "status": "active",
        "severity": severity,
        "motion": "moving",
        "speed_kph": 60 + number % 40,
        "odometer_km": 10000 + number % 1000,
        "state_of_charge": 0.5,
        "position": {"lat": 39.9, "lon": 116.4},
        "model": "iX3",
    }
    key, value = vin(car).encode(), json.dumps(document).encode()
    return Message("", key, value, (), int(at.timestamp() * 1000))


def fill(kafka: str, messages: Iterable[Message]) -> str:
    """Send messages to a new topic."""
    topic = new_topic(kafka, PARTITIONS)
    with closing(KafkaSender(kafka)) as sender:
        part: list[Message] = []
        for message in messages:
            part.append(
                Message(topic, message.key, message.value, message.headers, message.timestamp)
            )
            if len(part) == _AT_ONCE:
                sender.send(part)
                part = []
        sender.send(part)
    return topic


def raw_poll(kafka: str, topic: str, count: int, batch: int) -> float:
    """Read the topic and throw it away; return records per second."""
    consumer = KafkaConsumer(
        bootstrap_servers=kafka,
        enable_auto_commit=False,
        metrics_enabled=False,
        max_partition_fetch_bytes=8 * 1024 * 1024,
    )
    consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
    consumer.seek_to_beginning()
    got, began = 0, time.perf_counter()
    while got < count:
        polled = consumer.poll(timeout_ms=500, max_records=batch)
        got += sum(len(messages) for messages in polled.values())
    seconds = time.perf_counter() - began
    consumer.close()
    return got / seconds


def new_database(server: str) -> str:
    """Make a database with the desks of the sample and no model; return its address."""
    url = new_url(server)
    prepare(url)
    return url


def new_url(server: str) -> str:
    """Make an empty database; return its address."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"create database {name}"))
    admin.dispose()
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)


def prepare(url: str) -> None:
    """Bring a database to the newest schema, with desks to send work to."""
    engine = make_engine(url)
    upgrade(engine)
    with engine.begin() as connection:
        import_desks(connection, read_rows(SAMPLE_DESKS))
    engine.dispose()


def promote(url: str) -> None:
    """Promote the shipped model."""
    engine = make_engine(url)
    with engine.begin() as connection:
        version = pipeline.register_model(Settings(), connection, pipeline.shipped_model_folder())
        point(connection, CHAMPION, version, START, "bench", {})
    engine.dispose()
