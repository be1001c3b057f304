"""An id that comes again with other content is another report, and one with the same is none."""

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from models import tables as t
from models.words import Outcome, Priority
from tests.truth.door.cases import alert, decided, foreign, outcomes, placed, reports
from tests.worlds import CAR, Room

LIFE = (
    alert(0, id="alarm-4711", motion="moving"),
    alert(5, id="alarm-4711", motion="moving", severity="stop"),
    alert(20, id="alarm-4711", severity="stop", status="cleared"),
)


def test_an_alarm_that_keeps_its_id_for_its_life_is_urgent_and_clears(engine: sa.Engine) -> None:
    stream = placed(LIFE)
    for cuts in ((), (1, 2)):
        room = Room(engine).plays(stream, cuts)
    assert room.outcomes()["duplicate"] == 3
    assert {row["outcome"] for row in room.rows(t.alert)} == {"opened", "repeated", "cleared"}
    (case,) = room.rows(t.case)
    assert case["priority"] == Priority.URGENT
    assert "id" in case["defaulted"]
    (fault,) = room.rows(t.fault)
    assert fault["status"] == "cleared"


@pytest.mark.parametrize(
    "change",
    [
        {"severity": "stop"},
        {"status": "pending"},
        {"observed_at": "2026-01-15T02:00:01Z"},
        {"vin": "LBV8P2C05L7F00002"},
        {"code": "dtc:P0C01"},
    ],
)
def test_another_content_is_another_report_and_marked(change: dict[str, Any]) -> None:
    first, second, again = (alert(0, id="7", **more) for more in ({}, change, change))
    decision = decided(first, second, again)
    assert outcomes(decision)[2] is Outcome.DUPLICATE
    assert Outcome.DUPLICATE not in outcomes(decision)[:2]
    (_, marked) = (item for _, _, _, item in decision.reports)
    assert "id" in marked.defaulted


@given(st.lists(st.sampled_from(range(3)), min_size=1, max_size=12))
def test_each_content_is_counted_once_in_any_order(order: list[int]) -> None:
    decision = decided(*(LIFE[place] for place in order))
    assert outcomes(decision).count(Outcome.DUPLICATE) == len(order) - len(set(order))


def test_a_document_without_a_time_is_one_however_often_it_is_polled() -> None:
    document = {"vin": CAR, "dtcs": [{"code": "P0A80", "status": 9}]}
    decision = decided(*(foreign("uds", document, minute) for minute in range(3)))
    assert outcomes(decision) == [Outcome.OPENED, Outcome.DUPLICATE, Outcome.DUPLICATE]


def test_a_clock_that_is_not_believed_makes_no_new_report() -> None:
    ahead = "2026-03-01T00:00:00Z"
    decision = decided(*(alert(minute, id="7", observed_at=ahead) for minute in range(3)))
    assert outcomes(decision) == [Outcome.OPENED, Outcome.DUPLICATE, Outcome.DUPLICATE]
    assert reports(decision)[0].clock_suspect
