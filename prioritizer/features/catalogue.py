"""The project's own catalogue of fault codes: system, usual severity, title, advice, tags."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from models.alert import CODE_PATTERN
from models.case import Text
from models.documents.fields import a_list, a_text, a_word, has_keys, two_languages
from models.documents.yaml import Source, read_with_lines
from models.make import MAKES, is_makers_own
from models.names.fault_code import spell_code
from models.words import Severity, System
from prioritizer.features.advice import OWN_ADVICE
from prioritizer.features.systems import system_of

# What only watches a function: the function is still there.
SENSOR_TAGS: Final = (
    "drive_sensor",
    "battery_sensor",
    "isolation_monitor",
    "charge_sensor",
    "low_12v_sensor",
    "brake_sensor",
    "steering_sensor",
    "tyre_monitor",
    "oil_sensor",
    "coolant_sensor",
)
TAGS: Final = (
    "thermal_propagation",
    "thermal_precursor",
    "hv_isolation",
    "hv_contactor",
    "hv_interlock",
    "hv_battery_hot",
    "hv_battery_cell",
    "hv_battery_low",
    "drive_unit",
    "charging",
    "dcdc",
    "alternator",
    "low_12v",
    "high_12v",
    "brake_assist",
    "brake_fluid",
    "brake_hot",
    "brake_system",
    "brake_wear",
    "abs",
    "steering_assist",
    "tyre_pressure",
    "coolant_low",
    "coolant_pump",
    "coolant_valve",
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
    *SENSOR_TAGS,
)


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """What we know of a code. `severity` is None where only the vehicle can say."""

    system: System
    severity: Severity | None
    title: Text
    advice: str | None  # the name of what is told beside the action
    tags: frozenset[str]
    is_catalogued: bool
    make: str | None = None  # whose code it is; None: the standard's

    @property
    def is_sensor(self) -> bool:
        """Whether only what watches the function is faulty, not the function."""
        return not self.tags.isdisjoint(SENSOR_TAGS)


class Catalogue:
    """Looks codes up; every code has an answer, also one that nobody has seen before."""

    def __init__(self, entries: Mapping[str, CodeEntry]) -> None:
        self.entries = entries
        self.entry = lru_cache(maxsize=65_536)(self._entry)
        self.name_of = lru_cache(maxsize=65_536)(self._name_of)

    def _entry(self, code: str, make: str | None = None) -> CodeEntry:
        base = code.rpartition("-")[0] if code.startswith("dtc:") and "-" in code else code
        entry = self.entries.get(code) or self.entries.get(base)
        if entry is not None and entry.make in (None, make):
            return entry
        spelled = spell_code(code)
        return CodeEntry(
            system=system_of(code),
            severity=None,
            title=Text(f"未收录的故障码 {spelled}", f"Fault code {spelled}, not in our catalogue"),
            advice=None,
            tags=frozenset(),
            is_catalogued=False,
        )

    def _name_of(self, code: str, make: str | None = None) -> Text:
        """Name a fault in a sentence: its title, with its code once."""
        entry = self.entry(code, make)
        if not entry.is_catalogued:
            return entry.title
        spelled = spell_code(code)
        if not any(sign.isdigit() for sign in spelled):
            return entry.title  # a worded code, as ccm:BRAKE_FLUID, says nothing more
        return Text(f"{entry.title.zh}（{spelled}）", f"{entry.title.en} ({spelled})")

    def coverage(self) -> dict[str, int]:
        """Count the entries of each system; several spellings are one."""
        counts = Counter(entry.system for entry in set(self.entries.values()))
        return {system.value: counts[system] for system in System if system is not System.UNKNOWN}


def parse_catalogue(text: str, name: str = "catalogue.yaml") -> Catalogue:
    """Read the catalogue's YAML. Raises `Mistake`, which names file, line and field."""
    document, source = read_with_lines(text, name)
    entries: dict[str, CodeEntry] = {}
    for code, line in has_keys(document, source, (), document).items():
        at = source.at(code).called(code)
        entry = _parse(code, line, at)
        spellings = a_list(line.get("also", []), at.at("also"))
        for spelling in (code, *(a_text(one, at.at("also")) for one in spellings)):
            if spelling in entries:
                raise at.mistake(f"{spelling} stands twice")
            entries[spelling] = entry
    return Catalogue(entries)


def load_catalogue() -> Catalogue:
    """Read the catalogue that comes with the package."""
    return parse_catalogue(
        files("prioritizer.features").joinpath("catalogue.yaml").read_text("utf-8")
    )


def _parse(code: str, line: Any, source: Source) -> CodeEntry:
    if not re.fullmatch(CODE_PATTERN, code):
        raise source.mistake("is no code, as dtc:P0A80")
    has_keys(line, source, ("system", "title"), ("advice", "severity", "tags", "make", "also"))
    make = a_text(line["make"], source.at("make")) if "make" in line else None
    if is_makers_own(code) and make not in MAKES:
        known = ", ".join(sorted(MAKES))
        raise source.at("make").mistake(f"is a maker's own code and wants a make of {known}")
    if make is not None and not is_makers_own(code):
        raise source.at("make").mistake("has a make, but means the same in every car")
    severity = line.get("severity")
    return CodeEntry(
        system=a_word(System, line["system"], source.at("system")),
        severity=a_word(Severity, severity, source.at("severity")) if severity else None,
        title=two_languages(line["title"], source.at("title")),
        advice=_advice(line["advice"], source.at("advice")) if "advice" in line else None,
        tags=_tags(line.get("tags", []), source.at("tags")),
        is_catalogued=True,
        make=make,
    )


def _advice(name: Any, source: Source) -> str:
    if name not in OWN_ADVICE:
        raise source.mistake(f"no such advice: {name}; there are {', '.join(OWN_ADVICE)}")
    return str(name)


def _tags(names: Any, source: Source) -> frozenset[str]:
    for place, tag in enumerate(a_list(names, source)):
        if tag not in TAGS:
            raise source.at(place).mistake(f"no such tag: {tag}")
    return frozenset(names)
