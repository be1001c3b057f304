"""What happens to a car in a day: wear, a frosty morning, a bad update, a breakdown."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pacc.simulation.fleet import COLD, Car

HOUR: Final = 3600.0
# (share of cars a day, code, severity, motion, whether it leaves the car standing)
_ELECTRIC: Final = (
    (0.0025, "dtc:P0A7D", "limited", "moving", 0.3),
    (0.0020, "dtc:P0AA6", "limited", "moving", 0.2),
    (0.0015, "dtc:P0A7E", "limited", "moving", 0.2),
    (0.0006, "dtc:P0A44", "stop", "moving", 0.95),
    (0.0004, "dtc:P0C01", "stop", "moving", 0.95),
)
_COMBUSTION: Final = (
    (0.0030, "dtc:P0300", "limited", "moving", 0.15),
    (0.0015, "dtc:P0217", "stop", "moving", 0.9),
    (0.0080, "dtc:P0420", "service", "moving", 0.0),
    (0.0040, "dtc:P0128", "service", "moving", 0.0),
    (0.0060, "ccm:ENGINE_OIL", "service", "parked", 0.0),
)
_ANY: Final = (
    (0.0150, "ccm:164", "info", "parked", 0.0),
    (0.0120, "cbs:TIRE_WEAR_FRONT", "service", "parked", 0.0),
    (0.0100, "dtc:C0750", "service", "moving", 0.0),
    (0.0080, "ccm:LIGHTING", "service", "parked", 0.0),
    (0.0080, "dtc:B1342", "limited", "unknown", 0.0),
    (0.0010, "ccm:BRAKE_FLUID", "limited", "moving", 0.05),
)
_FROST_SHARE: Final = 0.05
_UPDATE_MODEL: Final = "i4"
_UPDATE_SHARE: Final = 0.6
_BAD_SOFTWARE: Final = "11-2025.50"
_SILENT_UNITS: Final = ("dtc:U0100", "dtc:U0121", "dtc:U0140", "dtc:U0155", "dtc:U0293")


@dataclass(frozen=True, slots=True)
class Said:
    """One alert as the car meant it: `second` counts from the start of the simulation."""

    second: float
    code: str
    severity: str
    status: str = "active"
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Truth:
    """What was really wrong with a car, and whether it was left standing within 24 hours."""

    scenario: str
    code: str
    second: float
    is_immobilised: bool


def happens(car: Car, hours: float, seed: int) -> tuple[list[Said], list[Truth]]:
    """Let the hours pass for one car."""
    chance = random.Random(f"{seed} day {car.number}")
    days = hours / 24
    said: list[Said] = []
    truths: list[Truth] = []
    own = _COMBUSTION if car.powertrain == "ice" else _ELECTRIC
    for share, code, severity, motion, stranding in (*own, *_ANY):
        if chance.random() < share * days:
            second = chance.uniform(0, hours * HOUR)
            truth = Truth("wear", code, second, chance.random() < stranding)
            truths.append(truth)
            said += _fault(chance, truth, severity, motion, hours)
    for day in range(int(-(-hours // 24))):
        morning = day * 24 * HOUR
        if car.city in COLD and chance.random() < _FROST_SHARE:
            said += _frost(chance, morning + chance.uniform(6, 8.5) * HOUR, truths)
    if car.model == _UPDATE_MODEL and chance.random() < _UPDATE_SHARE:
        said += _update(chance, truths)
    return [one for one in said if one.second < hours * HOUR], truths


def _fault(
    chance: random.Random, truth: Truth, severity: str, motion: str, hours: float
) -> Iterator[Said]:
    """Repeat a fault as cars do; some go away by themselves."""
    signals = {"ambient_c": round(chance.gauss(4, 3), 1)}
    end = min(hours * HOUR, truth.second + chance.expovariate(1 / (4 * HOUR)))
    heals = not truth.is_immobilised and chance.random() < 0.3  # noqa: PLR2004 - a share
    second = truth.second
    more = {"motion": motion, "speed_kph": round(chance.uniform(20, 110)) if motion == "moving"
            else 0, "signals": signals}  # fmt: skip
    while second < end:
        yield Said(second, truth.code, severity, more=more)
        if truth.is_immobilised:
            more = {**more, "motion": "parked", "speed_kph": 0}
        second += chance.uniform(60, 1200)
    if heals:
        yield Said(end, truth.code, severity, "cleared", more)


def _frost(chance: random.Random, second: float, truths: list[Truth]) -> Iterator[Said]:
    """A weak 12 V battery on a cold morning, and the flock of codes that it brings."""
    volts = round(chance.uniform(10.6, 11.9), 1)
    stands = volts < 11.1  # noqa: PLR2004 - volts below which a starter gives up
    truths.append(Truth("frost", "dtc:P0562", second, stands))
    signals = {"low_voltage_v": volts, "ambient_c": round(chance.gauss(-11, 3), 1)}
    more = {"motion": "parked", "speed_kph": 0, "signals": signals}
    yield Said(second, "dtc:P0562", "limited", more=more)
    for code in chance.sample(_SILENT_UNITS, chance.randint(2, 5)):
        yield Said(second + chance.uniform(1, 40), code, "limited", more=more)
    for _ in range(chance.randint(0, 5)):
        second += chance.uniform(30, 600)
        yield Said(second, "dtc:P0562", "limited", more=more)
    if not stands:
        yield Said(second + 900, "dtc:P0562", "limited", "cleared", more)


def _update(chance: random.Random, truths: list[Truth]) -> Iterator[Said]:
    """A bad over-the-air update at eleven, taken back at three."""
    second = (11 + chance.random()) * HOUR
    truths.append(Truth("update", "dtc:U0155", second, is_immobilised=False))
    more = {"motion": "unknown", "software": _BAD_SOFTWARE}
    while second < 15 * HOUR:
        yield Said(second, "dtc:U0155", "service", more=more)
        second += chance.uniform(300, 1500)
    yield Said(15 * HOUR + chance.uniform(0, 1800), "dtc:U0155", "service", "cleared", more)


def summary(truths: Sequence[Truth]) -> dict[str, int]:
    """Count what was really wrong."""
    counts = {f"{name}_faults": 0 for name in ("wear", "frost", "update")}
    for truth in truths:
        counts[f"{truth.scenario}_faults"] += 1
    return {**counts, "immobilised": sum(truth.is_immobilised for truth in truths)}
