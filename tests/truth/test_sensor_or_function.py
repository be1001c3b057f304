"""A sensor that is faulty is one thing, the function that is lost another; and both weigh so."""

from collections.abc import Mapping
from typing import Final

import pytest

from models.case import Fault, Standing, VehicleInfo
from models.words import Action, Lamp, Motion, Priority, Severity, Status
from prioritizer.features.catalogue import SENSOR_TAGS, load_catalogue
from prioritizer.ranking.rank import rank
from tests.truth.facets import is_sensor
from tests.worlds import START, ranker

CATALOGUE: Final = load_catalogue()
NORMAL, HIGH, URGENT = Priority.NORMAL, Priority.HIGH, Priority.URGENT
# Titles that name a sensor, of codes that count as the function nevertheless.
AS_THE_FUNCTION: Final[Mapping[str, str]] = {
    "dtc:P0335": "an engine without its crankshaft position stands still",
    "dtc:P0A3F": "a motor without its rotor position is switched off",
    "dtc:P0A40": "a motor without its rotor position is switched off",
    "dtc:P0A44": "a motor without its rotor position is switched off",
    "dtc:P0A45": "a motor without its rotor position is switched off",
    "dtc:B0050": "belts and airbags are one floor: a check soon",
}


def ranked(code: str, severity: Severity, speed_kph: float, motion: Motion) -> tuple[str, str]:
    """Rank one fault of a car."""
    fault = Fault(
        code=code,
        source="s",
        severity=severity,
        status=Status.ACTIVE,
        first_seen=START,
        last_seen=START,
        lamp=Lamp.UNKNOWN,
        motion=motion,
    )
    standing = Standing(START, (fault,), VehicleInfo(), {"speed_kph": speed_kph})
    ranking = rank([standing], ranker()).explain(0)
    return ranking.priority, ranking.action


@pytest.mark.parametrize(
    ("code", "priority", "action"),
    [
        # what is silent or lost
        ("dtc:U0131", URGENT, Action.STOP_NOW),  # no steering assistance at 100 km/h
        ("dtc:U0129", URGENT, Action.STOP_NOW),
        ("dtc:U0100", HIGH, Action.DRIVE_TO_DEALER),
        ("dtc:U0121", HIGH, Action.DRIVE_TO_DEALER),
        ("dtc:U0073", HIGH, Action.DRIVE_TO_DEALER),
        ("dtc:U0111", HIGH, Action.DRIVE_TO_DEALER),
        ("dtc:C0079", URGENT, Action.STOP_NOW),
        ("dtc:C0021", URGENT, Action.STOP_NOW),
        ("dtc:C0072", URGENT, Action.STOP_NOW),
        ("dtc:P0AA6", URGENT, Action.STOP_NOW),
        ("dtc:P0524", HIGH, Action.STOP_NOW),
        ("dtc:P0217", HIGH, Action.STOP_NOW),
        ("ccm:BRAKE_FLUID", URGENT, Action.STOP_NOW),
        ("ccm:TIRE_PRESSURE", URGENT, Action.STOP_NOW),
        ("obd:MIL_FLASHING", HIGH, Action.DRIVE_TO_DEALER),
        # what only watches it
        ("dtc:C0051", NORMAL, Action.VISIT_SOON),
        ("dtc:C0055", NORMAL, Action.VISIT_SOON),
        ("dtc:U0126", NORMAL, Action.VISIT_SOON),
        ("dtc:C0044", NORMAL, Action.VISIT_SOON),
        ("dtc:C0031", NORMAL, Action.VISIT_SOON),
        ("dtc:P0AA7", NORMAL, Action.VISIT_SOON),
        ("dtc:P0520", NORMAL, Action.VISIT_SOON),
        ("dtc:P0115", NORMAL, Action.VISIT_SOON),
        ("dtc:P0A2A", NORMAL, Action.VISIT_SOON),
        ("dtc:P0B0E", NORMAL, Action.VISIT_SOON),
        ("dtc:C0083", NORMAL, Action.VISIT_SOON),
        ("ccm:50", NORMAL, Action.VISIT_SOON),
        # units that the car drives without
        ("dtc:U0140", NORMAL, Action.VISIT_SOON),
        ("dtc:U0164", NORMAL, Action.VISIT_SOON),
        ("dtc:U0184", NORMAL, Action.VISIT_SOON),
    ],
)
def test_a_limited_fault_at_speed_weighs_as_what_is_lost(
    code: str, priority: Priority, action: Action
) -> None:
    assert ranked(code, Severity.LIMITED, 100, Motion.MOVING) == (priority, action)


@pytest.mark.parametrize("severity", [Severity.SERVICE, Severity.LIMITED, Severity.UNKNOWN])
@pytest.mark.parametrize(
    ("motion", "priority"),
    [(Motion.PARKED, HIGH), (Motion.UNKNOWN, URGENT), (Motion.MOVING, URGENT)],
)
def test_low_brake_fluid_is_a_stop_whatever_the_car_calls_it(
    severity: Severity, motion: Motion, priority: Priority
) -> None:
    assert ranked("ccm:BRAKE_FLUID", severity, 0, motion) == (priority, Action.STOP_NOW)


def test_a_voltage_that_is_too_high_is_no_weak_battery() -> None:
    frost = {"ambient_c": -12.0}
    fault = Fault("dtc:P0563", "s", Severity.SERVICE, Status.ACTIVE, START, START)
    standing = Standing(START, (fault,), VehicleInfo(), frost)
    assert "frost-weak-12v" not in rank([standing], ranker()).explain(0).rules


def test_an_alternator_is_no_converter() -> None:
    for code in ("dtc:P0620", "dtc:P0622", "dtc:P065B"):
        assert CATALOGUE.entries[code].tags == {"alternator"}


@pytest.mark.parametrize("code", CATALOGUE.entries)
def test_a_title_that_names_a_sensor_has_a_sensors_tag(code: str) -> None:
    entry = CATALOGUE.entries[code]
    if code in AS_THE_FUNCTION:
        assert is_sensor(entry.title.en)
        assert not entry.is_sensor
    else:
        assert is_sensor(entry.title.en) == entry.is_sensor


@pytest.mark.parametrize("code", CATALOGUE.entries)
def test_a_sensor_carries_no_tag_of_a_lost_function(code: str) -> None:
    entry = CATALOGUE.entries[code]
    if entry.is_sensor:
        assert entry.tags <= {*SENSOR_TAGS, "network_lost"}
