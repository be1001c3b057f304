"""The temperature of each city on each day: season, changing weather, cold spells."""

import math
import random
from datetime import date, timedelta
from typing import Final

from pacc.simulation.parameters import Parameters

_FIRST_DAY: Final = -120  # history before the start that slow faults may need
_WARMEST_HOUR: Final = 15
_YEAR_DAYS: Final = 365.25
_COLD_MONTHS: Final = frozenset({11, 12, 1, 2, 3})


class Weather:
    """Degrees C by city and day; day 0 is the first local day. A function of seed and date only."""

    def __init__(self, seed: int, first: date, figures: Parameters) -> None:
        self._seed = seed
        self._first = first
        self._figures = figures
        self._means: dict[str, list[float]] = {}
        self._states: dict[str, tuple[random.Random, float, int, float]] = {}

    def mean(self, city: str, day: int) -> float:
        """Return a day's mean; days before the history began have the first one's."""
        known = self._means.setdefault(city, [])
        place = max(0, day - _FIRST_DAY)
        while len(known) <= place:
            known.append(self._next(city, len(known) + _FIRST_DAY))
        return known[place]

    def at(self, city: str, day: int, hour: float) -> float:
        """Return the temperature at a local hour of a day."""
        swing = float(self._figures.weather["day_and_night"])
        return self.mean(city, day) + swing * math.cos((hour - _WARMEST_HOUR) / 12 * math.pi)

    def _next(self, city: str, day: int) -> float:
        """Step a city's weather to its next day, and return that day's mean."""
        w = self._figures.weather
        chance, drift, left, drop = self._states.get(
            city, (random.Random(f"{self._seed} weather {city}"), 0.0, 0, 0.0)
        )
        when = self._first + timedelta(days=day)
        drift = w["memory"] * drift + chance.gauss(0, w["day_to_day"])
        begins = chance.random() < w["spell_chance"]
        length, depth = chance.randint(*w["spell_days"]), chance.uniform(*w["spell_degrees"])
        if left:
            left -= 1
        elif begins and when.month in _COLD_MONTHS:
            left, drop = length, depth
        self._states[city] = (chance, drift, left, drop)
        mean, half = self._figures.climate[city]
        season = (when.timetuple().tm_yday - w["coldest_day"]) / _YEAR_DAYS * 2 * math.pi
        spell = drop if left else 0.0
        return float(mean - half * math.cos(season) + drift - spell)
