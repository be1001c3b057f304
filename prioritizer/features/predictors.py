"""What the model sees of a case: one list of numbers, the same for training and for the pipeline.

Everything is known at the moment of the alert; nothing reads a clock or a neighbouring row.
Readings that the vehicle did not give are NaN.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from prioritizer.features.catalogue import SENSOR_TAGS
from prioritizer.features.codes import SYSTEM_BIT, TAG_BIT
from prioritizer.features.features import Columns

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Predictor:
    """One number that the model sees. `direction` +1: more can only mean more danger; 0: no such
    law of physics. `driver` names the sentence that explains it (`attribution.yaml`)."""

    unit: str
    sentence: str
    driver: str
    of: Callable[[Columns], NDArray[Any]]
    direction: int = 0


def _plain(name: str) -> Callable[[Columns], NDArray[Any]]:
    return lambda columns: columns[name]


def _tags(*names: str) -> Callable[[Columns], NDArray[Any]]:
    bits = sum(TAG_BIT[name] for name in names)
    return lambda columns: (columns["tags"] & bits) != 0


def _systems(*names: str) -> Callable[[Columns], NDArray[Any]]:
    bits = sum(SYSTEM_BIT[name] for name in names)
    return lambda columns: (columns["systems"] & bits) != 0


_ABOUT: Final[Mapping[str, Callable[[Columns], NDArray[Any]]]] = {
    "about_12v": _tags("low_12v", "high_12v", "dcdc", "alternator", "low_12v_sensor"),
    "about_hv_heat": _tags("hv_battery_hot", "thermal_propagation"),
    "about_hv_cells": _tags("hv_battery_cell", "battery_sensor"),
    "about_hv_safety": _tags("hv_isolation", "hv_contactor", "hv_interlock", "isolation_monitor"),
    "about_charge": _tags("hv_battery_low", "charging", "charge_sensor"),
    "about_drive": _tags("drive_unit", "transmission", "misfire", "fuel", "drive_sensor"),
    "about_brakes": _tags(
        "brake_assist",
        "brake_system",
        "brake_fluid",
        "brake_hot",
        "brake_wear",
        "abs",
        "brake_sensor",
    ),
    "about_tyres": _tags("tyre_pressure", "tyre_monitor"),
    "about_cooling": _tags(
        "coolant_low", "coolant_pump", "coolant_valve", "coolant_hot", "coolant_sensor"
    ),
    "about_oil": _tags("oil_pressure", "oil_level", "oil_sensor"),
    "about_network": _tags("network_lost"),
    "about_upkeep": _tags("service_due", "washer", "lighting", "emissions", "climate"),
    "about_software": _tags("software_update", "driver_assistance"),
    "about_steering": _tags("steering_assist", "steering_sensor"),
    "about_sensor": _tags(*SENSOR_TAGS),
    "about_body": _systems("body", "infotainment", "restraint"),
}

PREDICTORS: Final[Mapping[str, Predictor]] = {
    "worst": Predictor("0 to 3", "The worst active fault.", "gravity", _plain("worst"), 1),
    "stops": Predictor("faults", "Active stop faults.", "gravity", _plain("stops"), 1),
    "limiteds": Predictor("faults", "Active limited faults.", "gravity", _plain("limiteds"), 1),
    "stop_in_motion": Predictor(
        "0, 1", "A stop fault came in motion.", "gravity", _plain("stop_in_motion"), 1
    ),
    "actives": Predictor("faults", "Active faults, not folded.", "many", _plain("actives")),
    "folded": Predictor("faults", "Symptoms folded under a cause.", "many", _plain("folded")),
    "cleared": Predictor(
        "faults", "Faults of the case that are cleared.", "flicker", _plain("cleared")
    ),
    "returns": Predictor(
        "times", "How often a fault came back after a clear.", "flicker", _plain("returns")
    ),
    "age_hours": Predictor(
        "h", "Since the oldest active fault was first seen.", "since", _plain("age_hours")
    ),
    "cases_7d": Predictor(
        "cases", "Cases of the car that ended within 7 days.", "again", _plain("cases_7d")
    ),
    "cases_30d": Predictor(
        "cases", "Cases of the car that ended within 30 days.", "again", _plain("cases_30d")
    ),
    "same_7d": Predictor(
        "cases", "Of those of 7 days, the ones with the same root code.", "again", _plain("same_7d")
    ),
    "same_30d": Predictor(
        "cases",
        "Of those of 30 days, the ones with the same root code.",
        "again",
        _plain("same_30d"),
    ),
    "kin_30d": Predictor(
        "cases",
        "Of those of 30 days, the ones of a system that is hit now.",
        "again",
        _plain("kin_30d"),
    ),
    "days_since_case": Predictor(
        "days", "Since the last case ended.", "again", _plain("days_since_case")
    ),
    "repeat_repair": Predictor(
        "0, 1",
        "A repair of the same cause was recorded within thirty days.",
        "again",
        _plain("repeat_repair"),
    ),
    "vehicle_years": Predictor(
        "years", "The car's age by its model year.", "worn", _plain("vehicle_years"), 1
    ),
    "odometer_km": Predictor("km", "How far it has gone.", "worn", _plain("odometer_km"), 1),
    "electric": Predictor("0, 1", "Battery or plug-in hybrid.", "kind", _plain("electric")),
    "low_voltage_v": Predictor("V", "The 12 V system.", "voltage", _plain("low_voltage_v"), -1),
    "ambient_c": Predictor("degrees C", "The air around the car.", "weather", _plain("ambient_c")),
    "state_of_charge": Predictor(
        "0 to 1", "The high-voltage battery's charge.", "charge", _plain("state_of_charge"), -1
    ),
    "range_km": Predictor("km", "How far it can still go.", "charge", _plain("range_km"), -1),
    "cell_spread_mv": Predictor(
        "mV", "Between the highest and the lowest cell.", "cells", _plain("cell_spread_mv"), 1
    ),
    "hv_temp_c": Predictor("degrees C", "The high-voltage battery.", "heat", _plain("hv_temp_c")),
    "coolant_c": Predictor("degrees C", "The coolant.", "heat", _plain("coolant_c"), 1),
    "tyre_kpa": Predictor("kPa", "The softest tyre.", "tyre", _plain("tyre_kpa"), -1),
    "speed_kph": Predictor(
        "km/h", "How fast it went at the last report.", "motion", _plain("speed_kph")
    ),
    **{
        name: Predictor("0, 1", "What the active faults are about.", "cause", of)
        for name, of in _ABOUT.items()
    },
}

NAMES: Final = tuple(PREDICTORS)
# Raise it when a number changes its meaning and keeps its name.
_EDITION: Final = 2


def _version() -> str:
    spelled = [
        _EDITION,
        *((name, predictor.unit, predictor.sentence) for name, predictor in PREDICTORS.items()),
    ]
    return hashlib.sha256(json.dumps(spelled).encode()).hexdigest()[:12]


VERSION: Final = _version()
MONOTONE: Final[Mapping[str, int]] = {
    name: predictor.direction for name, predictor in PREDICTORS.items() if predictor.direction
}


def matrix(columns: Columns) -> Numbers:
    """Return the model's numbers: shape (rows, predictors), in the order of `NAMES`."""
    rows = len(columns["worst"])
    numbers = np.empty((rows, len(NAMES)), dtype=np.float64)
    for place, predictor in enumerate(PREDICTORS.values()):
        numbers[:, place] = predictor.of(columns)
    return numbers
