"""What all cars of a simulation share: its figures, its weather, and the local calendar."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

from pacc.simulation.parameters import Parameters, load_parameters
from pacc.simulation.weather import Weather

DAY: Final = 86_400.0
HOUR: Final = 3_600.0
CHINA: Final = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class World:
    """Times inside the simulation are local seconds: 0 is midnight in China before the start."""

    seed: int
    figures: Parameters
    weather: Weather
    begins: float
    ends: float
    acceleration: float

    def second_of(self, at: datetime, start: datetime) -> float:
        """Return a time as local seconds."""
        return (at - start).total_seconds() + self.begins


def make_world(start: datetime, hours: float, seed: int, acceleration: float | None) -> World:
    """Return the world of a simulation; without an acceleration, with the file's own."""
    figures = load_parameters()
    local = start.astimezone(CHINA)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    begins = (local - midnight).total_seconds()
    return World(
        seed=seed,
        figures=figures,
        weather=Weather(seed, local.date(), figures),
        begins=begins,
        ends=begins + hours * HOUR,
        acceleration=figures.acceleration if acceleration is None else acceleration,
    )
