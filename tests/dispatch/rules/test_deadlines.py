"""Deadlines: a promise that is missed alarms once, and time that waits does not count."""

from datetime import timedelta

import sqlalchemy as sa

from dispatch.data.desks import load_directory
from dispatch.rules.opening_hours import read_hours, stored_hours
from dispatch.rules.policy import DispatchPolicy
from dispatch.tasks import actions
from models import tables as t
from models.words import Step
from tests.worlds import BEIJING, CAR, LI, START, Centre, Stream, advisor, stranded, to_be_called


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


def closing_time(engine: sa.Engine, hours: str) -> tuple[Centre, str]:
    """A customer due on Friday at 17:55, and it is Friday 13:50; the desk has these hours."""
    centre = Centre(engine)
    with engine.begin() as connection:
        column = stored_hours(read_hours(hours))
        connection.execute(sa.update(t.desk).where(t.desk.c.kind == "dealer").values(hours=column))
        centre.house = DispatchPolicy(load_directory(connection))
    centre.plays(Stream().says(CAR, "dtc:B1342", minute=475, **BEIJING).records)
    centre.later(hours=27, minutes=50)
    return centre, centre.task()["task_id"]


def test_a_pause_over_closing_time_ends_in_hours_and_nothing_is_returned_at_night(
    engine: sa.Engine,
) -> None:
    centre, task_id = closing_time(engine, "1-5 09:00-18:00")
    wang = advisor(centre.task()["desk"])
    assert centre.task()["contact_by"] == START + timedelta(hours=31, minutes=55)
    centre.act(actions.claim, task_id, wang)
    pause = actions.Details(pause=timedelta(hours=4))
    centre.act(actions.step, task_id, wang, what=Step.PAUSE, note=None, more=pause)
    centre.later(hours=4)
    assert centre.done["woken"] == 1
    monday = START + timedelta(days=4)
    assert centre.task()["contact_by"] == monday + timedelta(hours=2, minutes=55)
    centre.later(hours=4)
    assert centre.task()["state"] == "queued"
    centre.now = monday
    assert "returned" not in centre.later(hours=2, minutes=54).done
    assert centre.later(minutes=1).done["returned"] == 1


def test_a_pause_that_ends_at_night_wakes_nobody(engine: sa.Engine) -> None:
    centre, task_id = closing_time(engine, "1-5 09:00-18:00")
    wang = advisor(centre.task()["desk"])
    centre.later(hours=1)
    centre.act(actions.claim, task_id, wang)
    pause = actions.Details(pause=timedelta(hours=4))
    centre.act(actions.step, task_id, wang, what=Step.PAUSE, note=None, more=pause)
    assert centre.task()["wake_at"] == START + timedelta(days=4, hours=-1)


def test_what_falls_due_while_the_desk_is_shut_waits_for_its_opening(engine: sa.Engine) -> None:
    centre, _ = closing_time(engine, "1-5 09:00-18:00")
    with engine.begin() as connection:  # from now on it shuts at noon
        column = stored_hours(read_hours("1-5 09:00-12:00"))
        connection.execute(sa.update(t.desk).where(t.desk.c.kind == "dealer").values(hours=column))
        centre.house = DispatchPolicy(load_directory(connection))
    assert centre.later(hours=5).done == {"contact_postponed": 1}
    assert centre.task()["contact_by"] == START + timedelta(days=4)
    assert centre.later(hours=1).done == {}
    centre.now = START + timedelta(days=4)
    assert centre.later().done == {"returned": 1}
