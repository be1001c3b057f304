"""A component that begins to fail: its hidden damage, its hazard, and what became of it."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pacc.simulation.fleet import Car
from pacc.simulation.parameters import Ending, Scenario
from pacc.simulation.world import DAY, World

_QUARTER: Final = DAY / 4
_LONGEST_DAYS: Final = 60
_MOST_DAMAGE: Final = 1.2
_BENDS: Final = 1.3  # damage grows faster the further it is
_MILD_FROM: Final = 8.0
_MILD_TO: Final = 22.0
_USUAL_AGE: Final = 5.0
_USUAL_KM: Final = 38.0
_MOST_OFTEN: Final = 4.0  # by how much weather may raise onsets at most
_LEAD_SECONDS: Final = (120.0, 1800.0)
_YEAR_OF_THOUSAND: Final = 365_000.0  # 1,000 cars for a year, in days of one car


@dataclass(slots=True)
class Episode:
    """One failing component of one car, in local seconds; `level` is the damage of a harmless twin.

    `failing_at` is when the last minutes begin, `immobilised_at` when the car stands, `ends_at`
    when it is repaired or, unrepaired, has healed.
    """

    scenario: Scenario
    onset: float
    full_days: float
    level: float | None
    ends_at: float
    finding: str
    failing_at: float | None = None
    immobilised_at: float | None = None
    ending: Ending | None = None

    def damage(self, at: float) -> float:
        """Return how bad it is: 0 at the onset, 1 when it is worn out."""
        if self.level is not None:
            return self.level
        grown = max(0.0, (at - self.onset) / (self.full_days * DAY))
        return min(_MOST_DAMAGE, math.pow(grown, _BENDS))


def hazard(world: World, car: Car, episode: Episode, quarter: int) -> float:
    """Return the rate of immobilisation, per day, in a quarter of a day; 0 for a twin."""
    if episode.level is not None:
        return 0.0
    scenario = episode.scenario
    day, part = divmod(quarter, 4)
    damage = episode.damage((quarter + 0.5) * _QUARTER)
    mild = math.exp(-scenario.steep * (1 - damage))
    weather = _stress(scenario.cold[1], scenario.heat[1], world.weather.mean(car.city, day))
    far = scenario.away if is_away(world, car, day) else 1.0
    return scenario.hazard * mild * weather * far * world.figures.quarters[part]


def risk(world: World, car: Car, episode: Episode, at: float, seconds: float = DAY) -> float:
    """Return the probability that the car comes to stand within `seconds` of `at`.

    It knows the hidden state and the weather, not the draw; a visit to the workshop competes.
    From the last minutes on, and while the car stands, it is 1.
    """
    if not episode.onset <= at < episode.ends_at or episode.level is not None:
        return 0.0
    if episode.failing_at is not None and at >= episode.failing_at:
        return 1.0
    left, total, visit = 1.0, 0.0, episode.scenario.visit
    while seconds > 0:
        quarter = int(at // _QUARTER)
        step = min(seconds, (quarter + 1) * _QUARTER - at)
        rate = hazard(world, car, episode, quarter)
        gone = left * (1 - math.exp(-(rate + visit) * step / DAY))
        total += gone * rate / (rate + visit) if rate else 0.0
        left -= gone
        at, seconds = (quarter + 1) * _QUARTER, seconds - step
    return total


def is_away(world: World, car: Car, day: int) -> bool:
    """Return whether a car spends a day far from home."""
    share: float = world.figures.fleet["away_a_day"]
    mixed = (world.seed * 1_000_003 + car.number * 7_919 + day * 104_729) * 2_654_435_761
    return mixed % 2**32 / 2**32 < share


def episodes(world: World, car: Car, chance: random.Random) -> Iterator[Episode]:
    """Yield a car's failing components, none of which has stranded it before the beginning."""
    for scenario in world.figures.scenarios:
        if car.powertrain not in scenario.powertrains:
            continue
        lead = min(_LONGEST_DAYS, 4 * scenario.days[0]) * DAY
        for onset in _onsets(world, car, scenario, chance, scenario.a_year, lead):
            episode = _follow(world, car, scenario, onset, chance)
            if episode.ends_at > world.begins and not _is_past(world, episode):
                yield episode
        lead = 4 * scenario.twin_days * DAY
        often = scenario.a_year * scenario.twins
        for onset in _onsets(world, car, scenario, chance, often, lead):
            ends_at = onset + chance.expovariate(1 / (scenario.twin_days * DAY))
            level = chance.uniform(*scenario.twin_level)
            if ends_at > world.begins:
                yield Episode(scenario, onset, 1.0, level, ends_at, "no_fault_found")


def _is_past(world: World, episode: Episode) -> bool:
    """Return whether the car stood before the beginning: no car does when a simulation starts."""
    return episode.immobilised_at is not None and episode.immobilised_at < world.begins


def count(chance: random.Random, mean: float) -> int:
    """Return a draw from the Poisson distribution."""
    limit, number, left = math.exp(-min(mean, 500.0)), 0, chance.random()
    while left > limit:
        left *= chance.random()
        number += 1
    return number


def _onsets(
    world: World, car: Car, scenario: Scenario, chance: random.Random, a_year: float, lead: float
) -> list[float]:
    worn = (max(car.age_years, 0.3) / _USUAL_AGE) ** scenario.age
    used = (car.km_a_day / _USUAL_KM) ** scenario.use
    a_day = a_year / _YEAR_OF_THOUSAND * world.acceleration * car.frailty * worn * used
    first = world.begins - lead
    number = count(chance, a_day * _MOST_OFTEN * (world.ends - first) / DAY)
    onsets = []
    for _ in range(number):
        onset = chance.uniform(first, world.ends)
        mean = world.weather.mean(car.city, int(onset // DAY))
        stress = _stress(scenario.cold[0], scenario.heat[0], mean)
        if chance.random() * _MOST_OFTEN < stress:
            onsets.append(onset)
    return sorted(onsets)


def _follow(
    world: World, car: Car, scenario: Scenario, onset: float, chance: random.Random
) -> Episode:
    """Return an episode, followed until the car stands or is brought in before."""
    days = scenario.days[0] * chance.lognormvariate(0, scenario.days[1])
    episode = Episode(scenario, onset, days, None, onset + _LONGEST_DAYS * DAY, scenario.finding)
    if scenario.visit:
        visit = onset + chance.expovariate(scenario.visit) * DAY
        episode.ends_at = min(visit, episode.ends_at)
    budget = chance.expovariate(1)
    at = onset
    while at < min(episode.ends_at, world.ends):
        quarter = int(at // _QUARTER)
        rate = hazard(world, car, episode, quarter)
        step = (quarter + 1) * _QUARTER - at
        if rate * step / DAY >= budget:
            stands = at + budget / rate * DAY
            if stands < episode.ends_at:
                _strand(world, episode, stands, chance)
            break
        budget -= rate * step / DAY
        at = (quarter + 1) * _QUARTER
    return episode


def _strand(world: World, episode: Episode, stands: float, chance: random.Random) -> None:
    endings = episode.scenario.endings
    episode.immobilised_at = stands
    episode.failing_at = max(episode.onset, stands - chance.uniform(*_LEAD_SECONDS))
    episode.ending = chance.choices(endings, [ending.share for ending in endings])[0]
    episode.ends_at = stands + chance.uniform(*world.figures.repair_days) * DAY


def _stress(cold: float, heat: float, degrees: float) -> float:
    raised = cold * max(0.0, _MILD_FROM - degrees) + heat * max(0.0, degrees - _MILD_TO)
    return math.exp(raised / 10)
