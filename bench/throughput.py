"""How fast alerts become durable cases, as a share of reading and throwing the same topic away.

    make bench                     # steady and storm mix, 100,000 records each
    python -m bench.throughput 20000

Starts a Kafka and a PostgreSQL of its own on loopback and ends them afterwards. Both numbers of a
ratio come from the same run on the same topic; the shares say where the pipeline's time goes.
"""

import json
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from dispatch.masters import import_desks, read_rows
from ingest import store
from ingest.kafka import KafkaSource
from ingest.sender import KafkaSender
from models.batch import Message
from models.migrations import upgrade
from pacc import pipeline, wiring
from pacc.database import make_engine
from pacc.pipeline import Limits, Worker, run
from pacc.settings import Settings
from prioritizer.store import CHAMPION, point
from tests.servers.kafka import running_kafka
from tests.servers.postgres import running_postgres
from tests.worlds import SAMPLE_DESKS

PARTITIONS = 4
START = datetime(2026, 1, 15, tzinfo=UTC)
CODES = ("dtc:P0A7E", "dtc:B1342", "dtc:P0420", "dtc:C0750", "dtc:P0562")


def steady(count: int) -> Iterator[Message]:
    """Each fault repeats about ten times."""
    return (alert(number, number % max(1, count // 10)) for number in range(count))


def storm(count: int) -> Iterator[Message]:
    """Every record is another vehicle."""
    return (alert(number, number) for number in range(count))


def alert(number: int, car: int) -> Message:
    """One canonical alert of about 320 bytes."""
    at = START + timedelta(milliseconds=10 * number)
    vin = f"LZZS1M0L{car:09d}"
    document = {
        "id": f"{number:012d}", "source": "urn:bench", "vin": vin, "observed_at": at.isoformat(),
        "code": CODES[car % len(CODES)], "status": "active", "severity": "limited",
        "motion": "moving", "speed_kph": 60 + number % 40, "odometer_km": 10000 + number % 1000,
        "state_of_charge": 0.5, "position": {"lat": 39.9, "lon": 116.4}, "model": "iX3",
    }  # fmt: skip
    return Message("", vin.encode(), json.dumps(document).encode(), (), int(at.timestamp() * 1000))


def fill(address: str, messages: Iterator[Message]) -> str:
    """Send messages to a new topic."""
    topic = f"bench.{uuid.uuid4().hex[:8]}"
    admin = KafkaAdminClient(bootstrap_servers=address)
    admin.create_topics(
        {topic: {"num_partitions": PARTITIONS, "replication_factor": 1}}, wait_for_metadata=True
    )
    admin.close()
    with closing(KafkaSender(address)) as sender:
        part: list[Message] = []
        for one in messages:
            part.append(Message(topic, one.key, one.value, one.headers, one.timestamp))
            if len(part) == 5000:
                sender.send(part)
                part = []
        sender.send(part)
    return topic


def raw_poll(address: str, topic: str, count: int, batch: int) -> float:
    """Read the topic and throw it away; give records per second."""
    consumer = KafkaConsumer(
        bootstrap_servers=address, enable_auto_commit=False, metrics_enabled=False,
        max_partition_fetch_bytes=8 * 1024 * 1024,
    )  # fmt: skip
    parts = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer.assign(parts)
    consumer.seek_to_beginning()
    got, began = 0, time.perf_counter()
    while got < count:
        polled = consumer.poll(timeout_ms=500, max_records=batch)
        got += sum(len(messages) for messages in polled.values())
    seconds = time.perf_counter() - began
    consumer.close()
    return got / seconds


class Stopwatch:
    """Adds up the seconds of the pipeline's parts."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Time every call."""

        def timed(*given: Any, **more: Any) -> Any:
            began = time.perf_counter()
            try:
                return call(*given, **more)
            finally:
                self.seconds[name] += time.perf_counter() - began

        return timed


def whole_way(
    address: str, url: str, topic: str, batch: int, *, with_model: bool
) -> tuple[float, dict[str, float], dict[str, int]]:
    """Kafka → PostgreSQL with one worker; records per second, shares of the time, outcomes.

    `with_model`: the shipped model ranks; else rules alone.
    """
    engine = make_engine(url)
    upgrade(engine)
    with engine.begin() as connection:
        import_desks(connection, read_rows(SAMPLE_DESKS))
        if with_model:
            version = wiring.register_model(Settings(), connection, wiring.shipped_model())
            point(connection, CHAMPION, version, START, "bench", {})
    limits = Limits(batch)
    refresh = wiring.make_champions(Settings()).current
    policy = wiring.make_policy(Settings(), engine)
    worker = Worker(engine, policy, {}, "bench", limits, refresh)
    watch = Stopwatch()
    parts = ((pipeline, "decode"), (pipeline, "decide"), (store, "known"), (store, "save"),
             (worker, "process"))  # fmt: skip
    kept = [getattr(owner, name) for owner, name in parts]
    for (owner, name), call in zip(parts, kept, strict=True):
        setattr(owner, name, watch.around(name, call))
    began = time.perf_counter()
    tally = run(
        worker,
        lambda: KafkaSource(address, f"bench {topic} {with_model}", [topic], take=worker.take),
        limits,
        until_end=True,
        is_stopped=lambda: False,
    )
    seconds = time.perf_counter() - began
    for (owner, name), call in zip(parts, kept, strict=True):
        setattr(owner, name, call)
    engine.dispose()
    inner = sum(watch.seconds[name] for name in ("decode", "known", "decide", "save"))
    process = watch.seconds.pop("process")
    shares = {name: one / seconds for name, one in watch.seconds.items()}
    shares["position, watermark, commit"] = (process - inner) / seconds
    shares["poll, Kafka commit, join"] = 1 - process / seconds
    return tally.records / seconds, shares, dict(tally.outcomes)


def new_url(server: str, database: str) -> str:
    """Make a database and give its address."""
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"create database {database}"))
    admin.dispose()
    return sa.make_url(server).set(database=database).render_as_string(hide_password=False)


def measure(count: int, batch: int) -> None:
    """Measure both mixes and print what came out."""
    with running_kafka() as address, running_postgres() as server:
        for name, mix in (("steady", steady), ("storm", storm)):
            topic = fill(address, mix(count))
            raw = raw_poll(address, topic, count, batch)
            rates = {}
            for with_model in (False, True):
                url = new_url(server, f"bench_{name}_{'model' if with_model else 'rules'}")
                ours, shares, outcomes = whole_way(
                    address, url, topic, batch, with_model=with_model
                )
                rates[with_model] = ours
                print(f"{name}, {'rules and model' if with_model else 'rules'}: raw poll "
                      f"{raw:,.0f} records/s, whole way {ours:,.0f} records/s, "
                      f"ratio {ours / raw:.3f}   {outcomes}")  # fmt: skip
                for part, share in sorted(shares.items(), key=lambda one: -one[1]):
                    print(f"    {share:6.1%}  {part}")
            print(f"{name}: with the model {rates[True] / rates[False]:.2f} of without")


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, 5000)
