"""What ends stays ended, what comes and goes is one case, a repair is one that was recorded."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from dispatch.tasks import actions
from models import tables as t
from models.migrations import upgrade
from models.words import Disposition, Step
from pacc.process.database import make_engine
from tests.worlds import BEIJING, CAR, Centre, Room, Stream, advisor, operator

HOUR, DAY = 60, 24 * 60
WINDOW_FAULT = "dtc:B1342"


def ended(engine: sa.Engine, disposition: Disposition, *steps: Step) -> tuple[Centre, Stream]:
    """A dealer's case of one limited fault that a person has ended."""
    centre, stream = Centre(engine), Stream().says(CAR, WINDOW_FAULT, **BEIJING)
    centre.plays(stream.records)
    task = centre.task()
    wang = advisor(task["desk"])
    centre.act(actions.claim, task["task_id"], wang)
    centre.walks(task["task_id"], wang, *steps)
    centre.act(actions.complete, task["task_id"], wang, disposition=disposition, note=None)
    return centre, stream


def play_more(centre: Room, stream: Stream, count: int) -> None:
    for record in stream.records[-count:]:
        centre.plays([record])


@pytest.mark.parametrize(
    "disposition",
    [Disposition.DECLINED, Disposition.UNREACHABLE, Disposition.FALSE_ALARM],
)
def test_a_fault_that_never_went_away_opens_no_case_after_a_person_ended_it(
    engine: sa.Engine, disposition: Disposition
) -> None:
    centre, stream = ended(engine, disposition)
    for minute in range(1, 30):
        stream.says(CAR, WINDOW_FAULT, minute, **BEIJING)
    stream.says(CAR, WINDOW_FAULT, 40 * DAY, **BEIJING)
    centre.plays(stream.records[1:], cuts=[7, 20])
    (case,) = centre.rows(t.case)
    assert case["state"] == "closed"
    assert centre.rows(t.fault)[0]["count"] == 31
    assert centre.outcomes() == {"opened": 1, "repeated": 30}
    assert len(centre.rows(t.task)) == 1


def test_a_fault_that_grows_worse_is_a_new_case_with_the_old_one_named(engine: sa.Engine) -> None:
    centre, stream = ended(engine, Disposition.DECLINED)
    stream.says(CAR, WINDOW_FAULT, 5, severity="stop", motion="parked", **BEIJING)
    play_more(centre, stream, 1)
    first, second = sorted(centre.rows(t.case), key=lambda case: case["opened_at"])
    assert (first["state"], second["state"]) == ("closed", "open")
    assert second["previous_case"] == first["case_id"]
    assert not second["is_repeat_repair"]


def test_a_fault_that_a_person_left_is_back_in_its_case_after_it_went_away(
    engine: sa.Engine,
) -> None:
    centre, stream = ended(engine, Disposition.DECLINED)
    stream.says(CAR, WINDOW_FAULT, HOUR, status="cleared").says(CAR, WINDOW_FAULT, 5 * HOUR)
    play_more(centre, stream, 2)
    (case,) = centre.rows(t.case)
    assert (case["state"], case["priority"], case["is_repeat_repair"]) == ("open", "normal", False)
    assert centre.rows(t.fault)[0]["returns"] == 1
    assert [task["state"] for task in centre.rows(t.task)].count("queued") == 1
    assert centre.outcomes() == {"opened": 1, "cleared": 1, "joined": 1}


def test_a_fault_that_is_back_after_its_window_is_another_case(engine: sa.Engine) -> None:
    centre, stream = ended(engine, Disposition.DECLINED)
    stream.says(CAR, WINDOW_FAULT, HOUR, status="cleared").says(CAR, WINDOW_FAULT, 3 * DAY)
    play_more(centre, stream, 2)
    assert sorted(case["state"] for case in centre.rows(t.case)) == ["closed", "open"]
    assert not any(case["is_repeat_repair"] for case in centre.rows(t.case))


def test_a_repair_ends_the_fault_and_its_return_is_a_failed_repair(engine: sa.Engine) -> None:
    steps = (Step.CONTACT, Step.BOOK, Step.CHECK_IN, Step.REPAIR)
    centre, stream = ended(engine, Disposition.REPAIRED, *steps)
    (closed,) = centre.rows(t.case)
    repaired_after = (closed["closed_at"] - closed["opened_at"]).total_seconds() / 60
    stream.says(CAR, WINDOW_FAULT, repaired_after + 5, seen=repaired_after - 1, **BEIJING)
    play_more(centre, stream, 1)
    assert centre.outcomes() == {"opened": 1, "late": 1}
    stream.says(CAR, WINDOW_FAULT, repaired_after + 30, **BEIJING)
    play_more(centre, stream, 1)
    again = next(case for case in centre.rows(t.case) if case["state"] == "open")
    assert again["is_repeat_repair"]
    assert "repeat-repair" in again["rules"]
    assert "of a repair" in str(again["reasons"])


def test_what_healed_by_itself_was_not_repaired(engine: sa.Engine) -> None:
    stream = Stream().says(CAR, WINDOW_FAULT).says(CAR, WINDOW_FAULT, 5, status="cleared")
    stream.says(CAR, WINDOW_FAULT, 3 * DAY)
    room = Room(engine).plays(stream.records)
    first, second = sorted(room.rows(t.case), key=lambda case: case["opened_at"])
    assert second["previous_case"] == first["case_id"]
    assert (second["is_repeat_repair"], second["priority"]) == (False, "normal")


