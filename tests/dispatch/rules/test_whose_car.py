"""Whose car it is: bench cars reach no desk, a workshop's car stays there, words say so."""

from typing import Any

import pytest
import sqlalchemy as sa

from dispatch.data.master_data import Row, import_vehicles
from dispatch.read.silences import list_silences
from dispatch.read.vehicles import owners
from dispatch.tasks import actions, silences
from models import tables as t
from models.errors import NotAllowed, NotThere
from models.words import Disposition, Step
from pacc.reconcile.cases import cases_against_tasks
from pacc.watch.metrics import Metrics
from tests.worlds import (
    BEIJING,
    CAR,
    LI,
    OTHER,
    START,
    STRANDED,
    Centre,
    Room,
    Stream,
    advisor,
    operator,
    stranded,
    supervisor,
    to_be_called,
)

DEALER = "dealer-beijing-1"
NAME = "Sample dealer Beijing East"


def says(centre: Centre, **cells: Any) -> None:
    """Import what the master data say of the car."""
    row = Row(1, {"vin": CAR, **cells})
    with centre.engine.begin() as connection:
        import_vehicles(connection, [row])


def stop_in_motion(centre: Room, minute: int = 0) -> dict[str, Any]:
    """Let the car report a stop in motion; return its case, which is urgent whosever it is."""
    stream = Stream()
    for number in range(minute + 1):
        stream.says(CAR, "dtc:P0C01", number, **STRANDED)
    centre.plays(stream.records[minute:])
    (case,) = centre.rows(t.case)
    assert case["priority"] == "urgent"  # law 5
    return case


@pytest.mark.parametrize("use", ["bench", "crash_test", "Crash Test"])
def test_a_car_that_nobody_drives_reaches_no_desk_and_is_counted(
    engine: sa.Engine, use: str
) -> None:
    centre = Centre(engine)
    says(centre, use=use)
    case = stop_in_motion(centre)
    assert centre.rows(t.task) == []
    assert len(centre.rows(t.alert)) == 1
    assert case["reasons"][0]["en"].startswith(("Test bench car, no task: ", "Crash test car, no"))
    assert "不派单：" in case["reasons"][0]["zh"]
    metrics = Metrics()
    with engine.begin() as connection:
        metrics.read_database(connection, START)
        assert cases_against_tasks(connection) == []
    labels = {"use": use.lower().replace(" ", "_"), "priority": "urgent"}
    assert metrics.registry.get_sample_value("pacc_off_road_cases", labels) == 1


def test_what_waits_leaves_the_desks_when_a_car_becomes_a_bench_car(engine: sa.Engine) -> None:
    centre, _ = stranded(engine)
    says(centre, use="bench")
    assert centre.later(seconds=1).done["off_road"] == 1
    assert centre.task()["disposition"] == "superseded"
    with engine.begin() as connection:
        assert cases_against_tasks(connection) == []
    says(centre, use="customer")
    stop_in_motion(centre, minute=1)
    assert [row["state"] for row in centre.rows(t.task)].count("queued") == 1


