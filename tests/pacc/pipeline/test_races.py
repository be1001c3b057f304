"""Laws 1 and 6 where workers meet at the same moment: filed once, one case, one task."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from models import tables as t
from models.batch import Partition, Record
from models.decision import Decision
from models.errors import Fenced
from models.words import Feed
from pacc.decide.decide import in_parts
from tests.worlds import CAR, OTHER, Room, Stream


@pytest.mark.parametrize(
    "engine", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
def test_law_1_one_id_of_two_vehicles_at_the_same_moment_is_filed_once(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came first wins; the other worker, which could not see it, writes nothing and goes on
    as one that was fenced does: it comes again, and files its own under another fingerprint."""
    mine, theirs = (Stream(Partition(Feed.TAPE, name, 0)) for name in ("mine", "theirs"))
    mine.says(CAR, "dtc:P0A80", id="one").says(CAR, "dtc:B1342", id="two")
    theirs.says(OTHER, "dtc:P0A80", id="one")
    room, other = Room(engine), Room(engine)

    def meanwhile(*asked: Any) -> Iterator[Decision]:
        monkeypatch.undo()
        other.plays(theirs.records)
        return in_parts(*asked)

    monkeypatch.setattr("pacc.pipeline.worker.in_parts", meanwhile)
    with pytest.raises(Fenced, match="delivered"):
        room.plays(mine.records)
    assert room.outcomes() == {"opened": 1}
    room.plays(mine.records)
    assert room.outcomes() == {"opened": 2, "joined": 1}
    assert len(room.rows(t.alert)) == 3


def test_law_6_the_database_refuses_a_second_open_case_and_task(engine: sa.Engine) -> None:
    room = Room(engine).plays(Stream().says(CAR, "dtc:P0A80").records)
    for table, key in ((t.case, "case_id"), (t.task, "task_id")):
        (row,) = room.rows(table)
        with pytest.raises(IntegrityError), engine.begin() as connection:
            connection.execute(sa.insert(table).values({**row, key: "another"}))


def test_law_6_racing_writers_open_one_case(engine: sa.Engine) -> None:
    """Eight workers, each on a partition of its own, report the same vehicle at once."""
    partitions = [Partition(Feed.TAPE, f"topic {number}", 0) for number in range(8)]
    streams = []
    for place, partition in enumerate(partitions):
        records = Stream(partition)
        for number in range(5):
            records.says(CAR, "dtc:P0A80", number, id=f"{place} {number}")
        streams.append(records.records)
    rooms = [Room(engine) for _ in streams]
    start = threading.Barrier(len(streams))

    def race(room: Room, records: list[Record]) -> None:
        start.wait()
        room.plays(records, cuts=[1, 2, 3, 4])

    with ThreadPoolExecutor(len(streams)) as pool:
        list(pool.map(race, rooms, streams))
    room = rooms[0]
    assert len(room.rows(t.case)) == 1
    assert len(room.rows(t.task)) == 1
    assert room.rows(t.fault)[0]["count"] == 40
    assert room.outcomes() == {"opened": 1, "repeated": 39}
    assert room.ledger["reconciled"]
