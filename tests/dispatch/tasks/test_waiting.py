"""Waiting for the customer: pauses, attempts, appointments; and where the vehicle waits."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dispatch.read.tasks import candidates
from dispatch.rules.call_cadence import CADENCE
from dispatch.tasks import actions, customer_contact
from models import tables as t
from models.errors import Unusable
from models.words import Channel, Step
from tests.worlds import (
    BEIJING,
    CAR,
    LI,
    START,
    STRANDED,
    Centre,
    Stream,
    advisor,
    stranded,
    to_be_called,
)


def test_a_pause_ends_by_itself_and_nobody_is_handed_the_task_meanwhile(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    centre.act(actions.claim, task_id, LI)
    pause = actions.Details(pause=timedelta(minutes=10))
    centre.act(actions.step, task_id, LI, what=Step.PAUSE, note=None, more=pause)
    centre.later(minutes=5)
    assert centre.act(candidates, LI) == []
    assert "task_woken" not in centre.entries()
    centre.later(minutes=5)
    assert centre.act(candidates, LI) == [task_id]
    assert centre.entries().count("task_woken") == 1
    assert (centre.task()["paused_at"], centre.task()["alarms"]) == (None, 2)


@pytest.mark.parametrize(
    ("severity", "minutes", "longest"), [("stop", 11, 10), ("stop", 0, 10), ("limited", 241, 240)]
)
def test_a_pause_is_no_longer_than_the_priority_bears(
    engine: sa.Engine, severity: str, minutes: int, longest: int
) -> None:
    centre = Centre(engine)
    says: dict[str, Any] = {"severity": severity, "motion": "moving", **BEIJING}
    centre.plays(Stream().says(CAR, "dtc:P0C01", **says).records)
    task = centre.task()
    who = LI if task["queue"] == "roadside" else advisor(task["desk"])
    centre.act(actions.claim, task["task_id"], who)
    for wanted in (minutes, longest):
        more = actions.Details(pause=timedelta(minutes=wanted))
        pause = {"what": Step.PAUSE, "note": None, "more": more}
        if wanted == longest:
            centre.act(actions.step, task["task_id"], who, **pause)
            continue
        with pytest.raises(Unusable, match=f"from 1 to {longest} minutes") as refused:
            centre.act(actions.step, task["task_id"], who, **pause)
        assert refused.value.facts == {"field": "minutes"}
        assert centre.task()["paused_at"] is None
    assert centre.task()["wake_at"] == centre.now + timedelta(minutes=longest)


def test_a_case_that_turns_urgent_does_not_sleep_on(engine: sa.Engine) -> None:
    centre = Centre(engine)
    stream = Stream().says(CAR, "dtc:P0A80", severity="limited", **BEIJING)
    centre.plays(stream.records)
    task_id = centre.task()["task_id"]
    centre.act(actions.claim, task_id, LI)
    pause = actions.Details(pause=timedelta(hours=2))
    centre.act(actions.step, task_id, LI, what=Step.PAUSE, note=None, more=pause)
    stream.says(CAR, "dtc:P0C01", 1, **STRANDED)
    centre.worker.process(stream.records[1:])
    assert centre.later(seconds=1).done["woken"] == 1
    assert (centre.task()["priority"], centre.task()["paused_at"]) == ("urgent", None)


def test_a_customer_who_does_not_answer_is_tried_again_and_again_and_then_let_be(
    engine: sa.Engine,
) -> None:
    centre, task_id, wang = to_be_called(engine)
    tried = []
    for number, planned in enumerate(CADENCE, start=1):
        assert centre.act(candidates, wang) == [task_id]
        centre.act(actions.claim, task_id, wang)
        centre.act(customer_contact.attempt, task_id, wang, channel=planned.channel, note=None)
        tried.append(centre.now)
        now = centre.task()
        assert (now["state"], now["holder"], now["attempts"]) == ("queued", None, number)
        if now["next_attempt_at"] is not None:
            assert centre.act(candidates, wang) == []
            centre.later(seconds=(now["next_attempt_at"] - centre.now).total_seconds())
    days = [(at - tried[0]).days for at in tried]
    assert days[2:] == sorted(days[2:])
    assert days[-2] >= 7
    assert days[-1] >= 14
    centre.later(days=10)
    assert centre.task()["disposition"] == "unreachable"
    assert centre.entries().count("case_closed") == 1


def test_a_dealer_who_lets_an_attempt_lapse_loses_the_customer(engine: sa.Engine) -> None:
    centre, task_id, wang = to_be_called(engine)
    centre.act(actions.claim, task_id, wang)
    centre.act(customer_contact.attempt, task_id, wang, channel=Channel.CALL, note=None)
    centre.later(days=6)
    assert centre.task(task_id=task_id)["disposition"] == "returned"


def test_a_booking_keeps_when_and_how_the_vehicle_comes(engine: sa.Engine) -> None:
    centre, task_id, wang = to_be_called(engine)
    centre.act(actions.claim, task_id, wang)
    slot = centre.now + timedelta(days=1)
    more = actions.Details(appointment_at=slot, is_pick_up=True)
    centre.act(actions.step, task_id, wang, what=Step.BOOK, note=None, more=more)
    now = centre.task()
    assert (now["appointment_at"], now["is_pick_up"]) == (slot, True)
    assert now["contacted_at"] is not None
    (entry,) = [row for row in centre.rows(t.entry) if row["kind"] == "task_booked"]
    assert entry["detail"] == {"appointment_at": slot.isoformat(), "pick_up": True}


def test_a_case_keeps_where_the_vehicle_was_last_and_how_surely(engine: sa.Engine) -> None:
    centre = Centre(engine)
    on_g6 = {**BEIJING["position"], "accuracy_m": 12, "road": "G6 进京 K12"}
    stream = Stream().says(CAR, "dtc:P0A80", 5, position=on_g6)
    stream.says(CAR, "dtc:P0C01", 1, position={"lat": 31.2, "lon": 121.5})  # older, and late
    centre.plays(stream.records)
    (case,) = centre.rows(t.case)
    assert (case["lat"], case["accuracy_m"], case["road"]) == (on_g6["lat"], 12, "G6 进京 K12")
    assert (case["place_at"] - START).total_seconds() == 300