def test_what_a_person_has_in_hand_stays_in_their_hand(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    centre.act(actions.claim, task_id, LI)
    says(centre, use="bench")
    centre.later(seconds=1)
    stop_in_motion(centre, minute=1)
    assert centre.task()["state"] == "claimed"


@pytest.mark.parametrize(
    ("cells", "begins"),
    [
        ({"use": "demo", "preferred_dealer": DEALER}, f"Demonstrator ({NAME}): "),
        ({"use": "demo"}, "Demonstrator: "),
        ({"use": "press"}, "Press car: "),
        ({"state": "sold"}, "Sold, its former owner is not called: "),
        ({"state": "transport"}, "In transport: "),
        ({"use": "press", "state": "workshop"}, "Press car, in the workshop: "),
    ],
)
def test_people_in_a_car_are_helped_whosever_it_is(
    engine: sa.Engine, cells: dict[str, str], begins: str
) -> None:
    centre = Centre(engine)
    says(centre, **cells)
    case = stop_in_motion(centre)
    assert case["reasons"][0]["en"].lower().startswith(begins.lower())
    assert (centre.task()["queue"], centre.task()["priority"]) == ("roadside", "urgent")


def test_a_customers_car_on_the_road_needs_no_words(engine: sa.Engine) -> None:
    centre = Centre(engine)
    says(centre, use="", state="on road")
    plain = stop_in_motion(centre)["reasons"]
    says(centre, use="press")
    assert stop_in_motion(centre, minute=1)["reasons"][0]["en"] == f"Press car: {plain[0]['en']}"


@pytest.mark.parametrize("state", ["workshop", "transport"])
def test_an_urgent_case_goes_to_whoever_has_the_car(engine: sa.Engine, state: str) -> None:
    centre = Centre(engine)
    says(centre, state=state, stands_at=DEALER)
    reasons = stop_in_motion(centre)["reasons"]
    place = "In the workshop" if state == "workshop" else "In transport"
    assert reasons[0]["en"].startswith(f"{place} ({NAME}): ")
    task = centre.task()
    assert (task["queue"], task["desk"], task["priority"]) == ("dealer", DEALER, "urgent")
    assert task["route_en"] == f"{place} ({NAME})"
    assert task["held_en"] is None
    assert (task["claim_by"] - task["opened_at"]).total_seconds() == 60
    assert centre.later(minutes=6).done["returned"] == 1  # nobody there: to the roadside
    assert centre.task(queue="roadside")["state"] == "queued"


@pytest.mark.parametrize("change", [{"hours": {"7": [["09:00", "10:00"]]}}, {"is_open": False}])
def test_while_the_workshop_is_shut_the_roadside_acts(
    engine: sa.Engine, change: dict[str, Any]
) -> None:
    centre = Centre(engine)
    says(centre, state="workshop", stands_at=DEALER)
    with engine.begin() as connection:
        connection.execute(sa.update(t.desk).where(t.desk.c.desk_id == DEALER).values(**change))
    stop_in_motion(Room(engine))
    task = centre.task()
    assert (task["queue"], task["desk"]) == ("roadside", "rsa-beijing")
    assert task["route_en"].startswith(f"In the workshop ({NAME})")


def test_a_dealer_that_says_workshop_gets_the_urgent_of_this_car(engine: sa.Engine) -> None:
    centre, task_id, wang = to_be_called(engine)
    desk = centre.task()["desk"]
    centre.act(actions.claim, task_id, wang)
    centre.walks(task_id, wang, Step.CONTACT, Step.BOOK, Step.CHECK_IN)
    centre.act(silences.silence, CAR, wang, kind="workshop", ends_at=None, reason="brakes")
    stream = Stream().says(CAR, "dtc:B1342", **BEIJING).says(CAR, "dtc:P0C01", 30, **STRANDED)
    centre.plays(stream.records[1:])
    task = centre.task()  # the task in hand is raised; no other is opened beside it
    assert (task["queue"], task["desk"], task["priority"]) == ("dealer", desk, "urgent")
    assert task["holder"] == wang.actor_id
    assert centre.rows(t.case)[0]["reasons"][0]["en"].startswith("In the workshop (")


def test_a_waiting_task_is_brought_to_the_desk_that_has_the_car(engine: sa.Engine) -> None:
    centre, _, _ = to_be_called(engine)
    before = centre.task()["desk"]
    other = next(f"dealer-beijing-{n}" for n in (1, 2, 4) if f"dealer-beijing-{n}" != before)
    says(centre, state="workshop", stands_at=other)
    stream = Stream().says(CAR, "dtc:B1342", **BEIJING).says(CAR, "dtc:P0C01", 30, **STRANDED)
    centre.plays(stream.records[1:])
    assert (centre.task()["desk"], centre.task()["priority"]) == (other, "urgent")


def test_the_workshop_of_the_master_data_holds_until_the_car_leaves(engine: sa.Engine) -> None:
    centre, task_id, wang = to_be_called(engine)
    says(centre, state="workshop", stands_at=DEALER)
    assert centre.later(seconds=1).done == {"held": 1}
    assert "in the workshop" in centre.task()["held_en"]
    says(centre, plate="沪A")  # does not bring the state: it stays
    assert centre.later(seconds=1).done == {}
    says(centre, state="on_road")
    assert centre.later(seconds=1).done == {"unheld": 1}
    says(centre, state="workshop")
    centre.later(seconds=1)
    (silence,) = centre.rows(t.silence)
    centre.act(silences.lift, silence["silence_id"], supervisor())  # as a person sees it
    assert centre.rows(t.vehicle, vin=CAR)[0]["state"] == "on_road"
    assert centre.task()["held_en"] is None
    centre.act(actions.claim, task_id, wang)


def test_of_a_car_that_was_sold_the_former_owner_is_called_no_more(engine: sa.Engine) -> None:
    centre = Centre(engine)
    says(centre, name="Gao", phone="13800000020", has_consent="true", market="CN")
    with engine.begin() as connection:
        assert owners(connection, [CAR], LI)[CAR].phone == "+8613800000020"
    says(centre, state="sold")
    with engine.begin() as connection:
        assert owners(connection, [CAR], LI) == {}
    says(centre, state="on_road")  # the consent of the former owner does not come back
    with engine.begin() as connection:
        assert owners(connection, [CAR], LI)[CAR].phone is None


def test_a_car_can_be_silenced_before_its_first_task(engine: sa.Engine) -> None:
    centre = Centre(engine)
    terms = {"kind": "silence", "ends_at": None, "reason": "test track"}
    centre.act(silences.silence, CAR, supervisor(), **terms)
    centre.plays(Stream().says(CAR, "dtc:B1342", **BEIJING).records)
    assert centre.task()["held_en"] == "Held back: the vehicle is silenced: test track"


def test_who_does_not_see_a_car_cannot_silence_it_before_its_first_task(engine: sa.Engine) -> None:
    centre = Centre(engine)
    workshop = {"kind": "workshop", "ends_at": None, "reason": "brakes"}
    says(centre, preferred_dealer=DEALER)
    for who in (advisor("dealer-beijing-2"), supervisor("rsa-beijing")):
        for vin in (CAR, OTHER):
            with pytest.raises(NotThere):
                centre.act(silences.silence, vin, who, **workshop)
    with pytest.raises(NotAllowed):
        centre.act(silences.silence, CAR, operator(), **workshop)
    centre.act(silences.silence, CAR, advisor(DEALER), **workshop)
    (silence,) = centre.act(list_silences, advisor(DEALER))
    assert centre.rows(t.silence)[0]["desk"] == DEALER
    assert centre.act(list_silences, advisor("dealer-beijing-2")) == []
    centre.act(silences.lift, silence.silence_id, advisor(DEALER))
    assert [row["vin"] for row in centre.rows(t.vehicle)] == [CAR]


def test_words_that_nobody_knows_stop_no_worker(engine: sa.Engine) -> None:
    centre = Centre(engine)
    says(centre, use="press")
    with engine.begin() as connection:
        odd = {"use": "spaceship", "state": "orbit", "stands_at": "moon"}
        connection.execute(sa.update(t.vehicle).values(**odd))
    stop_in_motion(centre)
    assert centre.task()["queue"] == "roadside"


def test_a_bench_car_that_was_a_false_alarm_comes_back_to_nobody(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    centre.act(actions.claim, task_id, LI)
    centre.act(actions.complete, task_id, LI, Disposition.FALSE_ALARM, None)
    says(centre, use="bench")
    stream = Stream().says(CAR, "dtc:P0C01", **STRANDED).says(CAR, "dtc:P0C01", 5, **STRANDED)
    centre.plays(stream.records[1:])
    assert [row["state"] for row in centre.rows(t.task)] == ["done"]
