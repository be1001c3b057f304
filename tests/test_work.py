"""People and time at work: claims, steps, ends, deadlines, holds, and what leaves the system."""

import json
import threading
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from dispatch import hold, read
from dispatch import store as work
from dispatch.relay import relay
from dispatch.task import after, endings, possible
from models import tables as t
from models.batch import Message
from models.errors import Conflict, NotAllowed, NotThere, Unreachable, Unusable
from models.words import Disposition, Queue, Step, TaskState
from tests.worlds import CAR, Centre, Stream, advisor, operator, supervisor

STRANDED: dict[str, Any] = {"severity": "stop", "motion": "moving",
                            "position": {"lat": 39.9, "lon": 116.4}}  # fmt: skip
LI, CHEN = operator("Li"), operator("Chen")


def stranded(engine: sa.Engine) -> tuple[Centre, str]:
    """A car that must stop near Beijing, and its task."""
    centre = Centre(engine)
    centre.plays(Stream().says(CAR, "dtc:P0C01", **STRANDED).records)
    return centre, centre.task()["task_id"]


def test_every_state_can_be_left_and_every_end_is_reachable() -> None:
    for queue in Queue:
        seen, todo = set(), [TaskState.QUEUED]
        while todo:
            state = todo.pop()
            seen.add(state)
            for step in possible(queue, state):
                if step is Step.COMPLETE:
                    assert endings(queue, state)
                elif after(queue, state, step) not in seen:
                    todo.append(after(queue, state, step))
        assert all(endings(queue, state) for state in seen - {TaskState.QUEUED})
    with pytest.raises(Conflict, match="queued cannot contact"):
        after(Queue.ROADSIDE, TaskState.QUEUED, Step.CONTACT)


