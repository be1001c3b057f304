"""The fast lane: what is brought forward changes when it is decided, and nothing of what is."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from shutil import copyfile
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ingest.formats.decode import decode
from ingest.formats.stop_faults import stops_of
from models import tables as t
from models.batch import Record
from models.canary import CANARY_VIN
from models.words import PRIORITY_RANK, Priority
from pacc.feeds.fast_lane import Lane
from pacc.pipeline.limits import Limits
from pacc.pipeline.worker import Worker
from pacc.process.database import make_engine
from pacc.reconcile.reconcile import Scope, reconcile
from tests.worlds import CAR, OTHER, START, TAPE, Room, Stream, policy

STOP: dict[str, Any] = {"severity": "stop", "motion": "moving"}


def lane_of(room: Room) -> Lane:
    """A lane beside a room's own pipeline."""
    return Lane(Worker(room.engine, policy(), {}, "scout", Limits(), keep=stops_of))


def brings(room: Room, records: Sequence[Record]) -> list[str]:
    """Bring forward what carries a stop, as the scout does; return how it ended."""
    stops = [one.record for one in decode(records, {}) if stops_of(one).items]
    return [one.outcome.value for one in lane_of(room).bring(stops).ended] if stops else []


def test_a_stop_fault_is_worked_before_the_flood_and_once(engine: sa.Engine) -> None:
    stream = Stream()
    for number in range(50):
        stream.says(OTHER, "dtc:P0562", number / 10)
    stream.says(CAR, "dtc:P0C01", 6, **STOP)
    room = Room(engine)
    assert brings(room, stream.records) == ["opened"]
    (task,) = room.rows(t.task)
    assert (task["vin"], task["priority"], task["queue"]) == (CAR, "urgent", "roadside")
    room.plays(stream.records, cuts=[20, 40])
    assert len(room.rows(t.case, vin=CAR)) == len(room.rows(t.task, vin=CAR)) == 1
    feeds = {one["feed"]: one["outcomes"] for one in room.ledger["topics"]}
    assert feeds == {
        "lane": {"opened": 1},
        "tape": {"opened": 1, "repeated": 49, "duplicate": 1},
    }
    report = reconcile(engine, None, Scope(("pacc.alerts",), is_full=True), START)
    assert (report["reconciled"], report["findings"]) == (True, [])


def test_the_topics_own_place_and_time_do_not_move(engine: sa.Engine) -> None:
    stream = Stream().says(OTHER, "dtc:P0562", 0).says(OTHER, "dtc:P0562", 1, status="cleared")
    stream.says(CAR, "dtc:P0C01", 90, **STOP).says(OTHER, "dtc:P0562", 20)
    room = Room(engine).plays(stream.records[:2])
    assert brings(room, stream.records[2:3]) == ["opened"]
    (own,) = room.rows(t.position, feed="tape")
    assert (own["next_offset"], own["watermark"]) == (2, START.replace(minute=1))
    assert [one["state"] for one in room.rows(t.case, vin=OTHER)] == ["open"]
    room.worker.process(stream.records[3:])
    assert [one["state"] for one in room.rows(t.case, vin=OTHER)] == ["open"]


def test_a_case_that_was_brought_forward_heals_by_the_topics_time(engine: sa.Engine) -> None:
    stream = Stream().says(CAR, "dtc:P0C01", 0, **STOP)
    stream.says(CAR, "dtc:P0C01", 10, status="cleared").says(OTHER, "dtc:P0562", 39)
    stream.says(OTHER, "dtc:P0562", 40)
    room = Room(engine)
    brings(room, stream.records)
    room.plays(stream.records[:3])
    assert room.rows(t.case, vin=CAR)[0]["state"] == "open"
    brings(room, Stream().says(CAR[:-1] + "9", "dtc:P0C01", 999, id="far", **STOP).records)
    assert room.rows(t.case, vin=CAR)[0]["state"] == "open"
    room.worker.process(stream.records[3:])
    assert room.rows(t.case, vin=CAR)[0]["state"] == "healed"
    assert room.rows(t.task, vin=CAR)[0]["disposition"] == "healed"


def test_a_stop_older_than_a_clear_that_is_known_does_not_come_back(engine: sa.Engine) -> None:
    stream = Stream().says(CAR, "dtc:P0C01", 0, **STOP).says(CAR, "dtc:P0C01", 9, status="cleared")
    stream.says(CAR, "dtc:P0C01", 11, seen=8, **STOP)
    room = Room(engine).plays(stream.records[:2])
    assert brings(room, stream.records[2:]) == ["late"]
    assert not [one for one in room.rows(t.fault) if one["status"] != "cleared"]


def test_a_clear_from_before_the_stop_does_not_clear_it(engine: sa.Engine) -> None:
    stream = Stream().says(CAR, "dtc:P0C01", 0).says(CAR, "dtc:P0C01", 5, status="cleared")
    stream.says(CAR, "dtc:P0C01", 9, **STOP)
    room = Room(engine)
    brings(room, stream.records)
    room.plays(stream.records)
    (fault,) = room.rows(t.fault)
    assert (fault["status"], fault["severity"]) == ("active", "stop")
    assert room.rows(t.task)[0]["priority"] == "urgent"


