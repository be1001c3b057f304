"""Turns standings into columns, a value for each row or each fault; no row depends on another."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.case import Standing
from models.names.fault_code import component_of
from models.signs.motion import is_driving
from models.words import Motion
from prioritizer.features.codes import LIMITED, STOP, Codes, gravity

Columns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Feature:
    """A column of numbers, with its unit."""

    kind: str
    unit: str
    sentence: str
    bounds: tuple[float, float] = (-math.inf, math.inf)  # no car is outside


FEATURES: Final[Mapping[str, Feature]] = {
    "worst": Feature("int", "0 info, 1 service, 2 limited, 3 stop", "The worst active fault."),
    "stops": Feature("int", "faults", "How many active faults say stop."),
    "limiteds": Feature("int", "faults", "How many active faults are limited."),
    "actives": Feature("int", "faults", "How many faults are active and not folded."),
    "stop_systems": Feature("systems", "bits", "Systems with an active stop fault."),
    "limited_systems": Feature("systems", "bits", "Systems with an active limited fault."),
    "lost_systems": Feature(
        "systems", "bits", "Systems that a limited fault says are failing, not only their sensor."
    ),
    "systems": Feature("systems", "bits", "Systems with any active fault."),
    "tags": Feature("tags", "bits", "What the active faults are about, by our catalogue."),
    "grave_tags": Feature("tags", "bits", "The same of faults that are limited or stop."),
    "stop_in_motion": Feature("bool", "", "A stop fault came while not known to be parked."),
    "repeat_repair": Feature(
        "bool", "", "A repair of the same cause was recorded within thirty days."
    ),
    "electric": Feature("bool", "", "The vehicle is a battery or plug-in hybrid vehicle."),
    "state_of_charge": Feature("float", "0 to 1", "The high-voltage battery's charge.", (0, 1)),
    "low_voltage_v": Feature("float", "V", "The voltage of the 12 V system."),
    "ambient_c": Feature("float", "degrees C", "The air around the vehicle."),
    "range_km": Feature("float", "km", "How far it can still go."),
    "speed_kph": Feature("float", "km/h", "How fast it went at the last report.", (0, 500)),
    "odometer_km": Feature("float", "km", "How far it has gone.", (0, 5_000_000)),
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
FAULT_FIELDS: Final[Mapping[str, Feature]] = {
    "severity": Feature("int", "0 info, 1 service, 2 limited, 3 stop", "How grave the fault is."),
    "system": Feature("systems", "bits", "The system that the fault concerns."),
    "tags": Feature("tags", "bits", "What the fault is about, by our catalogue."),
    "lost_system": Feature("systems", "bits", "The system, unless only a sensor of it is faulty."),
    "stop_in_motion": Feature("bool", "", "It said stop while the car was not known to be parked."),
    "in_motion": Feature("bool", "", "Its last report came while not known to be parked."),
    "driving": Feature(
        "bool", "", "It moves by its last report, or nobody knows and no speed says that it stands."
    ),
    "has_known_system": Feature(
        "bool", "", "Its system is known, by our catalogue or by the range of its code."
    ),
    "is_sensor": Feature("bool", "", "Only a sensor or monitor of its system is faulty."),
    "is_root": Feature("bool", "", "It is the fault that the case was opened for."),
    "returns": Feature("int", "times", "How often it came back after a clear."),
    "age_hours": Feature("float", "h", "Since it was first seen."),
}
READINGS: Final = (
    "state_of_charge",
    "low_voltage_v",
    "ambient_c",
    "range_km",
    "speed_kph",
    "odometer_km",
    "cell_spread_mv",
    "hv_temp_c",
    "coolant_c",
    "tyre_kpa",
)
_UNKNOWN: Final = dict.fromkeys(READINGS, np.nan)
_in_order: Final = itemgetter(*READINGS)
_WEEK: Final = 7.0
_MONTH: Final = 30.0
_DAY_SECONDS: Final = 86_400.0
_HOUR_SECONDS: Final = 3_600.0


class Table(NamedTuple):
    """Standings as columns: `rows` has a value for each standing, `faults` one for each of their
    faults, all of the first standing's before the second's; `owner` is the row of each fault."""

    rows: Columns
    faults: Columns
    owner: NDArray[np.int64]


class _Groups:
    """Items that belong to rows, all rows' items one after the other."""

    def __init__(self, counts: Sequence[int]) -> None:
        self.counts = np.array(counts, dtype=np.int64)
        self._filled = self.counts > 0
        self._starts = (np.cumsum(self.counts) - self.counts)[self._filled]

    def each(self, how: np.ufunc, items: NDArray[Any], none: float = 0) -> NDArray[Any]:
        """Return one value of each row's items; `none` for a row without."""
        kind = np.int64 if items.dtype == np.bool_ else items.dtype
        values = np.full(len(self.counts), none, dtype=kind)
        if len(self._starts):
            values[self._filled] = how.reduceat(items, self._starts, dtype=kind)
        return values


