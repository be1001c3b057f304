"""Days in the control room."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from models import tables as t
from models.migrations import upgrade
from pacc.process.database import make_engine
from tests.worlds import CAR, OTHER, Room, Stream


def test_a_flood_from_one_car_opens_one_case_and_one_task(engine: sa.Engine) -> None:
    stream = Stream()
    for number in range(500):
        stream.says(CAR, "dtc:P0A7E", minute=number / 60)
    room = Room(engine).plays(stream.records, cuts=range(0, 500, 37))
    assert room.outcomes() == {"opened": 1, "repeated": 499}
    assert len(room.rows(t.case)) == 1
    assert len(room.rows(t.task)) == 1
    assert room.rows(t.fault)[0]["count"] == 500


def test_a_stop_fault_on_a_motorway_is_urgent_with_a_reason_in_both_languages(
    engine: sa.Engine,
) -> None:
    stream = Stream().says(CAR, "dtc:P0C01", severity="stop", motion="moving", speed_kph=120)
    room = Room(engine).plays(stream.records)
    (case,) = room.rows(t.case)
    assert (case["priority"], case["action"]) == ("urgent", "stop_now")
    assert case["reasons"][0]["zh"].startswith("停车级故障，行驶中")
    assert "fault to stop for" in case["reasons"][0]["en"]
    (task,) = room.rows(t.task)
    assert (task["claim_by"] - task["opened_at"]).total_seconds() == 60


def test_a_low_12v_battery_keeps_its_flock_of_codes_under_itself(engine: sa.Engine) -> None:
    stream = Stream().says(CAR, "dtc:P0562")
    for number in range(6):
        stream.says(CAR, f"dtc:U010{number}", minute=1 + number)
    room = Room(engine).plays(stream.records, cuts=[3])
    faults = {row["code"]: row for row in room.rows(t.fault)}
    assert faults["dtc:P0562"]["folded_under"] is None
    assert all(faults[f"dtc:U010{n}"]["folded_under"] == "dtc:P0562" for n in range(6))
    assert "dtc:P0562" in faults["dtc:U0103"]["fold_zh"]
    assert "three-limited" not in room.rows(t.case)[0]["rules"]


def test_a_symptom_that_stays_unfolds_when_its_cause_clears(engine: sa.Engine) -> None:
    stream = Stream().says(CAR, "dtc:P0562").says(CAR, "dtc:U0100", minute=1)
    stream.says(CAR, "dtc:P0562", minute=5, status="cleared")
    room = Room(engine).plays(stream.records)
    assert room.rows(t.fault, code="dtc:U0100")[0]["folded_under"] is None


def test_a_driver_who_heals_before_anyone_looks_leaves_the_queue(engine: sa.Engine) -> None:
    stream = Stream().says(CAR, "dtc:P0A7E").says(CAR, "dtc:P0A7E", minute=4, status="cleared")
    stream.raw(b"{}", minute=33)
    room = Room(engine).plays(stream.records)
    assert room.rows(t.case)[0]["state"] == "open"
    later = Stream()
    later.records = [*stream.records]
    later.raw(b"{}", minute=35)
    room.plays(later.records[-1:])
    (case,) = room.rows(t.case)
    assert case["state"] == "healed"
    assert (case["closed_at"] - case["opened_at"]).total_seconds() == 34 * 60
    assert room.rows(t.task)[0]["disposition"] == "healed"


def test_an_alert_older_than_the_clear_of_its_code_is_late(engine: sa.Engine) -> None:
    stream = Stream().says(CAR, "dtc:P0A7E").says(CAR, "dtc:P0A7E", minute=10, status="cleared")
    stream.says(CAR, "dtc:P0A7E", minute=12, seen=8)
    room = Room(engine).plays(stream.records)
    assert room.outcomes() == {"opened": 1, "cleared": 1, "late": 1}
    assert room.rows(t.fault)[0]["status"] == "cleared"


def test_a_priority_falls_only_when_its_cause_clears(engine: sa.Engine) -> None:
    stream = Stream().says(CAR, "dtc:P0A80", severity="stop", motion="moving")
    stream.says(CAR, "dtc:P0A80", minute=1, motion="parked").says(CAR, "dtc:B1342", minute=2)
    room = Room(engine).plays(stream.records)
    assert room.rows(t.case)[0]["priority"] == "urgent"
    stream.says(CAR, "dtc:P0A80", minute=3, status="cleared")
    room.plays(stream.records[-1:])
    assert room.rows(t.case)[0]["priority"] == "normal"


def test_only_information_opens_a_case_without_a_task(engine: sa.Engine) -> None:
    room = Room(engine).plays(Stream().says(CAR, "ccm:164", severity="info").records)
    (case,) = room.rows(t.case)
    assert (case["action"], room.rows(t.task)) == ("carry_on", [])


@pytest.mark.postgres
def test_numbers_are_the_same_in_every_database(tmp_path: Path, postgres_url: str) -> None:
    signals = {"a": -0.0, "b": 1e22, "c": 1e-300, "d": 0.1, "e": 3}
    records = Stream().says(CAR, "dtc:B1342", signals=signals).records
    digests = []
    for url in (postgres_url, f"sqlite:///{tmp_path / 'pacc.db'}"):
        engine = make_engine(url)
        upgrade(engine)
        digests.append(Room(engine).plays(records).digest)
        engine.dispose()
    assert digests[0] == digests[1]


def test_a_source_that_never_says_moving_is_not_believed_that_the_car_is_parked(
    engine: sa.Engine,
) -> None:
    driven = Stream()
    for minute in range(3):
        driven.says(CAR, "dtc:B1342", minute, motion="parked", odometer_km=1000 + 1.5 * minute)
    driven.says(CAR, "dtc:P0C01", 3, severity="stop", motion="parked", odometer_km=1004.5)
    driven.says(OTHER, "dtc:B1342", 3, motion="parked", odometer_km=1000)
    driven.says(OTHER, "dtc:P0C01", 4, severity="stop", motion="parked", odometer_km=1000)
    room = Room(engine).plays(driven.records)
    assert {row["vin"]: row["priority"] for row in room.rows(t.case)} == {
        CAR: "urgent",
        OTHER: "high",
    }
    (doubted,) = (row for row in room.rows(t.fault, vin=CAR) if row["code"] == "dtc:P0C01")
    assert (doubted["motion"], doubted["defaulted"]) == ("unknown", ["motion"])