def test_of_a_snapshot_only_the_stop_goes_ahead(engine: sa.Engine) -> None:
    """What it clears is not yet there: if that went ahead, it would never be cleared."""

    def state(minute: int, **messages: str) -> bytes:
        listed = ",".join(
            f'{{"type":"{name}","severity":"{word}"}}' for name, word in messages.items()
        )
        return (
            f'{{"vin":"{CAR}","state":{{"lastUpdatedAt":"2026-01-15T02:{minute:02d}:00Z",'
            f'"checkControlMessages":[{listed}]}}}}'
        ).encode()

    stream = Stream().raw(state(0, TIRE="MEDIUM", LAMP="LOW"), 0)
    stream.raw(state(5, TIRE="MEDIUM", OIL="HIGH"), 5)
    marked = [replace(one, headers=(("pacc-format", b"bmw"),)) for one in stream.records]
    room = Room(engine)
    assert brings(room, marked) == ["opened"]
    assert [one["code"] for one in room.rows(t.fault)] == ["ccm:OIL"]
    room.plays(marked)
    assert {one["code"]: one["status"] for one in room.rows(t.fault)} == {
        "ccm:OIL": "active",
        "ccm:TIRE": "active",
        "ccm:LAMP": "cleared",
    }


def test_the_canary_waits_its_turn(engine: sa.Engine) -> None:
    canary = Stream().says(CANARY_VIN, "canary:1", severity="stop", motion="moving").records
    assert brings(Room(engine), canary) == []


def test_of_two_scouts_the_second_finds_it_delivered(engine: sa.Engine) -> None:
    room = Room(engine)
    first_lane, second_lane = lane_of(room), lane_of(room)
    first = Stream().says(CAR, "dtc:P0C01", 0, **STOP).records
    second = Stream().says(OTHER, "dtc:P0C01", 0, id="b", **STOP).records
    ended = [
        lane.bring(records).ended[0].outcome.value
        for lane, records in (
            (first_lane, first),
            (second_lane, first),
            (first_lane, second),
            (second_lane, second),
        )
    ]
    assert ended == ["opened", "duplicate", "opened", "duplicate"]
    assert len(room.rows(t.task)) == 2
    assert room.ledger["reconciled"]


reports = st.fixed_dictionaries(
    {
        "vin": st.sampled_from([CAR, OTHER]),
        "code": st.sampled_from(["dtc:P0C01", "dtc:P0562", "dtc:P0A80"]),
        "severity": st.sampled_from(["service", "limited", "stop", "stop"]),
        "status": st.sampled_from(["active", "active", "cleared"]),
        "motion": st.sampled_from(["parked", "moving"]),
        "ahead": st.integers(0, 45),
        "late": st.sampled_from([0, 0, 0, 10, 50]),
    }
)


def stream_of(drawn: Sequence[dict[str, Any]]) -> list[Record]:
    """A stream with repeats, clears, late ones and silences; long after it somebody speaks.

    No two have the same time of the vehicle: of such, the later to arrive would count as newer.
    """
    stream, minute = Stream(), 0
    for number, report in enumerate(drawn):
        minute += report["ahead"]
        said = {name: report[name] for name in ("severity", "status", "motion")}
        seen = minute - report["late"] - 0.5 + number / 100
        stream.says(report["vin"], report["code"], minute, seen=seen, **said)
    stream.says("LBV8P2C05L7F00009", "dtc:P0420", minute + 31)
    return stream.records


def standing(room: Room) -> dict[str, Any]:
    """How each vehicle stands: what is on, since when it was last seen, and who has the work."""
    standings = {}
    for case in room.rows(t.case, state="open"):
        faults = [
            row for row in room.rows(t.fault, case_id=case["case_id"]) if row["status"] != "cleared"
        ]
        tasks = [
            row for row in room.rows(t.task, case_id=case["case_id"]) if row["state"] != "done"
        ]
        standings[case["vin"]] = (
            {
                row["code"]: (row["severity"], row["status"], row["last_seen"], row["motion"])
                for row in faults
            },
            len(tasks),
            case["priority"],
            [row["queue"] for row in tasks],
        )
    return standings


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    drawn=st.lists(reports, max_size=14),
    cuts=st.lists(st.integers(0, 14), max_size=3),
    ahead_from=st.integers(0, 14),
)
def test_ahead_or_in_turn_every_vehicle_stands_the_same(
    tmp_path: Path,
    migrated_sqlite: Path,
    drawn: list[dict[str, Any]],
    cuts: list[int],
    ahead_from: int,
) -> None:
    """Which faults are on, how grave, and one task for each case; no case is ranked lower."""
    records = stream_of(drawn)
    ahead_from = min(ahead_from, len(drawn))
    stood = []
    for goes_ahead in (False, True):
        copyfile(migrated_sqlite, tmp_path / "pacc.db")
        engine = make_engine(f"sqlite:///{tmp_path / 'pacc.db'}")
        room = Room(engine)
        room.worker.take(TAPE, 0)
        for start, end in _pieces(0, cuts, ahead_from):
            room.worker.process(records[start:end])
        if goes_ahead:
            brings(room, records[ahead_from:])
        for start, end in _pieces(ahead_from, cuts, len(records)):
            room.worker.process(records[start:end])
        stood.append(standing(room))
        assert room.ledger["reconciled"]
        engine.dispose()
    in_turn, ahead = stood
    assert {vin: state[:2] for vin, state in ahead.items()} == {
        vin: state[:2] for vin, state in in_turn.items()
    }
    for vin, (_, _, priority, _) in ahead.items():
        rank = PRIORITY_RANK[Priority(priority)]
        assert rank >= PRIORITY_RANK[Priority(in_turn[vin][2])]


def _pieces(first: int, cuts: Sequence[int], end: int) -> list[tuple[int, int]]:
    edges = sorted({first, *(cut for cut in cuts if first < cut < end), end})
    return list(itertools.pairwise(edges))
