"""A case heals by the vehicle's own time; stream time is only the bound for one that is silent."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from models import tables as t
from tests.worlds import CAR, OTHER, START, Room, Stream

# What one car says: minute by its own clock, status. It clears and comes back within the half hour.
STORY = [(0, "active"), (10, "cleared"), (15, "active"), (25, "cleared"), (32, "active")]


def _told(story: list[tuple[int, str]], came: Any) -> Stream:
    stream = Stream()
    for minute, status in story:
        at = came(minute)
        stream.says(OTHER, "ccm:WASHING_FLUID", at, severity="info", id=f"beat {minute}")
        stream.says(CAR, "dtc:B1342", at, seen=minute, status=status)
    stream.says(OTHER, "ccm:WASHING_FLUID", came(32) + 300, severity="info", id="the end")
    return stream


def _cases(engine: sa.Engine, stream: Stream, cuts: list[int]) -> list[tuple[Any, ...]]:
    room = Room(engine).plays(stream.records, cuts)
    return [
        (case["state"], case["priority"], room.rows(t.fault, case_id=case["case_id"])[0]["returns"])
        for case in room.rows(t.case, vin=CAR)
    ]


@pytest.mark.parametrize("is_cut", [False, True])
@pytest.mark.parametrize(
    "came",
    [lambda minute: minute, lambda minute: 300 + minute / 1000, lambda minute: 480 + minute],
    ids=["live", "buffered", "late"],
)
def test_what_comes_and_goes_is_one_case_however_it_is_delivered(
    engine: sa.Engine, came: Any, is_cut: Any
) -> None:
    stream = _told(STORY, came)
    cuts = list(range(1, len(stream.records))) if is_cut else []
    assert _cases(engine, stream, cuts) == [("open", "normal", 2)]


def test_a_return_hours_later_by_the_cars_own_time_finds_the_case_healed(
    engine: sa.Engine,
) -> None:
    buffered = _told([(0, "active"), (10, "cleared"), (100, "active")], lambda m: 300 + m / 1000)
    room = Room(engine).plays(buffered.records)
    ends = [row["at"] for row in room.rows(t.entry, kind="healed")]
    assert len(ends) == 1


def test_a_silent_car_heals_half_an_hour_after_its_clear_came_in(engine: sa.Engine) -> None:
    stream = Stream().says(CAR, "dtc:B1342", 300, seen=0)
    stream.says(CAR, "dtc:B1342", 301, seen=10, status="cleared")
    stream.says(OTHER, "ccm:WASHING_FLUID", 330, severity="info")
    room = Room(engine).plays(stream.records)
    assert room.rows(t.case, vin=CAR)[0]["state"] == "open"
    stream.says(OTHER, "ccm:WASHING_FLUID", 331, severity="info")
    room.plays(stream.records[-1:])
    (case,) = room.rows(t.case, vin=CAR)
    assert case["state"] == "healed"
    assert case["closed_at"] == START + timedelta(minutes=300)  # never before it was opened
