"""The catalogue knows every alarm of GB/T 32960 and every check-control word of real payloads."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from ingest.formats.decode import decode
from models.batch import Partition, Record, Report
from models.words import Feed, Severity
from prioritizer.features.catalogue import load_catalogue, parse_catalogue
from tests.worlds import CAR, START

CATALOGUE: Final = load_catalogue()
# Word of the alarm's reference name → tags of which ours has one.
ALARMS: Final = {
    "temperature difference": {"hv_battery_hot"},
    "battery high temperature": {"hv_battery_hot"},
    "overvoltage": {"thermal_precursor"},
    "undervoltage": {"hv_battery_low", "hv_battery_cell"},
    "SOC low": {"hv_battery_low"},
    "SOC": {"hv_battery_cell"},
    "mismatch": {"hv_battery_cell"},
    "poor cell consistency": {"thermal_precursor"},
    "insulation": {"hv_isolation"},
    "DC-DC": {"dcdc"},
    "brake": {"brake_system"},
    "motor": {"drive_unit"},
    "HV interlock": {"hv_interlock"},
    "overcharge": {"thermal_precursor"},
}
_FINE: Final = {"OK": "PENDING", "Ok": "PENDING", "ok": "PENDING"}


def test_all_nineteen_general_alarms_are_catalogued(shared_data: Path) -> None:
    table = shared_data / "gbt32960" / "general_alarm_bits.csv"
    with table.open(encoding="utf-8", newline="") as lines:
        alarms = {row["bit"]: row["name_en"] for row in csv.DictReader(lines)}
    assert len(alarms) == 19
    for bit, name in alarms.items():
        entry = CATALOGUE.entries[f"gbt:{bit}"]
        wanted = next(tags for word, tags in ALARMS.items() if word in name)
        assert entry.tags & wanted, (bit, name)
    assert {code for code in CATALOGUE.entries if code.startswith("gbt:")} == {
        f"gbt:{bit}" for bit in alarms
    }


@pytest.mark.parametrize("code", ["gbt:2", "gbt:5", "gbt:10", "gbt:18", "dtc:P0AFB", "dtc:P0BBD"])
def test_what_may_become_a_thermal_event_is_a_precursor(code: str) -> None:
    assert "thermal_precursor" in CATALOGUE.entries[code].tags


def test_every_check_control_word_of_the_real_payloads_is_catalogued(shared_data: Path) -> None:
    codes = set(_codes(shared_data / "bmw_states"))
    assert len(codes) > 15
    assert {code for code in codes if not CATALOGUE.entry(code).is_catalogued} == set()


def test_a_spelling_is_the_word_that_it_spells() -> None:
    for spelling, code in (
        ("cbs:BrakeFluid", "cbs:BRAKE_FLUID"),
        ("cbs:1", "cbs:OIL"),
        ("cbs:2", "cbs:BRAKE_PADS_FRONT"),
        ("cbs:3", "cbs:BRAKE_FLUID"),
        ("cbs:17", "cbs:VEHICLE_CHECK"),
        ("cbs:32", "cbs:VEHICLE_TUV"),
        ("cbs:100", "cbs:VEHICLE_CHECK"),
        ("ccm:Engine_Oil", "ccm:ENGINE_OIL"),
    ):
        assert CATALOGUE.entry(spelling) is CATALOGUE.entries[code]


def test_a_spelling_that_stands_twice_is_refused() -> None:
    line = '"%s": {system: body, title: [一, one], also: ["a:1"]}\n'
    with pytest.raises(ValueError, match="a:1 stands twice"):
        parse_catalogue(line % "b:1" + line % "b:2")


def _codes(folder: Path) -> Iterator[str]:
    """Decode every real state as if nothing in it were fine, and the messages seen in public."""
    documents: list[Any] = [
        json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*/*.json"))
    ]
    with (folder / "observed_ccm.jsonl").open(encoding="utf-8") as lines:
        observed = [json.loads(line) for line in lines]
    documents.append({"state": {"checkControlMessages": observed}})
    for document in documents:
        value = json.dumps(_spoilt(document)).encode()
        topic = Partition(Feed.KAFKA, "any", 0)
        record = Record(topic, 0, int(START.timestamp() * 1000), CAR.encode(), value, ())
        (decoded,) = decode([record], {"any": "bmw"})
        for item in decoded.items:
            if isinstance(item, Report):
                assert item.alert.severity is not Severity.INFO
                yield item.alert.code


def _spoilt(node: Any) -> Any:
    """Give a document in which every message and service is on."""
    if isinstance(node, dict):
        return {name: _spoilt(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_spoilt(value) for value in node]
    return _FINE.get(node, node) if isinstance(node, str) else node
