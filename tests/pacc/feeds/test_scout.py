"""The scout on a real Apache Kafka: before the flood, behind it, and ended in the middle."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from kafka import KafkaProducer

from models import tables as t
from models.migrations import upgrade
from pacc.process.clock import utc_now
from pacc.process.database import make_engine
from pacc.process.settings import Settings
from pacc.watch.metrics import Metrics
from pacc.wiring.kafka import make_scout
from tests.support.commands import Pacc, waits
from tests.worlds import CAR, OTHER

FLOOD = 20_000
THIRD = "LBV8P2C05L7F00003"


def alert(vin: str, number: int, at: datetime, **more: Any) -> bytes:
    """One canonical alert."""
    document = {
        "id": f"{vin} {number}",
        "source": "test",
        "vin": vin,
        "observed_at": at.isoformat(),
        "code": "dtc:P0562",
        "severity": "limited",
        "motion": "moving",
        **more,
    }
    return json.dumps(document).encode()


class Topic:
    """A topic of two partitions, and what is appended to it."""

    def __init__(self, address: str, name: str) -> None:
        self.name = name
        self._producer = KafkaProducer(bootstrap_servers=address, acks=1, linger_ms=20)

    def floods(self, count: int) -> None:
        """Append so many limited faults of two cars to both partitions."""
        for number in range(count):
            value = alert((OTHER, THIRD)[number % 2], number, utc_now())
            self._producer.send(self.name, value=value, partition=number % 2)
        self._producer.flush(timeout=60)

    def stops(self, vin: str, partition: int = 0) -> None:
        """Append a stop fault in motion."""
        value = alert(vin, 0, utc_now(), code="dtc:P0C01", severity="stop")
        self._producer.send(self.name, value=value, key=vin.encode(), partition=partition)
        self._producer.flush(timeout=60)

    def close(self) -> None:
        """Let the producer go."""
        self._producer.close()


@pytest.fixture
def topic(kafka_address: str, make_topic: Callable[[int], str]) -> Iterator[Topic]:
    """A topic of this test's own."""
    fresh_topic = Topic(kafka_address, make_topic(2))
    yield fresh_topic
    fresh_topic.close()


@pytest.fixture
def pacc(kafka_address: str, topic: Topic, postgres_url: str) -> Pacc:
    """The commands on that topic and a database of their own."""
    engine = make_engine(postgres_url)
    upgrade(engine)
    engine.dispose()
    return Pacc(
        PACC_DATABASE_URL=postgres_url,
        PACC_KAFKA_BOOTSTRAP_SERVERS=kafka_address,
        PACC_TOPICS=f"{topic.name}: cloudevents",
        PACC_GROUP_ID=topic.name,
    )


def tasks_of(pacc: Pacc, vin: str) -> list[dict[str, Any]]:
    """The tasks of a vehicle, at once."""
    engine = make_engine(pacc.environment["PACC_DATABASE_URL"])
    with engine.begin() as connection:
        query = sa.select(t.task).where(t.task.c.vin == vin)
        tasks = [dict(row) for row in connection.execute(query).mappings()]
    engine.dispose()
    return tasks


def drained(pacc: Pacc) -> dict[str, dict[str, int]]:
    """Let the pipeline come to the end; return the outcomes of each feed."""
    pacc("run", "--until-end")
    ledger = pacc("ledger")
    assert ledger["reconciled"]
    feeds: dict[str, dict[str, int]] = {}
    for topic in ledger["topics"]:
        for outcome, count in topic["outcomes"].items():
            sums = feeds.setdefault(topic["feed"], {})
            sums[outcome] = sums.get(outcome, 0) + count
    return feeds


@pytest.mark.postgres
def test_stops_before_and_behind_a_flood_are_in_their_queue_at_once(
    pacc: Pacc, topic: Topic
) -> None:
    topic.floods(FLOOD)
    topic.stops(CAR)
    with pacc.runs("scout") as process:
        waits(lambda: bool(tasks_of(pacc, CAR)))
        began = time.monotonic()
        topic.stops(CAR[:-1] + "7", partition=1)
        waits(lambda: bool(tasks_of(pacc, CAR[:-1] + "7")))
        assert time.monotonic() - began < 10  # `bench/storm.py` measures; this is no figure
        assert process.poll() is None
    (task,) = tasks_of(pacc, CAR)
    assert (task["queue"], task["priority"]) == ("roadside", "urgent")
    assert drained(pacc) == {
        "kafka": {"opened": 2, "repeated": FLOOD - 2, "duplicate": 2},
        "lane": {"opened": 2},
    }
    assert tasks_of(pacc, CAR) == [task]
    assert pacc("reconcile", "--full")["findings"] == []


@pytest.mark.postgres
def test_whoever_ends_it_in_the_middle_loses_nothing(pacc: Pacc, topic: Topic) -> None:
    topic.floods(3000)
    cars = [f"LBV8P2C05L7F{number:05d}" for number in range(100, 160)]
    for place, vin in enumerate(cars):
        topic.stops(vin, partition=place % 2)
    for _ in range(3):
        scout = subprocess.Popen(
            [sys.executable, "-m", "pacc.cli", "scout"],
            env={**pacc.environment, "PACC_SCOUT_LAG": "0"},
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        waits(partial(has_brought, pacc, min(len(cars), len(brought(pacc)) + 1)))
        os.killpg(scout.pid, signal.SIGKILL)
        scout.wait(timeout=20)
    feeds = drained(pacc)
    assert sum(feeds["kafka"].values()) == 3000 + len(cars)
    assert [len(tasks_of(pacc, vin)) for vin in cars] == [1] * len(cars)
    assert pacc("reconcile", "--full")["findings"] == []


def has_brought(pacc: Pacc, least: int) -> bool:
    """Whether so many alerts came by the lane."""
    return len(brought(pacc)) >= least


def brought(pacc: Pacc) -> list[str]:
    """The vehicles whose alerts came by the lane."""
    engine = make_engine(pacc.environment["PACC_DATABASE_URL"])
    with engine.begin() as connection:
        query = sa.select(t.alert.c.vin).where(t.alert.c.feed == "lane")
        vins = list(connection.execute(query).scalars())
    engine.dispose()
    return vins


@pytest.mark.postgres
def test_without_a_backlog_it_reads_nothing(pacc: Pacc, topic: Topic) -> None:
    topic.floods(100)
    topic.stops(CAR)
    values = {
        name.removeprefix("PACC_").lower(): value
        for name, value in pacc.environment.items()
        if name.startswith("PACC_")
    }
    names = ("database_url", "kafka_bootstrap_servers", "topics", "group_id")
    settings = Settings.model_validate({name: values[name] for name in names})
    metrics = Metrics()
    with make_scout(settings, metrics.scout) as scout:
        scout.tick()
        assert (scout.is_idle, scout.passed) == (True, 0)
    with make_scout(settings.model_copy(update={"scout_lag": 20}), metrics.scout) as scout:
        while not (scout.has_swept and scout.passed):
            scout.tick()
        assert (scout.passed, scout.brought) == (101, 1)
        pacc("run", "--until-end")
        scout._measure_at = 0
        scout.tick()
        assert scout.is_idle
    assert tasks_of(pacc, CAR)
