"""Scans of SAE J1979: the codes, and the lamp in every spelling."""

from typing import Any

import pytest

from models.words import Lamp
from tests.ingest.formats.test_decode import codes, decode_value, reports


def test_obd_lists_and_the_lamp() -> None:
    scan = {"mil": True, "confirmed": ["P0420"], "pending": ["0300"], "permanent": ["P0420"]}
    decoded = decode_value(scan, "obd")
    assert codes(decoded) == {"dtc:P0420": "service", "dtc:P0300": "service"}
    assert codes(decode_value({"mil": True}, "obd")) == {"obd:MIL": "service"}
    assert codes(decode_value({"mil": "flashing"}, "obd")) == {"obd:MIL_FLASHING": "limited"}
    assert codes(decode_value({"mil": "flashing", "pending": ["0300"]}, "obd")) == {
        "dtc:P0300": "limited",
        "obd:MIL_FLASHING": "limited",
    }


@pytest.mark.parametrize("mil", ["flashing", "Flashing", " BLINKING ", "blink", 2, 2.0, "2"])
def test_a_lamp_that_flashes_is_read_in_every_spelling(mil: Any) -> None:
    decoded = decode_value({"mil": mil, "confirmed": ["P0420"], "pending": ["P0302"]}, "obd")
    assert {report.alert.lamp for report in reports(decoded)} == {Lamp.FLASHING}
    assert codes(decoded)["obd:MIL_FLASHING"] == "limited"


@pytest.mark.parametrize(
    ("mil", "lamp", "alone"),
    [
        *((mil, "malfunction", "service") for mil in (True, 1, 1.0, "1", "ON", "On ", "solid")),
        *((mil, "off", None) for mil in (False, 0, "0", "OFF", "off", "false")),
        *((mil, "unknown", "unknown") for mil in ("rainbow", 7, -1, 1e300, [1], {"on": 1}, "")),
    ],
)
def test_a_steady_lamp_is_read_in_every_spelling(mil: Any, lamp: str, alone: str | None) -> None:
    by_itself = codes(decode_value({"mil": mil, "confirmed": []}, "obd"))
    assert by_itself == ({"obd:MIL": alone} if alone else {})
    (code,) = reports(decode_value({"mil": mil, "confirmed": ["P0420"]}, "obd"))
    assert code.alert.lamp == lamp


def test_a_lamp_for_emissions_makes_no_other_fault_harmless() -> None:
    scan = {"mil": True, "confirmed": ["P0420", "P0171", "P0217", "P0AA6", "C0044", "P1A0E"]}
    assert codes(decode_value(scan, "obd")) == {
        "dtc:P0420": "service",
        "dtc:P0171": "service",
        **dict.fromkeys(("dtc:P0217", "dtc:P0AA6", "dtc:C0044", "dtc:P1A0E"), "unknown"),
    }


def test_a_steady_lamp_is_that_of_the_confirmed_codes_where_there_are_any() -> None:
    pending: dict[str, Any] = {"mil": True, "pending": ["P0300"]}
    (alone,) = reports(decode_value(pending, "obd"))
    assert alone.alert.lamp is Lamp.MALFUNCTION
    both = reports(decode_value({**pending, "confirmed": ["P0420"]}, "obd"))
    assert {report.alert.code: report.alert.lamp for report in both} == {
        "dtc:P0420": Lamp.MALFUNCTION,
        "dtc:P0300": Lamp.UNKNOWN,
    }