def test_a_tow_is_followed_by_a_dealer_to_the_end(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    centre.act(work.claim, task_id, LI)
    centre.walks(task_id, LI, Step.CONTACT, Step.SET_OUT, Step.ARRIVE, Step.TOW)
    centre.act(work.complete, task_id, LI, disposition=Disposition.TOWED, note="to the dealer")
    assert centre.rows(t.case)[0]["state"] == "open"
    follow_up = centre.task(state="queued")
    assert (follow_up["queue"], follow_up["priority"]) == ("dealer", "urgent")
    assert follow_up["desk"].startswith("dealer-beijing")
    wang = advisor(follow_up["desk"])
    centre.act(work.claim, follow_up["task_id"], wang)
    centre.walks(follow_up["task_id"], wang, Step.BOOK, Step.CHECK_IN, Step.REPAIR)
    done = Disposition.REPAIRED
    centre.act(work.complete, follow_up["task_id"], wang, disposition=done, note=None)
    (case,) = centre.rows(t.case)
    assert (case["state"], case["closed_at"]) == ("closed", centre.now)
    (ended,) = centre.rows(t.vehicle)[0]["history"]
    assert (ended["case_id"], ended["root"]) == (case["case_id"], "dtc:P0C01")


def test_a_repeat_after_the_tow_does_not_call_the_roadside_again(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    centre.act(work.claim, task_id, LI)
    centre.walks(task_id, LI, Step.CONTACT, Step.SET_OUT, Step.ARRIVE, Step.TOW)
    centre.act(work.complete, task_id, LI, disposition=Disposition.TOWED, note=None)
    again = Stream().says(CAR, "dtc:P0C01").says(CAR, "dtc:P0C01", 5, **STRANDED)
    centre.plays(again.records[1:])
    assert [row["queue"] for row in centre.rows(t.task) if row["state"] != "done"] == ["dealer"]


def test_a_repaired_car_that_returns_is_seen_as_a_repeat_repair(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    centre.act(work.claim, task_id, LI)
    centre.walks(task_id, LI, Step.CONTACT)
    fixed = Disposition.FIXED_BY_PHONE
    centre.act(work.complete, task_id, LI, disposition=fixed, note=None)
    stream = Stream().says(CAR, "dtc:P0C01").says(CAR, "dtc:P0C01", 60 * 24, **STRANDED)
    centre.plays(stream.records[1:])
    case = next(row for row in centre.rows(t.case) if row["state"] == "open")
    assert case["is_repeat_repair"]
    assert case["previous_case"] == next(
        row["case_id"] for row in centre.rows(t.case) if row["state"] == "closed"
    )


def test_two_operators_want_one_case_and_the_second_is_told_who_has_it(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    centre.act(work.claim, task_id, LI)
    with pytest.raises(Conflict, match="has the task in hand") as refused:
        centre.act(work.claim, task_id, CHEN)
    assert refused.value.facts["holder"] == LI.name
    with pytest.raises(Conflict, match="has the task in hand"):
        centre.walks(task_id, CHEN, Step.CONTACT)
    centre.act(work.claim, task_id, LI)  # claiming what one has renews it
    assert centre.entries().count("task_claimed") == 1


def test_law_7_of_many_who_claim_at_once_one_wins(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    people = [operator(f"operator {number}") for number in range(12)]
    start = threading.Barrier(len(people))
    won: list[str] = []
    told: list[str] = []

    def race(number: int) -> None:
        start.wait()
        try:
            centre.act(work.claim, task_id, people[number])
            won.append(people[number].name)
        except Conflict as conflict:
            told.append(str(conflict.facts.get("holder")))

    threads = [threading.Thread(target=race, args=(n,)) for n in range(len(people))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert told == won * 11
    assert centre.entries().count("task_claimed") == 1
    assert centre.task()["holder_name"] == won[0]


def test_a_person_and_the_pipeline_at_once_lose_nothing_of_each_other(engine: sa.Engine) -> None:
    """While a task is walked through its states, alerts raise its case: both must stay."""
    centre = Centre(engine)
    stream = Stream()
    for number in range(60):
        stream.says(CAR, f"dtc:B{1300 + number}", number / 60, position={"lat": 39.9, "lon": 116.4})
    centre.plays(stream.records[:1])
    task = centre.task()
    wang = advisor(task["desk"])

    def work_through() -> None:
        centre.act(work.claim, task["task_id"], wang)
        for _ in range(10):
            centre.walks(task["task_id"], wang, Step.PAUSE, Step.RESUME)
        centre.walks(task["task_id"], wang, Step.CONTACT)

    person = threading.Thread(target=work_through)
    person.start()
    for record in stream.records[1:]:
        centre.worker.process([record])
    person.join()
    after_both = centre.rows(t.task, task_id=task["task_id"])[0]
    assert after_both["state"] == "contacted"
    revisions = [row["case_seq"] for row in centre.rows(t.outbox)]
    assert sorted(revisions) == list(range(1, len(revisions) + 1))
    assert revisions == sorted(revisions)


def test_an_expired_claim_goes_back_to_the_queue(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    centre.act(work.claim, task_id, LI)
    centre.later(seconds=60)
    centre.act(work.renew, task_id, LI)
    centre.later(seconds=80)
    assert centre.task()["state"] == "claimed"
    centre.later(seconds=11)
    assert (centre.task()["state"], centre.task()["holder"]) == ("queued", None)
    with pytest.raises(Conflict, match="claim it first"):
        centre.act(work.renew, task_id, LI)
    centre.act(work.claim, task_id, CHEN)
    assert centre.task()["holder"] == CHEN.actor_id


def test_help_under_way_loses_its_holder_and_keeps_its_state(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    centre.act(work.claim, task_id, LI)
    centre.walks(task_id, LI, Step.CONTACT, Step.SET_OUT)
    centre.later(seconds=100)
    assert (centre.task()["state"], centre.task()["holder"]) == ("en_route", None)
    centre.act(work.claim, task_id, CHEN)
    centre.walks(task_id, CHEN, Step.ARRIVE)


def test_missed_promises_alarm_once(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    centre.later(seconds=59)
    assert centre.done == {}
    centre.later(seconds=1)
    assert centre.done == {"claim_missed": 1}
    centre.act(work.claim, task_id, LI)
    centre.later(minutes=4)
    centre.act(work.claim, task_id, LI)
    centre.later(minutes=5)
    centre.later(minutes=5)
    assert centre.entries().count("task_contact_missed") == 1
    assert centre.rows(t.task)[0]["alarms"] == 3


def test_a_dealer_who_does_not_call_loses_the_customer_to_the_centre(engine: sa.Engine) -> None:
    centre = Centre(engine)
    place = {"lat": 39.9, "lon": 116.4}
    centre.plays(Stream().says(CAR, "dtc:B1342", position=place).records)
    dealer = centre.task()
    assert dealer["queue"] == "dealer"
    centre.later(hours=20)
    assert centre.task()["state"] == "queued"
    centre.later(days=2)
    assert centre.done == {"returned": 1}
    assert centre.task(queue="dealer")["disposition"] == "returned"
    back = centre.task(queue="roadside")
    assert (back["desk"], back["state"]) == ("rsa-beijing", "queued")
    assert "did not call" in back["route_en"]
    centre.plays(Stream().says(CAR, "dtc:B1342").says(CAR, "dtc:B1342", 99999).records[1:])
    assert [row["queue"] for row in centre.rows(t.task) if row["state"] != "done"] == ["roadside"]


def test_time_that_waits_for_the_customer_does_not_count(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    centre.act(work.claim, task_id, LI)
    due = centre.task()["contact_by"]
    centre.walks(task_id, LI, Step.PAUSE)
    for _ in range(10):
        centre.later(minutes=1)
        centre.act(work.renew, task_id, LI)
    assert "contact_missed" not in centre.done
    centre.walks(task_id, LI, Step.RESUME)
    assert (centre.task()["contact_by"] - due).total_seconds() == 600


def test_a_take_over_needs_a_supervisor_and_is_written_down(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    centre.act(work.claim, task_id, LI)
    with pytest.raises(NotAllowed):
        centre.act(work.take_over, task_id, CHEN, reason="mine")
    centre.act(work.take_over, task_id, supervisor(), reason="Li is on a break")
    assert centre.task()["holder"] == supervisor().actor_id
    entry = next(row for row in centre.rows(t.entry) if row["kind"] == "task_taken_over")
    assert entry["detail"] == {"reason": "Li is on a break", "before": LI.name}
    with pytest.raises(Conflict):
        centre.walks(task_id, LI, Step.CONTACT)


def test_a_transfer_keeps_the_deadlines_and_hides_the_task_from_the_old_desk(
    engine: sa.Engine,
) -> None:
    centre, task_id = stranded(engine)
    before = centre.task()
    centre.act(work.claim, task_id, LI)
    with pytest.raises(Unusable, match="no roadside desk"):
        centre.act(work.transfer, task_id, LI, desk_id="dealer-beijing-1", reason="?")
    centre.act(work.transfer, task_id, LI, desk_id="rsa-shanghai", reason="nearer")
    moved = centre.task()
    assert (moved["state"], moved["desk"], moved["claim_by"]) == (
        "queued", "rsa-shanghai", before["claim_by"],
    )  # fmt: skip
    with pytest.raises(NotThere):
        centre.act(work.claim, task_id, LI)
    centre.act(work.claim, task_id, operator("Sun", "rsa-shanghai"))


def test_an_end_that_the_state_does_not_allow_is_refused_with_those_it_does(
    engine: sa.Engine,
) -> None:
    centre, task_id = stranded(engine)
    centre.act(work.claim, task_id, LI)
    with pytest.raises(Unusable, match="already_helped, declined, false_alarm, unreachable"):
        centre.act(work.complete, task_id, LI, disposition=Disposition.TOWED, note=None)


def test_a_workshop_holds_new_work_back_until_it_is_lifted(engine: sa.Engine) -> None:
    centre = Centre(engine)
    place = {"lat": 39.9, "lon": 116.4}
    stream = Stream().says(CAR, "dtc:B1342", position=place)
    centre.plays(stream.records)
    wang = advisor(centre.task()["desk"])
    silence_id = centre.act(
        hold.silence, CAR, wang, kind="workshop", ends_at=None, reason="brakes"
    )  # fmt: skip
    held = centre.task()
    assert held["held_en"] == "Held back: the vehicle is in the workshop: brakes"
    with pytest.raises(Conflict, match="in the workshop"):
        centre.act(work.claim, held["task_id"], wang)
    assert centre.act(read.candidates, wang) == []
    centre.later(days=3)
    assert centre.done == {}
    centre.act(hold.lift, silence_id, wang)
    free = centre.task()
    assert free["held_en"] is None
    assert free["contact_by"] > centre.now
    assert centre.act(read.candidates, wang) == [free["task_id"]]


def test_a_silence_that_ends_releases_only_what_is_still_broken(engine: sa.Engine) -> None:
    centre = Centre(engine)
    stream = Stream().says(CAR, "dtc:B1342", position={"lat": 39.9, "lon": 116.4})
    centre.plays(stream.records)
    end = centre.now.replace(hour=12)
    given = {"kind": "silence", "ends_at": end, "reason": "test drive"}
    centre.act(hold.silence, CAR, supervisor(), **given)
    stream.says(CAR, "dtc:B1342", 10, status="cleared")
    centre.plays(stream.records[-1:])
    centre.later(hours=20)
    assert centre.task()["held_en"] is not None
    stream.says(CAR, "dtc:B1342", 15, position={"lat": 39.9, "lon": 116.4})
    centre.plays(stream.records[-1:])
    centre.later(seconds=1)
    assert centre.done == {"unheld": 1}
    assert centre.task()["held_en"] is None


def test_law_5_a_silence_never_holds_an_urgent_task(engine: sa.Engine) -> None:
    centre, _ = stranded(engine)
    given = {"kind": "silence", "ends_at": None, "reason": "test"}
    centre.act(hold.silence, CAR, supervisor(), **given)
    assert centre.task()["held_en"] is None


class Post:
    """A stand-in for Kafka that may be down, and remembers what it took."""

    def __init__(self, *, is_down: bool = False) -> None:
        self.is_down = is_down
        self.taken: list[Message] = []

    def send(self, messages: Sequence[Message]) -> None:
        """Take the messages, and fail after that if down: the worst moment."""
        self.taken += messages
        if self.is_down:
            raise Unreachable("Kafka is down")


def test_events_are_sent_again_under_the_same_ids_and_in_the_order_of_the_case(
    engine: sa.Engine,
) -> None:
    centre, task_id = stranded(engine)
    centre.act(work.claim, task_id, LI)
    down, up = Post(is_down=True), Post()
    with pytest.raises(Unreachable):
        relay(engine, down, centre.now)
    assert relay(engine, up, centre.now) == 3
    assert relay(engine, up, centre.now) == 0
    assert down.taken == up.taken
    events = [json.loads(one.value or b"") for one in up.taken]
    assert [event["type"] for event in events] == [
        "pacc.case.opened.v1", "pacc.task.opened.v1", "pacc.task.claimed.v1",
    ]  # fmt: skip
    assert [one.topic for one in up.taken] == ["pacc.cases", *["pacc.tasks.roadside"] * 2]
    assert len({event["id"] for event in events}) == 3
    assert [event["sequence"] for event in events] == sorted(event["sequence"] for event in events)


def test_people_and_time_do_not_change_the_digest(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    before = centre.digest
    centre.act(work.claim, task_id, LI)
    centre.walks(task_id, LI, Step.CONTACT, Step.SET_OUT, Step.ARRIVE, Step.TOW)
    centre.act(work.complete, task_id, LI, disposition=Disposition.TOWED, note=None)
    centre.later(days=9)
    assert len(centre.rows(t.task)) > 1
    assert centre.digest == before
