"""What a device sends when it has no reading is none, and no reading costs the alert."""

from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from models.batch import Record
from models.words import Outcome, Priority, Severity
from tests.truth.door.cases import alert, decided, foreign, outcomes, reports
from tests.worlds import CAR

STOP: Final[dict[str, Any]] = {"code": "dtc:P0C01", "severity": "stop", "motion": "moving"}
PLACE: Final = {"lat": 39.9, "lon": 116.4}

ODD: list[tuple[dict[str, Any], str]] = [
    ({"signals": {"low_voltage_v": None, "ambient_c": 21.0}}, "signals.low_voltage_v"),
    ({"position": {"lat": None, "lon": None}}, "position"),
    ({"position": {}}, "position"),
    ({"position": {"lat": 91, "lon": 181}}, "position"),
    ({"position": {"lat": 0, "lon": 0}}, "position"),
    ({"speed_kph": 6553.5}, "speed_kph"),
    ({"speed_kph": 255}, "speed_kph"),
    ({"speed_kph": "80"}, "speed_kph"),
    ({"speed_kph": -1}, "speed_kph"),
    ({"state_of_charge": 85}, "state_of_charge"),
    ({"state_of_charge": 2.55}, "state_of_charge"),
    ({"odometer_km": 429496729.5}, "odometer_km"),
    ({"odometer_km": -1}, "odometer_km"),
    ({"text": "x" * 5000}, "text"),
    ({"model": "y" * 65}, "model"),
    ({"model": 5}, "model"),
    ({"signals": {f"s{place}": 1.0 for place in range(51)}}, "signals"),
]


@pytest.mark.parametrize(("members", "name"), ODD)
def test_one_odd_reading_is_named_and_the_stop_goes_on(members: dict[str, Any], name: str) -> None:
    decision = decided(alert(**STOP, **members))
    assert decision.cases[0].ranking.priority is Priority.URGENT
    assert decision.tasks
    assert name in reports(decision)[0].defaulted


# -40 is raw 0 of a byte, 25.5 is FF in tenths, 2.4 is bar: nobody may be told of them.
NO_READINGS: list[tuple[str, dict[str, Any]]] = [
    ("dtc:P0562", {"severity": "service", "signals": {"ambient_c": -40}}),
    ("dtc:B1342", {"severity": "service", "signals": {"low_voltage_v": 0}}),
    ("dtc:B1342", {"severity": "service", "signals": {"low_voltage_v": 25.5}}),
    ("ccm:TIRE_PRESSURE", {"speed_kph": 255}),
    ("dtc:B1342", {"state_of_charge": 0}),
    ("dtc:B1342", {"signals": {"tyre_kpa": 2.4}}),
    ("dtc:B1342", {"signals": {"coolant_c": 215, "hv_temp_c": 214}}),
    ("dtc:B1342", {"signals": {"low_voltage_v": 65535}}),
]


@pytest.mark.parametrize(("code", "members"), NO_READINGS)
def test_a_value_that_means_none_changes_nothing_that_is_decided(
    code: str, members: dict[str, Any]
) -> None:
    with_it = decided(alert(code=code, **members)).cases[0].ranking
    less = {name: value for name, value in members.items() if name == "severity"}
    without = decided(alert(code=code, **less)).cases[0].ranking
    assert (with_it.priority, with_it.action) == (without.priority, without.action)
    assert with_it.reasons == without.reasons


def test_a_charge_of_one_is_full_and_one_of_85_is_none() -> None:
    full, odd = (
        reports(decided(alert(code="dtc:P0D24", state_of_charge=charge)))[0] for charge in (1, 85)
    )
    assert (full.alert.state_of_charge, odd.alert.state_of_charge) == (1, None)


@pytest.mark.parametrize("timestamp", [-1, 0, 1768442400, 1768442400000, 1768442400000000])
def test_no_timestamp_of_a_record_costs_its_alert(timestamp: int) -> None:
    decision = decided(replace(alert(**STOP), timestamp=timestamp))
    assert decision.cases[0].ranking.priority is Priority.URGENT
    is_marked = any(name.startswith("received_at") for name in reports(decision)[0].defaulted)
    assert is_marked is (timestamp != 1768442400000)


MESSAGE = {"type": "ENGINE_OIL", "severity": "LOW"}
AT = "2026-01-15T02:00:00+00:00"
IN_MILES: list[dict[str, Any]] = [
    {
        "attributesMap": {
            "mileage": "26490",
            "unitOfLength": "mi",
            "updateTime_converted_timestamp": "1768442400000",
        },
        "vehicleMessages": {"ccmMessages": [{"id": 955, "text": "tyre"}], "cbsMessages": []},
    },
    {
        "state": {
            "lastUpdatedAt": AT,
            "currentMileage": 26490,
            "unit": "mi",
            "checkControlMessages": [MESSAGE],
        }
    },
    {
        "state": {
            "lastUpdatedAt": AT,
            "currentMileage": {"mileage": 26490, "units": "MILES"},
            "checkControlMessages": [MESSAGE],
        }
    },
    {
        "vehicleStatus": {
            "updateTime": AT,
            "mileage": 26490,
            "unitOfLength": "mi",
            "checkControlMessages": [{"ccmId": 955}],
        }
    },
]


