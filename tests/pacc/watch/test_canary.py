"""The canary goes the whole way, and no person, list or statistic ever meets it."""

import json
import re
import urllib.request
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from dispatch.data.retention import tidy
from models import tables as t
from models.batch import Message, Partition, Record
from models.canary import CANARY_DESK, CANARY_VIN
from models.migrations import upgrade
from models.words import Feed
from pacc.process.database import make_engine
from pacc.reconcile.reconcile import Scope, reconcile
from pacc.watch import canary
from pacc.watch.canary import Canary
from pacc.watch.canary_status import CanaryStatus, read_canary_status
from pacc.watch.metrics import Metrics
from tests.servers.kafka import send
from tests.servers.processes import free_port
from tests.support.commands import Pacc, is_ready, waits
from tests.worlds import START, Centre, Room, operator, supervisor

KAFKA = Partition(Feed.KAFKA, "pacc.alerts", 0)


MINUTE = timedelta(minutes=1)


def record_of(sent: Message, offset: int = 0, at: Any = START) -> Record:
    """The message as the topic gives it back."""
    stamp = int(at.timestamp() * 1000)
    return Record(KAFKA, offset, stamp, sent.key, sent.value, sent.headers)


class CanaryWorld:
    """A canary whose topic is a pipeline right behind it, as far as one is at work."""

    def __init__(self, engine: sa.Engine) -> None:
        self.room = Centre(engine)
        self.now = START
        self.statuses: list[CanaryStatus] = []
        self.is_working = True
        self.sent = 0
        self.canary = Canary(
            engine, lambda: self, "pacc.alerts", MINUTE, self._at, self.statuses.append
        )

    def _at(self) -> Any:
        self.now += timedelta(milliseconds=700)
        return self.now

    def send(self, messages: Sequence[Message]) -> None:
        """Take what is sent, and decide it if a worker is at work."""
        for message in messages:
            if self.is_working:
                self.room.worker.take(KAFKA, self.sent)
                self.room.worker.process([record_of(message, self.sent, self.now)])
                self.sent += 1

    def close(self) -> None:
        """There is no connection."""

    def shown(self) -> Any:
        """What health says."""
        with self.room.engine.begin() as connection:
            status = read_canary_status(connection)
        assert status is not None
        return status.as_document(self.now)


def test_it_goes_the_whole_way_and_leaves_nothing_behind(engine: sa.Engine) -> None:
    world = CanaryWorld(engine)
    for _ in range(2):
        world.canary.tick()
        shown = world.shown()
        assert (shown["ok"], shown["waiting_seconds"], shown["missed"]) == (True, None, 0)
        assert re.fullmatch(r"last seen in a queue \d\.\d s ago, took 0\.7 s", shown["says"])
        for table in (t.alert, t.case, t.fault, t.task, t.entry, t.outbox):
            assert world.room.rows(table) == [], table.name
        world.now += MINUTE
    assert world.room.outcomes() == {"opened": 2}
    (vehicle,) = world.room.rows(t.vehicle)
    assert vehicle["history"] == []
    assert world.room.ledger["reconciled"]
    report = reconcile(engine, None, Scope(("pacc.alerts",), is_full=True), world.now)
    assert report["findings"] == []


def test_while_it_is_on_its_way_its_task_is_urgent_at_its_own_desk(engine: sa.Engine) -> None:
    room = Centre(engine)
    room.plays([record_of(canary.message("pacc.alerts", START)[1])])
    (task,) = room.rows(t.task)
    assert (task["desk"], task["queue"], task["priority"]) == (CANARY_DESK, "roadside", "urgent")
    assert not supervisor().sees(CANARY_DESK)
    assert not operator(desk=CANARY_DESK).sees(CANARY_DESK)