def flapping(times: int, every: float) -> Stream:
    stream = Stream().says(CAR, WINDOW_FAULT, **BEIJING)
    for number in range(1, times + 1):
        stream.says(CAR, WINDOW_FAULT, number * every - every / 2, status="cleared")
        stream.says(CAR, WINDOW_FAULT, number * every)
    return stream


@pytest.mark.parametrize("every", [10, 90, 20 * HOUR])
@pytest.mark.parametrize("cuts", [range(0), range(1, 20), range(2, 20, 3)])
def test_a_fault_that_comes_and_goes_is_one_case_and_one_task(
    engine: sa.Engine, every: float, cuts: range
) -> None:
    stream = flapping(8, every)
    room = Room(engine).plays(stream.records, cuts=[cut for cut in cuts if cut < 17])
    (case,) = room.rows(t.case)
    (fault,) = room.rows(t.fault)
    assert (case["state"], fault["returns"], fault["count"]) == ("open", 8, 9)
    assert "came and went 8 times" in str(case["reasons"])
    open_tasks = [task for task in room.rows(t.task) if task["state"] != "done"]
    assert [task["queue"] for task in open_tasks] == ["roadside"]
    assert len(room.rows(t.task)) == 1


@pytest.mark.parametrize("cuts", [[], [1, 2, 3, 4], [3], [4]])
def test_a_healed_task_goes_on_only_with_the_report_that_opens_its_case_again(
    engine: sa.Engine, cuts: list[int]
) -> None:
    stream = Stream().says(CAR, WINDOW_FAULT).says(CAR, "dtc:B1300", 1, severity="info")
    for code in ("dtc:B1300", WINDOW_FAULT):
        stream.says(CAR, code, 5, status="cleared")
    stream.says(CAR, "dtc:B1300", 5 * HOUR, severity="info").says(CAR, WINDOW_FAULT, 6 * HOUR)
    room = Room(engine).plays(stream.records, cuts=cuts)
    assert sorted((task["state"], task["disposition"]) for task in room.rows(t.task)) == [
        ("done", "healed"),
        ("queued", None),
    ]


def test_a_healed_task_that_goes_on_is_to_be_claimed_in_time_again(engine: sa.Engine) -> None:
    centre, stream = Centre(engine), Stream().says(CAR, "dtc:P0A7E", **BEIJING)
    centre.plays(stream.records)
    (before,) = centre.rows(t.task)
    centre.later(minutes=20)
    assert centre.rows(t.task)[0]["claim_missed_at"] is not None
    stream.says(CAR, "dtc:P0A7E", 30, status="cleared").says(CAR, "dtc:P0A7E", 5 * HOUR, **BEIJING)
    centre.plays(stream.records[1:], cuts=[1])
    (after,) = centre.rows(t.task)
    assert after["task_id"] == before["task_id"]
    assert (after["state"], after["disposition"]) == ("queued", None)
    assert after["claim_missed_at"] is None
    assert after["claim_by"] > before["claim_by"]
    assert centre.entries().count("reopened") == 1
    task = after["task_id"]
    centre.act(actions.claim, task, operator("Li"))


@pytest.mark.parametrize("every", [0.02, 1, 30])
def test_a_steady_fault_keeps_its_priority_however_often_it_is_reported(
    engine: sa.Engine, every: float
) -> None:
    stream = Stream()
    for number in range(60):
        stream.says(CAR, WINDOW_FAULT, number * every, **BEIJING)
    room = Room(engine).plays(stream.records)
    (case,) = room.rows(t.case)
    assert (case["priority"], case["rules"]) == ("normal", ["limited-other"])


def test_a_pending_code_is_confirmed_by_its_third_drive_and_not_by_looking(
    engine: sa.Engine,
) -> None:
    stream = Stream()
    for minute in (0, 1, 2, 90, 5 * HOUR):
        stream.says(CAR, WINDOW_FAULT, minute, status="pending", odometer_km=1000)
    stream.says(CAR, WINDOW_FAULT, DAY, status="pending", odometer_km=1000)  # it stood all day
    room = Room(engine).plays(stream.records)
    assert room.outcomes() == {"held": 6}
    stream.says(CAR, WINDOW_FAULT, 2 * DAY, status="pending", odometer_km=1030)
    stream.says(CAR, WINDOW_FAULT, 2 * DAY + 9 * HOUR, status="pending", odometer_km=1060)
    play_more(room, stream, 2)
    assert room.outcomes() == {"held": 7, "opened": 1}


def test_any_cut_of_a_story_with_heals_and_returns_gives_the_same(tmp_path: Path) -> None:
    stream = flapping(5, 70)
    stream.says(CAR, "dtc:P0A7E", 400).says(CAR, "dtc:P0A7E", 410, status="cleared")
    stream.says(CAR, WINDOW_FAULT, 420, status="cleared").says(CAR, "dtc:P0A7E", 9 * HOUR)
    stream.says(CAR, "dtc:C1234", 3 * DAY).raw(b"{}", 4 * DAY)
    digests = set()
    for number, cuts in enumerate(([], range(1, 17), [3, 9, 13], [5, 6, 14], [16])):
        engine = make_engine(f"sqlite:///{tmp_path}/{number}.db")
        upgrade(engine)
        digests.add(str(Room(engine).plays(stream.records, cuts=list(cuts)).digest))
    assert len(digests) == 1
