"""Turns standings into columns, one row each; a row's values never depend on its neighbours."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.case import Fault, Standing
from models.words import SYSTEMS, Lamp, Severity, System
from prioritizer.catalogue import TAGS, Catalogue

Columns = Mapping[str, NDArray[Any]]
SYSTEM_BIT: Final = {system.value: 1 << place for place, system in enumerate(SYSTEMS)}
TAG_BIT: Final = {tag: 1 << place for place, tag in enumerate(TAGS)}
INFO, SERVICE, LIMITED, STOP = range(4)
_OWN: Final = {
    Severity.INFO: INFO,
    Severity.SERVICE: SERVICE,
    Severity.LIMITED: LIMITED,
    Severity.STOP: STOP,
}
_BY_LAMP: Final = {Lamp.RED: STOP, Lamp.AMBER: LIMITED, Lamp.MALFUNCTION: SERVICE}


@dataclass(frozen=True, slots=True)
class Feature:
    """A column that rules may ask for."""

    kind: str
    unit: str
    sentence: str


FEATURES: Final[Mapping[str, Feature]] = {
    "worst": Feature("int", "0 info, 1 service, 2 limited, 3 stop", "The worst active fault."),
    "stops": Feature("int", "faults", "How many active faults say stop."),
    "limiteds": Feature("int", "faults", "How many active faults are limited."),
    "actives": Feature("int", "faults", "How many faults are active and not folded."),
    "reports": Feature("int", "reports", "How often the most reported active fault came."),
    "stop_systems": Feature("systems", "bits", "Systems with an active stop fault."),
    "limited_systems": Feature("systems", "bits", "Systems with an active limited fault."),
    "systems": Feature("systems", "bits", "Systems with any active fault."),
    "tags": Feature("tags", "bits", "What the active faults are about, by our catalogue."),
    "grave_tags": Feature("tags", "bits", "The same of faults that are limited or stop."),
    "stop_in_motion": Feature("bool", "", "A stop fault came while not known to be parked."),
    "repeat_repair": Feature("bool", "", "The same cause was closed within thirty days."),
    "electric": Feature("bool", "", "The vehicle is a battery or plug-in hybrid vehicle."),
    "state_of_charge": Feature("float", "0 to 1", "The high-voltage battery's charge."),
    "low_voltage_v": Feature("float", "V", "The voltage of the 12 V system."),
    "ambient_c": Feature("float", "degrees C", "The air around the vehicle."),
    "range_km": Feature("float", "km", "How far it can still go."),
    "speed_kph": Feature("float", "km/h", "How fast it went at the last report."),
    "odometer_km": Feature("float", "km", "How far it has gone."),
    "cell_spread_mv": Feature("float", "mV", "Between the highest and the lowest cell."),
    "hv_temp_c": Feature("float", "degrees C", "The high-voltage battery."),
    "coolant_c": Feature("float", "degrees C", "The coolant."),
    "tyre_kpa": Feature("float", "kPa", "The softest tyre."),
    "age_hours": Feature("float", "h", "Since the oldest active fault was first seen."),
    "vehicle_years": Feature("float", "years", "The car's age by its model year."),
    "returns": Feature("int", "times", "How often an active fault came back after a clear."),
    "folded": Feature("int", "faults", "How many symptoms are folded under a cause."),
    "cleared": Feature("int", "faults", "How many faults of the case are cleared."),
    "cases_7d": Feature("int", "cases", "Earlier cases that ended within 7 days."),
    "cases_30d": Feature("int", "cases", "Earlier cases that ended within 30 days."),
    "same_7d": Feature("int", "cases", "Of those of 7 days, the ones with the same root code."),
    "same_30d": Feature("int", "cases", "Of those of 30 days, the ones with the same root code."),
    "kin_30d": Feature("int", "cases", "Of those of 30 days, the ones of a system hit now."),
    "days_since_case": Feature("float", "days", "Since the last case ended."),
}
_READINGS: Final = (
    "state_of_charge", "low_voltage_v", "ambient_c", "range_km", "speed_kph", "odometer_km",
    "cell_spread_mv", "hv_temp_c", "coolant_c", "tyre_kpa",
)  # fmt: skip
_WEEK: Final = 7.0
_MONTH: Final = 30.0
_DAY_SECONDS: Final = 86_400.0
_NAN: Final = math.nan


class CodeFacts(NamedTuple):
    """What a row needs to know of a code."""

    system_bit: int
    tag_bits: int
    usual: int


def facts_of(catalogue: Catalogue, code: str) -> CodeFacts:
    """Look a code up; an unknown system counts as propulsion."""
    entry = catalogue.entry(code)
    system = System.PROPULSION if entry.system is System.UNKNOWN else entry.system
    tags = sum(TAG_BIT[tag] for tag in entry.tags)
    usual = LIMITED if entry.severity is None else _OWN.get(entry.severity, LIMITED)
    return CodeFacts(SYSTEM_BIT[system.value], tags, usual)


def effective_severity(fault: Fault, usual: int) -> int:
    """Rank a fault: the vehicle's word, raised by the lamp that the driver sees.

    An unknown severity counts as limited, or as stop where the catalogue says so.
    """
    own = _OWN.get(fault.severity)
    if own is None:
        own = max(LIMITED, usual)
    lamp = _BY_LAMP.get(fault.lamp, INFO)
    return own if own >= lamp else lamp


def columns(standings: Sequence[Standing], catalogue: Catalogue) -> Columns:
    """Make the columns of all rows; numbers that are not known are NaN."""
    known: dict[str, CodeFacts] = {}
    rows = [_row(standing, catalogue, known) for standing in standings]
    turned = zip(*rows, strict=True) if rows else ((),) * len(FEATURES)
    made: dict[str, NDArray[Any]] = {}
    kinds = {"int": np.int64, "systems": np.int64, "tags": np.int64, "bool": np.bool_,
             "float": np.float64}  # fmt: skip
    for (name, feature), column in zip(FEATURES.items(), turned, strict=True):
        made[name] = np.array(column, dtype=kinds[feature.kind])
    return made


def _row(standing: Standing, catalogue: Catalogue, known: dict[str, CodeFacts]) -> tuple[Any, ...]:
    worst = stops = limiteds = reports = returns = 0
    stop_systems = limited_systems = systems = tags = grave = 0
    moving = False
    oldest = standing.at
    for fault in standing.faults:
        facts = known.get(fault.code)
        if facts is None:
            facts = known[fault.code] = facts_of(catalogue, fault.code)
        rank = effective_severity(fault, facts.usual)
        worst = max(worst, rank)
        systems |= facts.system_bit
        tags |= facts.tag_bits
        if rank == STOP:
            stops += 1
            stop_systems |= facts.system_bit
            grave |= facts.tag_bits
            moving = moving or fault.stop_in_motion
        elif rank == LIMITED:
            limiteds += 1
            limited_systems |= facts.system_bit
            grave |= facts.tag_bits
        reports = max(reports, fault.count)
        returns = max(returns, fault.returns)
        oldest = min(oldest, fault.first_seen)
    readings = standing.readings
    year = standing.model_year
    return (
        worst, stops, limiteds, len(standing.faults), reports, stop_systems, limited_systems,
        systems, tags, grave, moving, standing.is_repeat_repair,
        standing.info.powertrain in ("bev", "phev"),
        *[readings.get(name, _NAN) for name in _READINGS],
        (standing.at - oldest).total_seconds() / 3600,
        np.nan if year is None else max(0.0, standing.at.year - year),
        returns, standing.folded, standing.cleared,
        *(_past(standing, systems, catalogue, known) if standing.history else _NO_PAST),
    )  # fmt: skip


_NO_PAST: Final = (0, 0, 0, 0, 0, np.nan)


def _past(
    standing: Standing, systems: int, catalogue: Catalogue, known: dict[str, CodeFacts]
) -> tuple[Any, ...]:
    """Count the vehicle's earlier cases; those that ended after this moment are not known yet."""
    cases_7d = cases_30d = same_7d = same_30d = kin_30d = 0
    last = np.nan
    for ended in standing.history:
        days = (standing.at - ended.closed_at).total_seconds() / _DAY_SECONDS
        if days < 0:
            continue
        last = days
        if days > _MONTH:
            continue
        is_same = ended.root == standing.root
        facts = known.get(ended.root)
        if facts is None:
            facts = known[ended.root] = facts_of(catalogue, ended.root)
        is_week = days <= _WEEK
        cases_7d += is_week
        cases_30d += 1
        same_7d += is_week and is_same
        same_30d += is_same
        kin_30d += (facts.system_bit & systems) != 0
    return cases_7d, cases_30d, same_7d, same_30d, kin_30d, last
