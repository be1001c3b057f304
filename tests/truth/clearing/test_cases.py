"""What was filed in public about clearing, as the records of it, and each varied."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from models import tables as t
from models.batch import Record
from models.words import CaseState
from tests.truth.clearing.answers import stamp
from tests.worlds import CAR, OTHER, TAPE, Centre


def heard(engine: sa.Engine, form: str, *documents: tuple[float, dict[str, Any]]) -> Centre:
    """A centre that got these documents of a car, each at a minute, and another car's at the end.

    The last car's document moves stream time on by a day.
    """
    last = documents[-1][0] + 24 * 60
    quiet = {"id": "z", "source": "z", "code": "dtc:P0001", "status": "cleared"}
    spelled = [(form, CAR, minute, document) for minute, document in documents]
    spelled.append(("canonical", OTHER, last, {**quiet, "vin": OTHER, "observed_at": stamp(1)}))
    begin = 1_768_442_400_000
    centre = Centre(engine)
    centre.plays(
        [
            Record(
                TAPE,
                place,
                int(begin + minute * 60_000),
                vin.encode(),
                json.dumps(document).encode(),
                (("pacc-format", name.encode()),),
            )
            for place, (name, vin, minute, document) in enumerate(spelled)
        ]
    )
    return centre


def stands(centre: Centre) -> dict[str, str]:
    """How each fault stands."""
    return {row["code"]: row["status"] for row in centre.rows(t.fault)}


def state(minute: float | None, *messages: str, **more: Any) -> dict[str, Any]:
    """A vehicle state of this minute with messages that are on."""
    listed = [{"type": name, "severity": "HIGH"} for name in messages]
    at = {} if minute is None else {"lastUpdatedAt": stamp(int(minute))}
    return {"state": {**at, "checkControlMessages": listed, "inMotion": True, **more}}


@pytest.mark.parametrize(
    "half",
    [
        state(0, lastFetched=stamp(3), isDeepSleepModeActive=True),  # 29b: the same age, empty
        state(None, lastFetched=stamp(4)),  # 29b: when we asked is no answer of the car
        state(None),
        {"state": {"lastUpdatedAt": stamp(5), "currentMileage": 100}},  # it says nothing of them
        {"properties": {"lastUpdatedAt": stamp(5), "checkControlMessages": []}, "status": {}},
        {"telematicData": {"vehicle.status.checkControlMessages": {"value": "[]"}}},
        state(5, "") | {"state": {"lastUpdatedAt": stamp(5), "checkControlMessages": [7]}},
    ],
)
def test_29b_half_an_answer_clears_nothing(engine: sa.Engine, half: dict[str, Any]) -> None:
    centre = heard(engine, "bmw", (0, state(0, "ENGINE_OIL")), (5, half))
    assert stands(centre) == {"ccm:ENGINE_OIL": "active"}
    (case,) = centre.rows(t.case)
    assert (case["state"], case["priority"]) == (CaseState.OPEN, "urgent")


def test_29b_a_newer_answer_clears(engine: sa.Engine) -> None:
    centre = heard(engine, "bmw", (0, state(0, "ENGINE_OIL")), (5, state(5)))
    assert stands(centre) == {"ccm:ENGINE_OIL": "cleared"}
    assert [case["state"] for case in centre.rows(t.case)] == [CaseState.HEALED]


def memory(minute: int, *entries: tuple[str, int], **more: Any) -> dict[str, Any]:
    """A fault memory of this minute: codes with their status byte."""
    dtcs = [{"code": code, "status": byte, "severity": 0x40} for code, byte in entries]
    return {"vin": CAR, "observed_at": stamp(minute), "dtcs": dtcs, **more}


BROKEN: tuple[str, int] = ("P0A80-1C", 0x09)


@pytest.mark.parametrize(
    "answer",
    [
        memory(60, ("P0A80-1C", 0x50)),  # 47: cleared, and not yet tested
        memory(60),  # 47: an empty memory
        memory(60, ("P0A80-1C", 0x20)),
        memory(60, ("P0C00", 0x09)),
        memory(60, ("P0A80-1C", 0x50), complete=False),
    ],
)
def test_47_a_fault_memory_clears(engine: sa.Engine, answer: dict[str, Any]) -> None:
    centre = heard(engine, "uds", (0, memory(0, BROKEN)), (60, answer))
    (fault,) = [row for row in centre.rows(t.fault) if row["code"].startswith("dtc:P0A80")]
    assert fault["status"] == "cleared"


@pytest.mark.parametrize(
    "answer",
    [
        memory(0),
        memory(60, complete=False),
        memory(60, status_mask="01"),  # what fails just now is not what is stored
        memory(60, ecu="BMS"),  # another unit's
        memory(60, source="another dongle"),
        memory(60, ("?", 0x09)),
        {**memory(60), "observed_at": None},
    ],
)
def test_47_a_memory_clears_what_it_was_asked_for(
    engine: sa.Engine, answer: dict[str, Any]
) -> None:
    centre = heard(engine, "uds", (0, memory(0, BROKEN)), (60, answer))
    assert set(stands(centre).values()) == {"active"}


def test_a_unit_that_finds_nothing_leaves_what_another_says(engine: sa.Engine) -> None:
    both = {**memory(0), "dtcs": [{"code": "P0A80", "status": 9, "ecu": u} for u in ("A", "B")]}
    centre = heard(engine, "uds", (0, both), (5, memory(5, unit="a")))
    assert stands(centre) == {"dtc:P0A80": "active"}
    centre = heard(engine, "uds", (0, both), (5, memory(5, unit="a")), (6, memory(6, ecu="B")))
    assert stands(centre) == {"dtc:P0A80": "cleared"}


def scan(minute: int, **lists: Any) -> dict[str, Any]:
    """A scan of this minute."""
    return {"vin": CAR, "observed_at": stamp(minute), **lists}


NOTHING: dict[str, Any] = {"confirmed": [], "pending": []}
ON = scan(0, mil=True, confirmed=["P0420"], pending=[], permanent=["P0420"])


def test_50_a_permanent_code_with_the_lamp_off_is_shown_and_calls_nobody(
    engine: sa.Engine,
) -> None:
    after = [
        (600, scan(600, mil=False, permanent=["P0420"], **NOTHING)),
        (700, scan(700, mil=False, permanent=["P0420"], **NOTHING)),
    ]
    centre = heard(engine, "obd", (0, ON), *after)
    assert stands(centre) == {"dtc:P0420": "verifying"}
    assert [case["state"] for case in centre.rows(t.case)] == [CaseState.HEALED]
    assert [task["state"] for task in centre.rows(t.task)] == ["done"]
    centre = heard(
        engine, "obd", (0, ON), *after, (3000, scan(3000, mil=False, permanent=[], **NOTHING))
    )
    assert stands(centre) == {"dtc:P0420": "cleared"}


@pytest.mark.parametrize(
    ("form", "document"),
    [
        ("obd", scan(0, mil=False, permanent=["P0420"], **NOTHING)),
        ("uds", memory(0, ("P0420", 0x08))),
        ("uds", memory(0, ("P0420", 0x28))),
        ("canonical", {"code": "dtc:P0420", "status": "verifying", "severity": "stop"}),
    ],
)
def test_50_what_passes_now_opens_nothing(
    engine: sa.Engine, form: str, document: dict[str, Any]
) -> None:
    whole = {"id": "1", "source": "s", "vin": CAR, "observed_at": stamp(0), **document}
    centre = heard(engine, form, (0, whole))
    assert centre.rows(t.case) == []
    assert [row["waiting"] for row in centre.rows(t.vehicle) if row["vin"] == CAR] in ([], [{}])


@pytest.mark.parametrize(
    "document",
    [
        scan(0, mil=True, permanent=["P0420"], **NOTHING),
        scan(0, permanent=["P0420"], **NOTHING),  # it does not say whether the lamp is lit
    ],
)
def test_50_a_permanent_code_with_the_lamp_lit_is_a_fault(
    engine: sa.Engine, document: dict[str, Any]
) -> None:
    assert stands(heard(engine, "obd", (0, document))) == {"dtc:P0420": "active"}


@pytest.mark.parametrize(
    "half",
    [
        scan(5, mil=False),
        scan(5, mil=False, pending=[], permanent=[]),
        scan(5, mil=False, confirmed=["?"], pending=[], permanent=[]),
        {**scan(5, mil=False, **NOTHING, permanent=[]), "source": "another dongle"},
        scan(0, mil=False, **NOTHING, permanent=[]),
        {**scan(5, mil=False, **NOTHING, permanent=[]), "observed_at": None},
    ],
)
def test_a_document_with_the_lamp_alone_clears_no_code(
    engine: sa.Engine, half: dict[str, Any]
) -> None:
    assert stands(heard(engine, "obd", (0, ON), (5, half)))["dtc:P0420"] == "active"


def test_what_comes_back_after_it_passed_is_a_return(engine: sa.Engine) -> None:
    passes = scan(600, mil=False, permanent=["P0420"], **NOTHING)
    again = {**ON, "observed_at": stamp(700)}
    centre = heard(engine, "obd", (0, ON), (600, passes), (700, again))
    (fault,) = centre.rows(t.fault)
    assert (fault["status"], fault["returns"]) == ("active", 1)
    assert len(centre.rows(t.case)) == 1


CARDATA: dict[str, Any] = {"value": "[]", "timestamp": stamp(60)}
EMPTY = {"telematicData": {"vehicle.status.checkControlMessages": CARDATA}}


def test_81_a_source_that_changed_its_name_clears_what_it_said_before(engine: sa.Engine) -> None:
    centre = heard(engine, "bmw", (0, state(0, "ENGINE_OIL")), (60, EMPTY))
    assert stands(centre) == {"ccm:ENGINE_OIL": "cleared"}


def test_81_what_the_new_name_says_the_old_one_clears_too(engine: sa.Engine) -> None:
    said = {"value": '[{"type": "ENGINE_OIL", "severity": "HIGH"}]', "timestamp": stamp(0)}
    before = {"telematicData": {"vehicle.status.checkControlMessages": said}}
    centre = heard(engine, "bmw", (0, before), (60, state(60)))
    assert stands(centre) == {"ccm:ENGINE_OIL": "cleared"}


def test_a_fault_of_an_older_schema_is_cleared_as_before(engine: sa.Engine) -> None:
    centre = heard(engine, "obd", (0, ON))
    with engine.begin() as connection:
        connection.execute(sa.update(t.fault).values(voices=[]))
    centre = heard(engine, "obd", (0, ON), (5, scan(5, mil=False, pending=[])))
    assert stands(centre) == {"dtc:P0420": "active"}
    whole = scan(6, mil=False, permanent=[], **NOTHING)
    centre = heard(engine, "obd", (0, ON), (5, scan(5, mil=False, pending=[])), (6, whole))
    assert stands(centre) == {"dtc:P0420": "cleared"}
