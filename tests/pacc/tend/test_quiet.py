"""On a silent partition, what is cleared heals as the next record would have healed it."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
import sqlalchemy as sa

from dispatch.tasks import actions
from ingest.kafka.offsets import ends_of
from models import tables as t
from models.batch import Extent, Partition
from models.errors import Unreachable
from models.words import Feed
from pacc.process.database import make_engine
from pacc.tend.quiet import MARGIN, QuietWatch
from tests.servers.kafka import send
from tests.worlds import CAR, LI, OTHER, START, STRANDED, Centre, Room, Stream, policy

ALERTS = Partition(Feed.KAFKA, "pacc.alerts", 3)
DECIDED = (t.case, t.fault, t.task, t.entry, t.alert)


def story(partition: Partition = ALERTS) -> Stream:
    """A car that must stop, and says after two minutes that all is well."""
    stream = Stream(partition).says(CAR, "dtc:P0C01", 0, **STRANDED)
    return stream.says(CAR, "dtc:P0C01", 2, status="cleared")


def looks(room: Room, minute: float, ends: Mapping[Partition, Extent]) -> int:
    watch = QuietWatch(lambda: room.policy, lambda: ends)
    return watch.tick(room.engine, START + timedelta(minutes=minute))["healed"]


def decided(room: Room) -> dict[str, Any]:
    """What the pipeline decided of the car, apart from how often a row was written."""
    tables = {table.name: room.rows(table, vin=CAR) for table in DECIDED if "vin" in table.c}
    return {
        "digest": room.digest,
        "entries": room.rows(t.entry),
        **{name: [{**row, "version": 0} for row in rows] for name, rows in tables.items()},
    }


def test_it_heals_at_its_own_time_and_its_task_ends(engine: sa.Engine) -> None:
    room = Centre(engine)
    room.plays(story().records)
    assert looks(room, 32 + 9, {ALERTS: Extent(0, 2)}) == 0
    assert looks(room, 32 + MARGIN.total_seconds() / 60, {ALERTS: Extent(0, 2)}) == 1
    (case,) = room.rows(t.case)
    assert (case["state"], case["closed_at"]) == ("healed", START + timedelta(minutes=32))
    assert room.task()["disposition"] == "healed"
    assert looks(room, 16 * 60, {ALERTS: Extent(0, 2)}) == 0
    assert room.ledger["reconciled"]


@pytest.mark.parametrize(
    "ends",
    [{ALERTS: Extent(0, 3)}, {}, {ALERTS: Extent(0, 2, "another log")}],
    ids=["records wait", "no such topic", "made anew"],
)
def test_it_waits_where_something_may_still_come(
    engine: sa.Engine, ends: Mapping[Partition, Extent]
) -> None:
    room = Room(engine)
    room.worker.take(ALERTS, 0, "this log")
    room.worker.process(story().records)
    assert looks(room, 16 * 60, ends) == 0


def test_a_tape_has_no_present_and_an_alert_over_http_does(engine: sa.Engine) -> None:
    tape, http = Partition(Feed.TAPE, "pacc.alerts", 0), Partition(Feed.HTTP, "pacc.alerts", 0)
    room = Room(engine).plays(story(tape).records)
    assert looks(room, 16 * 60, {}) == 0
    stream = Stream(http).says(OTHER, "dtc:P0C01", 0, id="a", **STRANDED)
    room.plays(stream.says(OTHER, "dtc:P0C01", 2, id="b", status="cleared").records)
    assert looks(room, 16 * 60, {}) == 1


def test_what_a_person_has_in_hand_stays(engine: sa.Engine) -> None:
    room = Centre(engine)
    room.plays(story().records)
    room.act(actions.claim, room.task()["task_id"], LI)
    assert looks(room, 16 * 60, {ALERTS: Extent(0, 2)}) == 0


def test_while_kafka_is_away_nothing_heals(engine: sa.Engine) -> None:
    def away() -> Mapping[Partition, Extent]:
        message = "Kafka does not answer"
        raise Unreachable(message)

    room = Room(engine).plays(story().records)
    watch = QuietWatch(lambda: room.policy, away)
    assert watch.tick(engine, START + timedelta(hours=16)) == {}


LATER = [
    ("dtc:P0C01", "active", 45),
    ("dtc:P0C01", "active", 2000),
    ("dtc:B1342", "active", 45),
    ("dtc:P0C01", "cleared", 50),
    ("dtc:P0A80", "pending", 60),
]


@pytest.mark.parametrize(("code", "status", "minute"), LATER)
def test_what_comes_later_finds_the_same_whether_it_was_healed_meanwhile_or_not(
    migrated_sqlite: Path, tmp_path: Path, code: str, status: str, minute: float
) -> None:
    stream = story().says(CAR, code, minute, status=status)
    results = []
    for name, is_tended in (("replayed", False), ("tended", True)):
        engine = make_engine(f"sqlite:///{copyfile(migrated_sqlite, tmp_path / name)}")
        room = Room(engine).plays(stream.records[:2])
        if is_tended:
            assert looks(room, minute, {ALERTS: Extent(0, 2)}) == (minute >= 42)
        room.plays(stream.records[2:])
        results.append(decided(room))
        engine.dispose()
    assert results[0] == results[1]


def test_on_kafka_the_end_of_the_log_is_what_counts(
    kafka_address: str, make_topic: Callable[[int], str], engine: sa.Engine
) -> None:
    topic = make_topic(1)
    send(kafka_address, topic, story().records)
    room = Room(engine)
    watch = QuietWatch(policy, lambda: ends_of(kafka_address, [topic]))
    room.worker.take(Partition(Feed.KAFKA, topic, 0), 0)
    room.worker.process(story(Partition(Feed.KAFKA, topic, 0)).records[:1])
    assert watch.tick(engine, START + timedelta(hours=16)) == {}
    room.worker.process(story(Partition(Feed.KAFKA, topic, 0)).records[1:])
    assert watch.tick(engine, START + timedelta(hours=17)) == {"healed": 1}