def tabulate(standings: Sequence[Standing], codes: Codes) -> Table:
    """Make the columns of all rows and of all their faults; numbers that are not known are NaN."""
    groups = _Groups([len(standing.faults) for standing in standings])
    faults = _of_faults(standings, codes)
    of_rows = _of_rows(faults, groups, _once(standings, faults["severity"]))
    columns = {
        **of_rows,
        **_of_cases(standings),
        **_of_the_past(standings, of_rows["systems"], codes),
    }
    owner = np.repeat(np.arange(len(standings), dtype=np.int64), groups.counts)
    return Table({name: columns[name] for name in FEATURES}, faults, owner)


def _of_faults(standings: Sequence[Standing], codes: Codes) -> dict[str, NDArray[Any]]:
    """Make the columns of `FAULT_FIELDS`."""
    faults = [fault for standing in standings for fault in standing.faults]
    facts = [
        codes[fault.code, standing.make] for standing in standings for fault in standing.faults
    ]
    seconds = [
        (standing.at - fault.first_seen).total_seconds()
        for standing in standings
        for fault in standing.faults
    ]
    return {
        "severity": np.array(
            [
                gravity(fault.severity, fault.lamp, fact.usual)
                for fault, fact in zip(faults, facts, strict=True)
            ],
            dtype=np.int64,
        ),
        "system": np.array([fact.system_bit for fact in facts], dtype=np.int64),
        "tags": np.array([fact.tag_bits for fact in facts], dtype=np.int64),
        "lost_system": np.array([fact.lost_bit for fact in facts], dtype=np.int64),
        "stop_in_motion": np.array([fault.stop_in_motion for fault in faults], dtype=np.bool_),
        "in_motion": np.array(
            [fault.motion is not Motion.PARKED for fault in faults], dtype=np.bool_
        ),
        "driving": np.array(
            [
                is_driving(fault.motion, standing.readings.get("speed_kph"))
                for standing in standings
                for fault in standing.faults
            ],
            dtype=np.bool_,
        ),
        "has_known_system": np.array([fact.has_known_system for fact in facts], dtype=np.bool_),
        "is_sensor": np.array([fact.is_sensor for fact in facts], dtype=np.bool_),
        "is_root": np.array(
            [fault.code == standing.root for standing in standings for fault in standing.faults],
            dtype=np.bool_,
        ),
        "returns": np.array([fault.returns for fault in faults], dtype=np.int64),
        "age_hours": np.maximum(np.array(seconds, dtype=np.float64), 0.0) / _HOUR_SECONDS,
    }


