"""A task from its first step to its end, and what follows an end."""

import pytest
import sqlalchemy as sa

from dispatch.rules.lifecycle import after, endings, possible
from dispatch.tasks import actions
from models import tables as t
from models.errors import Conflict, Unusable
from models.words import Disposition, Queue, Step, TaskState
from tests.worlds import CAR, LI, STRANDED, Stream, advisor, stranded


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


def test_an_end_that_the_state_does_not_allow_is_refused_with_those_it_does(
    engine: sa.Engine,
) -> None:
    centre, task_id = stranded(engine)
    centre.act(actions.claim, task_id, LI)
    with pytest.raises(Unusable, match="already_helped, declined, false_alarm, unreachable"):
        centre.act(actions.complete, task_id, LI, disposition=Disposition.TOWED, note=None)


def test_a_tow_is_followed_by_a_dealer_to_the_end(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    centre.act(actions.claim, task_id, LI)
    centre.walks(task_id, LI, Step.CONTACT, Step.SET_OUT, Step.ARRIVE, Step.TOW)
    centre.act(actions.complete, task_id, LI, disposition=Disposition.TOWED, note="to the dealer")
    assert centre.rows(t.case)[0]["state"] == "open"
    follow_up = centre.task(state="queued")
    assert (follow_up["queue"], follow_up["priority"]) == ("dealer", "urgent")
    assert follow_up["desk"].startswith("dealer-beijing")
    wang = advisor(follow_up["desk"])
    centre.act(actions.claim, follow_up["task_id"], wang)
    centre.walks(follow_up["task_id"], wang, Step.BOOK, Step.CHECK_IN, Step.REPAIR)
    done = Disposition.REPAIRED
    centre.act(actions.complete, follow_up["task_id"], wang, disposition=done, note=None)
    (case,) = centre.rows(t.case)
    assert (case["state"], case["closed_at"]) == ("closed", centre.now)
    (ended,) = centre.rows(t.vehicle)[0]["history"]
    assert (ended["case_id"], ended["root"]) == (case["case_id"], "dtc:P0C01")


def test_a_repeat_after_the_tow_does_not_call_the_roadside_again(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    centre.act(actions.claim, task_id, LI)
    centre.walks(task_id, LI, Step.CONTACT, Step.SET_OUT, Step.ARRIVE, Step.TOW)
    centre.act(actions.complete, task_id, LI, disposition=Disposition.TOWED, note=None)
    again = Stream().says(CAR, "dtc:P0C01").says(CAR, "dtc:P0C01", 5, **STRANDED)
    centre.plays(again.records[1:])
    assert [row["queue"] for row in centre.rows(t.task) if row["state"] != "done"] == ["dealer"]


def test_a_repaired_car_that_returns_is_seen_as_a_repeat_repair(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    centre.act(actions.claim, task_id, LI)
    centre.walks(task_id, LI, Step.CONTACT, Step.SET_OUT, Step.ARRIVE)
    fixed = Disposition.FIXED_ON_SITE
    centre.act(actions.complete, task_id, LI, disposition=fixed, note=None)
    stream = Stream().says(CAR, "dtc:P0C01").says(CAR, "dtc:P0C01", 60 * 24, **STRANDED)
    centre.plays(stream.records[1:])
    case = next(row for row in centre.rows(t.case) if row["state"] == "open")
    assert case["is_repeat_repair"]
    assert case["previous_case"] == next(
        row["case_id"] for row in centre.rows(t.case) if row["state"] == "closed"
    )


def test_people_and_time_do_not_change_the_digest(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    before = centre.digest
    centre.act(actions.claim, task_id, LI)
    centre.walks(task_id, LI, Step.CONTACT, Step.SET_OUT, Step.ARRIVE, Step.TOW)
    centre.act(actions.complete, task_id, LI, disposition=Disposition.TOWED, note=None)
    centre.later(days=9)
    assert len(centre.rows(t.task)) > 1
    assert centre.digest == before