@pytest.mark.parametrize("document", IN_MILES)
def test_miles_become_kilometres_wherever_the_unit_stands(document: dict[str, Any]) -> None:
    (report,) = reports(decided(foreign("bmw", document)))
    assert report.alert.odometer_km == pytest.approx(42_632, abs=1)


@pytest.mark.parametrize("fallen", [26_490, 0.4, 42_000])
def test_an_odometer_never_falls(fallen: float) -> None:
    decision = decided(
        alert(0, odometer_km=42_632), alert(9, odometer_km=fallen), alert(10, odometer_km=42_640)
    )
    (_, _, fault) = decision.faults[0]
    assert fault.readings["odometer_km"] == 42_640
    assert "odometer_km" in fault.defaulted


def test_an_odometer_is_held_against_all_that_the_vehicle_said() -> None:
    decision = decided(
        alert(0, odometer_km=42_632), alert(5, code="dtc:B1342", source="other", odometer_km=26_490)
    )
    by_code = {fault.code: fault for _, _, fault in decision.faults}
    assert "odometer_km" not in by_code["dtc:B1342"].readings


def test_what_was_buffered_or_rounded_has_not_fallen() -> None:
    late = alert(10, observed_at="2026-01-15T01:00:00Z", code="dtc:B1342", odometer_km=42_500)
    rounded = alert(11, code="dtc:P0562", odometer_km=42_631)
    decision = decided(alert(0, odometer_km=42_632), late, rounded)
    assert all("odometer_km" not in fault.defaulted for _, _, fault in decision.faults)


@pytest.mark.parametrize("odd", [None, {"lat": 0, "lon": 0}, {"lat": 90, "lon": 180}, {}])
def test_the_last_good_place_stays_with_its_age(odd: Any) -> None:
    decision = decided(alert(0, position=PLACE), alert(20, position=odd))
    place = decision.cases[0].place
    assert place is not None
    assert (place.lat, place.lon, place.at.minute) == (39.9, 116.4, 0)


GOOD: dict[str, dict[str, Any]] = {
    "cloudevents": {
        "id": "1",
        "source": "test",
        **STOP,
        "status": "active",
        "lamp": "red",
        "speed_kph": 80,
        "odometer_km": 42_632,
        "state_of_charge": 0.5,
        "position": PLACE,
        "model": "X",
        "software": "1",
        "text": "stop",
        "signals": {"low_voltage_v": 12.1},
    },
    "uds": {
        "source": "test",
        "dtcs": [{"code": "P0C01", "status": "09", "severity": "80"}],
        "motion": "moving",
        "speed_kph": 80,
        "odometer_km": 42_632,
        "state_of_charge": 0.5,
    },
    "obd": {
        "source": "test",
        "mil": "flashing",
        "confirmed": ["P0300"],
        "pending": ["P0171"],
        "permanent": [],
        "motion": "moving",
        "speed_kph": 80,
        "odometer_km": 42_632,
    },
    "bmw": {
        "state": {
            "checkControlMessages": [{"type": "BRAKE_FLUID", "severity": "HIGH"}],
            "requiredServices": [],
            "lastUpdatedAt": AT,
            "currentMileage": 42_632,
            "inMotion": True,
            "location": {"coordinates": {"latitude": 39.9, "longitude": 116.4}},
            "electricChargingState": {"chargingLevelPercent": 50, "chargingStatus": "CHARGING"},
            "tireState": {"frontLeft": {"status": {"currentPressure": 230, "targetPressure": 240}}},
        }
    },
}
# Who, what and when, and where a document's faults stand: they may cost the alert.
NEEDED: Final = {"id", "source", "vin", "code", "observed_at", "severity"}
NEEDED_LISTS: Final = {"dtcs", "confirmed", "pending", "permanent", "mil"} | {
    "checkControlMessages",
    "requiredServices",
}
JSON_VALUES: Final = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=60)
    | st.sampled_from(
        (-1, 0, 255, 65535, 6553.5, -40, 25.5, 1e308, "", "FFFF", "null", "x" * 5000)
    ),
    lambda inner: st.lists(inner, max_size=60) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=60,
)


def _spoilt(name: str, member: str, value: Any) -> Record:
    document = dict(GOOD[name])
    target = document
    if name == "bmw":
        target = document["state"] = dict(document["state"])
    target[member] = value
    return foreign(name, {"vin": CAR, "observed_at": AT, **document})


def _optional(name: str) -> list[str]:
    members = GOOD[name]["state"] if name == "bmw" else GOOD[name]
    return sorted(members.keys() - NEEDED - NEEDED_LISTS - {"status"})


@settings(max_examples=60)
@pytest.mark.parametrize("name", GOOD)
@given(data=st.data())
def test_no_optional_member_costs_a_stop_its_task(name: str, data: st.DataObject) -> None:
    good = decided(_spoilt(name, "note", None))
    member = data.draw(st.sampled_from(_optional(name)))
    decision = decided(_spoilt(name, member, data.draw(JSON_VALUES)))
    assert outcomes(decision) == [Outcome.OPENED]
    wanted = good.cases[0].ranking.priority
    assert wanted is not Priority.NORMAL
    is_parked = member in ("motion", "inMotion", "speed_kph", "lamp")
    ranking = decision.cases[0].ranking
    assert ranking.priority is wanted or (is_parked and ranking.priority is Priority.HIGH)
    assert decision.tasks
    assert any(report.alert.severity is not Severity.INFO for report in reports(decision))
