"""The project's own catalogue of fault codes: system, usual severity, title, advice, tags."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from models.case import Text
from models.fault_code import spell_code
from models.words import Severity, System
from models.yaml import read_yaml

TAGS: Final = (
    "thermal_propagation",
    "hv_isolation",
    "hv_contactor",
    "hv_interlock",
    "hv_battery_hot",
    "hv_battery_cell",
    "hv_battery_low",
    "drive_unit",
    "charging",
    "dcdc",
    "low_12v",
    "brake_assist",
    "brake_fluid",
    "brake_wear",
    "abs",
    "steering_assist",
    "tyre_pressure",
    "coolant_low",
    "coolant_pump",
    "coolant_hot",
    "oil_pressure",
    "oil_level",
    "restraint",
    "park_lock",
    "network_lost",
    "software_update",
    "service_due",
    "misfire",
    "fuel",
    "transmission",
    "lighting",
    "driver_assistance",
    "washer",
    "emissions",
    "climate",
)

_RANGES: Final = (
    (re.compile(r"dtc:P0[A-E]"), System.HIGH_VOLTAGE),
    (re.compile(r"dtc:P1[A-F]"), System.HIGH_VOLTAGE),
    (re.compile(r"dtc:P3"), System.PROPULSION),
    (re.compile(r"dtc:P04"), System.EMISSIONS),
    (re.compile(r"dtc:P"), System.PROPULSION),
    (re.compile(r"dtc:C00"), System.BRAKING),
    (re.compile(r"dtc:B"), System.BODY),
    (re.compile(r"dtc:U"), System.NETWORK),
    (re.compile(r"cbs:"), System.MAINTENANCE),
)  # everything else is unknown, and an unknown system counts as propulsion


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """What we know of a code. `severity` is None where only the vehicle can say."""

    system: System
    severity: Severity | None
    title: Text
    advice: Text
    tags: frozenset[str]
    is_catalogued: bool


class Catalogue:
    """Looks codes up; also a code that is not in it has an entry, by its range."""

    def __init__(self, entries: Mapping[str, CodeEntry]) -> None:
        self.entries = entries
        self.entry = lru_cache(maxsize=65_536)(self._entry)
        self.name_of = lru_cache(maxsize=65_536)(self._name_of)

    def _name_of(self, code: str) -> Text:
        """Name a fault in a sentence: its title, with its code once."""
        entry = self.entry(code)
        if not entry.is_catalogued:
            return entry.title
        spelled = spell_code(code)
        return Text(f"{entry.title.zh}（{spelled}）", f"{entry.title.en} ({spelled})")

    def _entry(self, code: str) -> CodeEntry:
        base = code.rpartition("-")[0] if code.startswith("dtc:") and "-" in code else code
        entry = self.entries.get(code) or self.entries.get(base)
        if entry is not None:
            return entry
        system = next((word for form, word in _RANGES if form.match(code)), System.UNKNOWN)
        return CodeEntry(
            system=system,
            severity=None,
            title=Text(
                f"未收录的故障码 {spell_code(code)}",
                f"Fault code {spell_code(code)}, not in our catalogue",
            ),
            advice=Text(
                "请读取故障存储器并按车辆提示处理", "Read the fault memory; follow the car"
            ),
            tags=frozenset(),
            is_catalogued=False,
        )


def parse_catalogue(text: str) -> Catalogue:
    """Read the catalogue's YAML. Raises `ValueError`, naming the code, for an unknown tag."""
    entries = {}
    for code, line in read_yaml(text).items():
        entries[code] = _parse(code, line)
    return Catalogue(entries)


def load_catalogue() -> Catalogue:
    """Read the catalogue that comes with the package."""
    return parse_catalogue(
        files("prioritizer.features").joinpath("catalogue.yaml").read_text("utf-8")
    )


def _parse(code: str, line: Mapping[str, Any]) -> CodeEntry:
    tags = frozenset(line.get("tags", ()))
    unknown = tags - set(TAGS)
    if unknown:
        message = f"catalogue: {code}: no such tag: {', '.join(sorted(unknown))}"
        raise ValueError(message)
    severity = line.get("severity")
    return CodeEntry(
        system=System(line["system"]),
        severity=Severity(severity) if severity else None,
        title=Text(*line["title"]),
        advice=Text(*line["advice"]),
        tags=tags,
        is_catalogued=True,
    )
