"""Name × value → reading or none; each line with its source."""

import pytest

from ingest.readings.believe import believed
from ingest.readings.place import is_place
from models.readings.known import READINGS

# Name, value, what is believed, and who says so.
TABLE: list[tuple[str, float, float | None, str]] = [
    ("ambient_c", -40, None, "CarDash#6: raw 0 of a byte less 40 (SAE J1979, 46)"),
    ("ambient_c", -39.5, -39.5, "a winter's day in Mohe"),
    ("ambient_c", 87.5, None, "FF of a halved byte less 40"),
    ("ambient_c", 214, None, "FE of a byte less 40 (SAE J1939-71, table 1)"),
    ("ambient_c", 215, None, "FF of a byte less 40"),
    ("ambient_c", 1774.97, None, "FFFF in 0.03125 less 273 (SAE J1939-71, SPN 171)"),
    ("ambient_c", -273, None, "raw 0 of the same"),
    ("ambient_c", 0, 0, "frost begins"),
    ("coolant_c", -40, None, "raw 0 of a byte less 40 (SAE J1979, 05)"),
    ("coolant_c", 215, None, "FF of the same"),
    ("coolant_c", 118, 118, "it boils"),
    ("hv_temp_c", 214, None, "FE (GB/T 32960.3-2016, 7.2.3.6)"),
    ("hv_temp_c", 215, None, "FF (the same)"),
    ("hv_temp_c", 68, 68, "too hot, and true"),
    ("low_voltage_v", 0, None, "hyundai_kia_connect_api#1232: 0 where nothing was read"),
    ("low_voltage_v", 25.5, None, "WunderLINQ-Android#37: FF in tenths"),
    ("low_voltage_v", 25.4, None, "FE in tenths"),
    ("low_voltage_v", 65.535, None, "FFFF in thousandths (SAE J1979, 42)"),
    ("low_voltage_v", 3276.75, None, "FFFF in 0.05 (SAE J1939-71, SPN 168)"),
    ("low_voltage_v", -1, None, "an error's number"),
    ("low_voltage_v", 10.8, 10.8, "a battery that is flat"),
    ("low_voltage_v", 27.9, 27.9, "a lorry's supply while charging"),
    ("low_voltage_v", 12_600, 12.6, "millivolts, plainly"),
    ("speed_kph", 255, None, "FF of a byte (SAE J1939-71, table 1); WunderLINQ-Android#37"),
    ("speed_kph", 254, None, "FE of a byte"),
    ("speed_kph", 255.996, None, "FFFF in 1/256 (SAE J1939-71, SPN 84)"),
    ("speed_kph", 6553.5, None, "FFFF in tenths (GB/T 32960.3-2016, 7.2.3.1)"),
    ("speed_kph", 6553.4, None, "FFFE in tenths (the same)"),
    ("speed_kph", 655.35, None, "FFFF in hundredths"),
    ("speed_kph", -1, None, "an error's number"),
    ("speed_kph", 0, 0, "it stands"),
    ("speed_kph", 241, 241, "an autobahn"),
    ("state_of_charge", 2.55, None, "egmp-bluelink-scriptable#104: FF in percent"),
    ("state_of_charge", 255, None, "FF, and percent for a share"),
    ("state_of_charge", -1, None, "an error's number"),
    ("state_of_charge", 85, None, "carwings#45: percent where a share is wanted"),
    ("state_of_charge", 0, None, "hyundai_kia_connect_api#1232: 0 where nothing was read"),
    ("state_of_charge", 1, 1, "full"),
    ("state_of_charge", 0.01, 0.01, "nearly empty, and true"),
    ("odometer_km", 1_677_721.5, None, "FFFFFF in tenths"),
    ("odometer_km", 429_496_729.5, None, "FFFFFFFF in tenths (GB/T 32960.3-2016, 7.2.3.1)"),
    ("odometer_km", 16_777_215, None, "FFFFFF"),
    ("odometer_km", 0, None, "a car that has not read it"),
    ("odometer_km", 65_535, 65_535, "a car that has gone as far"),
    ("tyre_kpa", 2.4, 240, "bar where kPa is wanted"),
    ("tyre_kpa", 0, None, "a sensor that sleeps"),
    ("tyre_kpa", 637.5, None, "FF in steps of 2.5"),
    ("tyre_kpa", 1020, None, "FF in steps of 4 (SAE J1939-71, SPN 241)"),
    ("tyre_kpa", 6, None, "bar of a lorry, or a car's tyre without air: nobody knows"),
    ("tyre_kpa", 90, 90, "nearly flat, and true"),
    ("tyre_kpa", 255, 255, "a good tyre"),
    ("range_km", 65_535, None, "FFFF"),
    ("range_km", 0, 0, "it stands"),
    ("cell_spread_mv", 65_535, None, "FFFF"),
    ("cell_spread_mv", 0.045, 45, "volts, plainly"),
    ("cell_spread_mv", 45, 45, "cells that drift apart"),
    ("brake_pad_mm", 65_535, None, "FFFF, of whatever name"),
    ("brake_pad_mm", 6553.5, None, "FFFF in tenths, of whatever name"),
    ("brake_pad_mm", -1, -1, "a name without bounds"),
]


@pytest.mark.parametrize(("name", "value", "wanted", "source"), TABLE)
def test_a_value_is_a_reading_or_none(
    name: str, value: float, wanted: float | None, source: str
) -> None:
    kept, named = believed({name: value})
    assert (kept.get(name), named) == (wanted, () if wanted == value else (name,)), source


def test_every_reading_has_lines_of_both_kinds() -> None:
    for name in READINGS:
        assert {wanted is None for known, _, wanted, _ in TABLE if known == name} == {True, False}


@pytest.mark.parametrize(
    ("company", "wanted"),
    [({"hv_temp_c": -31.0}, -40), ({"hv_temp_c": -40.0}, None), ({"coolant_c": 20.0}, None)],
)
def test_forty_below_is_believed_where_another_thermometer_feels_it(
    company: dict[str, float], wanted: float | None
) -> None:
    kept, _ = believed({"ambient_c": -40.0, **company})
    assert kept.get("ambient_c") == wanted


@pytest.mark.parametrize(("range_km", "wanted"), [(0.0, 0.0), (9.0, 0.0), (210.0, None)])
def test_an_empty_battery_is_believed_where_the_range_says_so(
    range_km: float, wanted: float | None
) -> None:
    kept, _ = believed({"state_of_charge": 0.0, "range_km": range_km})
    assert kept.get("state_of_charge") == wanted


@pytest.mark.parametrize(
    ("latitude", "longitude", "wanted"),
    [
        (0, 0, False),  # kia_uvo#1783
        (0, 116.4, False),
        (39.9, 0, False),
        (-1, -1, False),
        (90, 180, False),
        (-90, -180, False),
        (91, 181, False),
        (4294.967295, 4294.967295, False),  # FFFFFFFF in millionths (GB/T 32960.3-2016, 7.2.3.5)
        (39.9, 116.4, True),
        (-33.9, 18.4, True),
        (51.48, -0.001, True),  # Greenwich
    ],
)
def test_a_place_is_one_or_none(latitude: float, longitude: float, *, wanted: bool) -> None:
    assert is_place(latitude, longitude) is wanted