def _once(standings: Sequence[Standing], severity: NDArray[Any]) -> NDArray[np.bool_]:
    """Say of each fault whether it counts: of a component's failure types only the worst does."""
    counts = np.zeros(len(severity), dtype=np.bool_)
    start = 0
    for standing in standings:
        worst: dict[str, int] = {}
        for place, fault in enumerate(standing.faults, start):
            component = component_of(fault.code)
            if component not in worst or severity[place] > severity[worst[component]]:
                worst[component] = place
        counts[list(worst.values())] = True
        start += len(standing.faults)
    return counts


def _of_rows(faults: Columns, groups: _Groups, once: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    """Sum up the faults of each row; a component counts `once`."""
    severity, system, tags = faults["severity"], faults["system"], faults["tags"]
    is_stop, is_limited = severity == STOP, severity == LIMITED
    return {
        "worst": groups.each(np.maximum, severity),
        "stops": groups.each(np.add, is_stop & once),
        "limiteds": groups.each(np.add, is_limited & once),
        "actives": groups.each(np.add, once),
        "returns": groups.each(np.maximum, faults["returns"]),
        "stop_systems": groups.each(np.bitwise_or, system * is_stop),
        "limited_systems": groups.each(np.bitwise_or, system * is_limited),
        "lost_systems": groups.each(np.bitwise_or, faults["lost_system"] * is_limited),
        "systems": groups.each(np.bitwise_or, system),
        "tags": groups.each(np.bitwise_or, tags),
        "grave_tags": groups.each(np.bitwise_or, tags * (is_stop | is_limited)),
        "stop_in_motion": groups.each(np.maximum, faults["stop_in_motion"] & is_stop) > 0,
        "age_hours": groups.each(np.maximum, faults["age_hours"]),
    }


def _of_cases(standings: Sequence[Standing]) -> dict[str, NDArray[Any]]:
    readings = np.fromiter(
        chain.from_iterable(_in_order({**_UNKNOWN, **standing.readings}) for standing in standings),
        dtype=np.float64,
        count=len(standings) * len(READINGS),
    ).reshape(-1, len(READINGS))
    years = [
        np.nan if standing.model_year is None else max(0.0, standing.at.year - standing.model_year)
        for standing in standings
    ]
    return {
        "repeat_repair": np.array(
            [standing.is_repeat_repair for standing in standings], dtype=np.bool_
        ),
        "electric": np.array(
            [standing.info.powertrain in ("bev", "phev") for standing in standings], dtype=np.bool_
        ),
        **dict(zip(READINGS, readings.T.copy(), strict=True)),
        "vehicle_years": np.array(years, dtype=np.float64),
        "folded": np.array([standing.folded for standing in standings], dtype=np.int64),
        "cleared": np.array([standing.cleared for standing in standings], dtype=np.int64),
    }


def _of_the_past(
    standings: Sequence[Standing], systems: NDArray[np.int64], codes: Codes
) -> dict[str, NDArray[Any]]:
    """Return counts of the vehicles' earlier cases; those that ended later are not known yet."""
    rows = _Groups([len(standing.history) for standing in standings])
    past = [(standing, ended) for standing in standings for ended in standing.history]
    days = np.array(
        [(standing.at - ended.closed_at).total_seconds() for standing, ended in past]
    ) / (_DAY_SECONDS)
    is_same = np.array([ended.root == standing.root for standing, ended in past], dtype=np.bool_)
    hit = np.array(
        [codes[ended.root, standing.make].system_bit for standing, ended in past], dtype=np.int64
    )
    is_known = days >= 0
    is_week, is_month = is_known & (days <= _WEEK), is_known & (days <= _MONTH)
    is_kin = (hit & np.repeat(systems, rows.counts)) != 0
    return {
        "cases_7d": rows.each(np.add, is_week),
        "cases_30d": rows.each(np.add, is_month),
        "same_7d": rows.each(np.add, is_week & is_same),
        "same_30d": rows.each(np.add, is_month & is_same),
        "kin_30d": rows.each(np.add, is_month & is_kin),
        "days_since_case": rows.each(np.fmin, np.where(is_known, days, np.nan), np.nan),
    }