def test_without_a_worker_its_age_grows_and_health_says_so(engine: sa.Engine) -> None:
    world = CanaryWorld(engine)
    world.canary.tick()
    world.is_working = False
    for _ in range(4):
        world.now += MINUTE
        world.canary.tick()
    shown = world.shown()
    assert (shown["ok"], shown["missed"]) == (False, 4)
    assert shown["age_seconds"] > 240
    assert shown["says"].endswith("the way from the topic to the queue is blocked")
    world.is_working = True
    world.now += MINUTE
    world.canary.tick()
    assert world.shown()["ok"]
    assert world.shown()["missed"] == 4


def test_of_several_only_one_sends_in_an_interval(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        due = [
            canary.may_send(connection, START + one * timedelta(seconds=20), MINUTE)
            for one in range(7)
        ]
    assert due == [True, False, False, True, False, False, True]


def test_metrics_say_how_old_the_last_sight_is_and_how_many_were_missed(engine: sa.Engine) -> None:
    metrics, world = Metrics(), CanaryWorld(engine)
    world.canary._notify = metrics.canary.observe
    world.canary.tick()
    world.is_working = False
    world.now += MINUTE
    world.canary.tick()
    read = metrics.registry.get_sample_value
    assert read("pacc_canary_seconds_count") == 1
    assert read("pacc_canary_seconds_sum") == pytest.approx(0.7)
    assert read("pacc_canary_missed_total") == 1
    assert (read("pacc_canary_age_seconds") or 0) > 1000


def test_one_that_nobody_waits_for_is_swept_away_after_an_hour(engine: sa.Engine) -> None:
    room = Centre(engine)
    room.plays([record_of(canary.message("pacc.alerts", START)[1])])
    for minutes, swept in ((59, 0), (61, 1), (62, 0)):
        with engine.begin() as connection:
            assert canary.clear_forgotten(connection, START + minutes * MINUTE) == swept
    assert room.rows(t.case) == room.rows(t.alert) == []


def test_old_pulses_are_cleared(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        canary.may_send(connection, START, MINUTE)
    assert tidy(engine, START + timedelta(days=2)) == {"pulse_cleared": 1}


def test_no_real_vehicle_can_be_the_canary_and_no_other_mark_is_taken(engine: sa.Engine) -> None:
    sent = canary.message("pacc.alerts", START)[1]
    assert sent.value is not None
    false = replace(sent, value=sent.value.replace(CANARY_VIN.encode(), b"QQQCANARYQPACCQQO"))
    room = Room(engine).plays([record_of(sent), record_of(false, 1)])
    assert room.outcomes() == {"opened": 1, "quarantined": 1}


def test_a_real_canary_flies_through_kafka_until_the_worker_stops(
    kafka_address: str, make_topic: Callable[[int], str], tmp_path: Path
) -> None:
    topic, url = make_topic(2), f"sqlite:///{tmp_path / 'pacc.db'}"
    engine = make_engine(url)
    upgrade(engine)
    port = free_port()
    pacc = Pacc(
        PACC_DATABASE_URL=url,
        PACC_TOPICS=f"{topic}: bmw",
        PACC_RELAY="false",
        PACC_KAFKA_BOOTSTRAP_SERVERS=kafka_address,
        PACC_GROUP_ID=topic,
        PACC_CANARY_EVERY="2s",
    )
    send(kafka_address, topic, [])

    def seen_in_time(canary: Any) -> bool:
        return bool(canary and canary["ok"] and "last seen in a queue" in canary["says"])

    def bird() -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=10) as answer:
            return json.loads(answer.read())

    with pacc.runs("serve", "--port", str(port)), pacc.runs("tend"):
        waits(lambda: is_ready(f"http://127.0.0.1:{port}"))
        with pacc.runs("run"):
            waits(lambda: seen_in_time(bird()["canary"]))
            waits(lambda: Room(engine).outcomes().get("opened", 0) >= 3)
            waits(lambda: bird()["stream"]["workers"] == 1)
        waits(lambda: not bird()["canary"]["ok"])
        late = bird()["canary"]
        assert late["age_seconds"] >= 6
        assert late["missed"] >= 1
        assert late["waiting_seconds"] > 0
    assert Room(engine).rows(t.quarantine) == []
    engine.dispose()
