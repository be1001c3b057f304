"""Silences and the workshop: what they hold back, until when, and what they never hold."""

import pytest
import sqlalchemy as sa

from dispatch.read.tasks import candidates
from dispatch.tasks import actions, silences
from models.errors import Conflict
from tests.worlds import BEIJING, CAR, Centre, Stream, stranded, supervisor, to_be_called


def test_a_workshop_holds_new_work_back_until_it_is_lifted(engine: sa.Engine) -> None:
    centre, _, wang = to_be_called(engine)
    silence_id = centre.act(
        silences.silence, CAR, wang, kind="workshop", ends_at=None, reason="brakes"
    )
    task = centre.task()
    assert task["held_en"] == "Held back: the vehicle is in the workshop: brakes"
    with pytest.raises(Conflict, match="in the workshop"):
        centre.act(actions.claim, task["task_id"], wang)
    assert centre.act(candidates, wang) == []
    centre.later(days=3)
    assert centre.done == {}
    centre.act(silences.lift, silence_id, wang)
    free = centre.task()
    assert free["held_en"] is None
    assert free["contact_by"] > centre.now
    assert centre.act(candidates, wang) == [free["task_id"]]


def test_a_silence_that_ends_releases_only_what_is_still_broken(engine: sa.Engine) -> None:
    centre = Centre(engine)
    stream = Stream().says(CAR, "dtc:B1342", **BEIJING)
    centre.plays(stream.records)
    end = centre.now.replace(hour=12)
    terms = {"kind": "silence", "ends_at": end, "reason": "test drive"}
    centre.act(silences.silence, CAR, supervisor(), **terms)
    stream.says(CAR, "dtc:B1342", 10, status="cleared")
    centre.plays(stream.records[-1:])
    centre.later(hours=20)
    assert centre.task()["held_en"] is not None
    stream.says(CAR, "dtc:B1342", 15, **BEIJING)
    centre.plays(stream.records[-1:])
    centre.later(seconds=1)
    assert centre.done == {"unheld": 1}
    assert centre.task()["held_en"] is None


def test_law_5_a_silence_never_holds_an_urgent_task(engine: sa.Engine) -> None:
    centre, _ = stranded(engine)
    terms = {"kind": "silence", "ends_at": None, "reason": "test"}
    centre.act(silences.silence, CAR, supervisor(), **terms)
    assert centre.task()["held_en"] is None
