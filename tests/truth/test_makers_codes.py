"""A maker's own code means something only in that maker's cars."""

import pytest
import sqlalchemy as sa

from models import tables as t
from models.make import INVENTED, is_makers_own, make_of
from models.words import Action, Priority
from pacc.simulation.fleet import vin_of
from prioritizer.features.catalogue import load_catalogue, parse_catalogue
from tests.worlds import CAR, Room, Stream

CATALOGUE = load_catalogue()
DEMO = vin_of(7, 2025)
ANOTHER = "WVWZZZ1KZAW000001"


@pytest.mark.parametrize(
    ("code", "is_own"),
    [
        ("dtc:P0A80", False),
        ("dtc:P2463", False),
        ("dtc:P3400", False),
        ("dtc:P3A00", True),
        ("dtc:P3000", True),
        ("dtc:P1A0E", True),
        ("dtc:B0001", False),
        ("dtc:B1342", True),
        ("dtc:B2AAA", True),
        ("dtc:B3000", True),
        ("dtc:C0020", False),
        ("dtc:C1234", True),
        ("dtc:U0100", False),
        ("dtc:U1000", True),
        ("dtc:U3003", False),
        ("dtc:P1A0E-1C", True),
        ("spn:100/1", False),
    ],
)
def test_the_standard_names_the_blocks_that_are_the_makers(code: str, *, is_own: bool) -> None:
    assert is_makers_own(code) == is_own


def test_a_vin_names_who_made_the_car() -> None:
    assert make_of(DEMO) == INVENTED
    assert make_of(CAR) == "BMW"
    assert make_of(ANOTHER) is None


def test_every_makers_code_of_the_catalogue_has_a_make() -> None:
    for code, entry in CATALOGUE.entries.items():
        assert is_makers_own(code) == (entry.make is not None), code


@pytest.mark.parametrize("code", [c for c, e in CATALOGUE.entries.items() if e.make])
def test_another_make_has_another_code(code: str) -> None:
    assert CATALOGUE.entry(code, INVENTED).is_catalogued
    for make in (None, "BMW"):
        entry = CATALOGUE.entry(code, make)
        assert not entry.is_catalogued
        assert entry.tags == frozenset()


def test_a_makers_code_without_a_make_is_refused() -> None:
    line = "{system: body, title: [一, one]%s}"
    with pytest.raises(ValueError, match=r"catalogue\.yaml:1: dtc:P1A0E: make: is a maker's own"):
        parse_catalogue(f'"dtc:P1A0E": {line % ""}')
    with pytest.raises(ValueError, match=r"catalogue\.yaml:1: dtc:P1A0E: make: is a maker's own"):
        parse_catalogue(f'"dtc:P1A0E": {line % ", make: Nobody"}')
    with pytest.raises(ValueError, match=r"catalogue\.yaml:1: dtc:P0A80: make: has a make"):
        parse_catalogue(f'"dtc:P0A80": {line % ", make: BMW"}')


def test_another_makes_code_evacuates_nobody(engine: sa.Engine) -> None:
    stream = Stream()
    for vin in (DEMO, CAR, ANOTHER):
        stream.says(vin, "dtc:P1A0E", motion="parked", speed_kph=0)
    room = Room(engine).plays(stream.records)
    ranked = {row["vin"]: (row["priority"], row["action"]) for row in room.rows(t.case)}
    assert ranked[DEMO] == (Priority.URGENT, Action.STOP_NOW)
    for vin in (CAR, ANOTHER):
        assert ranked[vin] == (Priority.HIGH, Action.DRIVE_TO_DEALER)


def test_another_makes_code_is_no_symptom(engine: sa.Engine) -> None:
    stream = Stream()
    for vin in (DEMO, CAR):
        stream.says(vin, "dtc:P0CFF").says(vin, "dtc:P1A15", 1)
    room = Room(engine).plays(stream.records)
    folded = {
        row["vin"]: row["folded_under"] for row in room.rows(t.fault) if row["code"] == "dtc:P1A15"
    }
    assert folded == {DEMO: "dtc:P0CFF", CAR: None}
