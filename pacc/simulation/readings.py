"""The noisy readings that a car sends with an alert; a failing part only leans on some of them."""

import random
from dataclasses import dataclass
from typing import Any, Final

from pacc.simulation.episode import is_away
from pacc.simulation.fleet import Car
from pacc.simulation.world import DAY, HOUR, World

_FULL_RANGE_KM: Final = {"bev": 480, "phev": 80}
_FLAT_BELOW: Final = 8.5  # volts at which nothing would be sent


@dataclass(frozen=True, slots=True)
class Moment:
    """When a car speaks, whether it moves, and which component is how badly off."""

    at: float
    is_moving: bool
    component: str
    damage: float

    def of(self, component: str) -> float:
        """Return the damage of a component; that of all others is 0."""
        return self.damage if component == self.component else 0.0


def readings(world: World, car: Car, moment: Moment, chance: random.Random) -> dict[str, Any]:
    """Return the alert's fields about the car: motion, charge, place, `signals`."""
    day = int(moment.at // DAY)
    outside = world.weather.at(car.city, day, moment.at % DAY / HOUR)
    # A fixed amount of chance for each alert, whatever is sent of it.
    draws = [chance.random() for _ in range(5)]
    speed = max(3.0, chance.gauss(52, 26)) if moment.is_moving else 0.0
    signals: dict[str, float] = {"ambient_c": round(outside + chance.gauss(0, 1.5), 1)}
    if draws[0] < 0.65:  # noqa: PLR2004 - a share
        signals["low_voltage_v"] = _volts(car, moment, outside, chance)
    fields: dict[str, Any] = {
        "motion": ("moving" if moment.is_moving else "parked") if draws[1] > 0.03 else "unknown",  # noqa: PLR2004 - a share
        "speed_kph": round(speed),
        "odometer_km": round(car.odometer_km + car.km_a_day * moment.at / DAY),
        "position": _place(world, car, day, chance),
        "signals": signals,
    }
    if car.powertrain in _FULL_RANGE_KM:
        fields["state_of_charge"] = charge = _charge(moment, draws[2])
        signals["range_km"] = round(charge * _FULL_RANGE_KM[car.powertrain] * (0.8 + draws[3] / 4))
        signals |= _high_voltage(car, moment, outside, chance)
    if car.powertrain != "bev":
        signals["coolant_c"] = _coolant(moment, speed, outside, chance)
    if draws[4] < 0.4 or moment.component == "tyres":  # noqa: PLR2004 - a share
        signals["tyre_kpa"] = _tyre(moment, outside, chance)
    return fields


def _volts(car: Car, moment: Moment, outside: float, chance: random.Random) -> float:
    """Return the 12 V: at rest it falls with cold, age and short trips; charging hides most."""
    tired = moment.of("low_voltage_battery")
    if moment.is_moving:
        return round(chance.gauss(14.1 - 0.5 * tired, 0.25), 1)
    rest = 12.6 - 0.025 * car.age_years - 0.014 * max(0.0, 15 - outside)
    rest -= 0.25 if car.has_short_trips else 0.0
    return round(max(_FLAT_BELOW, chance.gauss(rest - 0.6 * tired**1.5, 0.3)), 1)


def _charge(moment: Moment, draw: float) -> float:
    """Return the charge: anywhere, but lower where charging or cells fail."""
    worse = 0.55 * moment.of("charging") + 0.2 * moment.of("high_voltage_battery")
    return round(max(0.02, (0.12 + 0.83 * draw) * (1 - min(0.9, worse))), 2)


def _high_voltage(
    car: Car, moment: Moment, outside: float, chance: random.Random
) -> dict[str, float]:
    """Return cell spread and temperature: worse with age, cold, wear, and weak cooling."""
    spread = 12 + 2.2 * car.age_years + 0.5 * max(0.0, 10 - outside)
    spread += 32 * moment.of("high_voltage_battery")
    warm = 14 + 0.55 * outside + (6 if moment.is_moving else 0)
    warm += 14 * moment.of("high_voltage_cooling")
    return {
        "cell_spread_mv": round(max(2.0, spread * chance.lognormvariate(0, 0.35))),
        "hv_temp_c": round(chance.gauss(warm, 4.5), 1),
    }


def _coolant(moment: Moment, speed: float, outside: float, chance: random.Random) -> float:
    """Return the coolant's heat: more when the car is slow, when it is hot, and with a leak."""
    if not moment.is_moving:
        return round(chance.uniform(outside, 80), 1)
    slow = 6 * max(0.0, 1 - speed / 40)
    leak = 16 * moment.of("drive_unit") * (1.3 if speed < 40 else 0.8)  # noqa: PLR2004 - km/h
    return round(chance.gauss(89 + slow + 0.15 * max(0.0, outside - 20) + leak, 5), 1)


def _tyre(moment: Moment, outside: float, chance: random.Random) -> float:
    return round(chance.gauss(245 + 0.9 * (outside - 15) - 60 * moment.of("tyres"), 14))


def _place(world: World, car: Car, day: int, chance: random.Random) -> dict[str, float]:
    far = 1.1 if is_away(world, car, day) else 0.0
    return {
        "lat": round(car.lat + far + chance.gauss(0, 0.02), 5),
        "lon": round(car.lon - far + chance.gauss(0, 0.02), 5),
    }
