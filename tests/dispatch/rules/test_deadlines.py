"""Deadlines: a promise that is missed alarms once, and time that waits does not count."""

import sqlalchemy as sa

from dispatch.tasks import actions
from models import tables as t
from models.words import Step
from tests.worlds import CAR, LI, Stream, stranded, to_be_called


def test_missed_promises_alarm_once(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    centre.later(seconds=59)
    assert centre.done == {}
    centre.later(seconds=1)
    assert centre.done == {"claim_missed": 1}
    centre.act(actions.claim, task_id, LI)
    centre.later(minutes=4)
    centre.act(actions.claim, task_id, LI)
    centre.later(minutes=5)
    centre.later(minutes=5)
    assert centre.entries().count("task_contact_missed") == 1
    assert centre.rows(t.task)[0]["alarms"] == 3


def test_a_dealer_who_does_not_call_loses_the_customer_to_the_centre(engine: sa.Engine) -> None:
    centre, _, _ = to_be_called(engine)
    assert centre.task()["queue"] == "dealer"
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
    centre.act(actions.claim, task_id, LI)
    due = centre.task()["contact_by"]
    centre.walks(task_id, LI, Step.PAUSE)
    for _ in range(10):
        centre.later(minutes=1)
        centre.act(actions.renew, task_id, LI)
    assert "contact_missed" not in centre.done
    centre.walks(task_id, LI, Step.RESUME)
    assert (centre.task()["contact_by"] - due).total_seconds() == 600
