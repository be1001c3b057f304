"""What a failing or a harmless component makes the car say: bursts, flicker, flocks, lamps."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from models.words import Status
from pacc.simulation.episode import Episode, count
from pacc.simulation.fleet import Car
from pacc.simulation.parameters import Harmless, Phrase, Vocabulary
from pacc.simulation.readings import Moment, readings
from pacc.simulation.world import DAY, HOUR, World

_STAGES: Final = (0.4, 0.75)
_FLOCK_FROM: Final = 0.55
_FLOCK_SHARE: Final = 0.2
_TWO_CODES: Final = 0.25
_GAP: Final = (60.0, 1200.0)
_CLEARS_AFTER: Final = (300.0, 5400.0)
_STANDING_SPEAKS: Final = 1800.0  # how long a car that stands may still be heard
_MORNING: Final = (7.6, 0.8)
_EVENING: Final = (18.1, 1.0)


@dataclass(frozen=True, slots=True)
class Utterance:
    """One alert as the car meant it: `second` counts from the start of the simulation."""

    second: float
    code: str
    severity: str
    status: str = "active"
    more: dict[str, Any] = field(default_factory=dict)


class Voice:
    """Speaks for one car, in local seconds, with the vocabulary of its software."""

    def __init__(self, world: World, car: Car, chance: random.Random) -> None:
        self._world = world
        self._car = car
        self._chance = chance

    def of_episode(self, episode: Episode) -> Iterator[Utterance]:
        """Yield what a failing component, or its harmless twin, makes the car say."""
        scenario = episode.scenario
        until = episode.ends_at if episode.failing_at is None else episode.failing_at
        few, many = scenario.reports
        lean = 1.0 if episode.level is None else self._world.figures.twins_lean
        for day in self._days(episode.onset, until):
            damage = episode.damage((day + 0.5) * DAY)
            stage = sum(damage >= bound for bound in _STAGES)
            for _ in range(count(self._chance, few + (many - few) * min(1.0, damage) ** 2)):
                phrases = self._some(scenario.phrases[stage], damage, _has_flock(episode))
                yield from self._burst(
                    phrases,
                    self._hour(day),
                    until,
                    component=scenario.component,
                    damage=damage * lean,
                    moving=scenario.moving,
                    repeats=scenario.repeats,
                    flicker=scenario.flicker,
                    begins=episode.onset,
                )
        if episode.ending is not None:
            yield from self._end(episode)

    def of_harmless(
        self, kind: Harmless, phrases: Sequence[Phrase], onset: float, until: float
    ) -> Iterator[Utterance]:
        """Yield what a harmless component makes the car say."""
        for day in self._days(onset, until):
            for number in range(1 + count(self._chance, kind.reports - 1)):
                at = onset if day == int(onset // DAY) and not number else self._hour(day)
                yield from self._burst(
                    phrases,
                    at,
                    until,
                    component=kind.component,
                    damage=0.0,
                    moving=kind.moving,
                    repeats=kind.repeats,
                    flicker=kind.flicker,
                    begins=onset,
                )

    def clear(self, code: str, severity: str, at: float) -> Utterance:
        """Return the alert that clears a code."""
        moment = Moment(at, is_moving=False, component="", damage=0.0)
        return self._say(Phrase(code, severity, "cleared"), at, self._snapshot(moment))

    def _days(self, first: float, until: float) -> range:
        world = self._world
        return range(
            max(int(first // DAY), int(world.begins // DAY)),
            int(min(until, world.ends) // DAY) + 1,
        )

    def _hour(self, day: int) -> float:
        """Return a random moment of a day: mostly on the way to work or home."""
        kind = self._chance.random()
        if kind < 0.4:  # noqa: PLR2004 - a share
            hour = self._chance.gauss(*_MORNING)
        elif kind < 0.7:  # noqa: PLR2004 - a share
            hour = self._chance.gauss(*_EVENING)
        else:
            hour = self._chance.uniform(7, 23)
        return day * DAY + min(23.5, max(0.5, hour)) * HOUR

    def _some(self, known: Sequence[Phrase], damage: float, has_flock: bool) -> list[Phrase]:  # noqa: FBT001 - read from the scenario
        chosen = [self._chance.choice(known)]
        if self._chance.random() < _TWO_CODES:
            chosen.append(self._chance.choice(known))
        if has_flock and damage > _FLOCK_FROM and self._chance.random() < _FLOCK_SHARE:
            chosen += self._flock()
        return chosen

    def _flock(self) -> list[Phrase]:
        figures = self._world.figures
        return self._chance.sample(figures.flock, self._chance.randint(*figures.flock_size))

    def _burst(
        self,
        phrases: Sequence[Phrase],
        at: float,
        until: float,
        *,
        component: str,
        damage: float,
        moving: float,
        repeats: float,
        flicker: float,
        begins: float,
    ) -> Iterator[Utterance]:
        chance = self._chance
        is_moving = chance.random() < moving
        snapshot = self._snapshot(Moment(at, is_moving, component, damage))
        times = [at]
        for _ in range(int(chance.expovariate(1 / repeats)) if repeats else 0):
            times.append(times[-1] + chance.uniform(*_GAP))
        for phrase in phrases:
            for number, time in enumerate(times):
                if not begins <= time < until or (number and phrase is not phrases[0]):
                    continue
                yield self._say(phrase, time + chance.uniform(0, 30), snapshot)
        cleared = times[-1] + chance.uniform(*_CLEARS_AFTER)
        if chance.random() < flicker and begins <= at and cleared < until:
            snapshot = self._snapshot(Moment(cleared, is_moving, component, damage))
            for phrase in phrases:
                yield self._say(Phrase(phrase.code, phrase.severity, "cleared"), cleared, snapshot)

    def _end(self, episode: Episode) -> Iterator[Utterance]:
        """Yield the last minutes, and what is still heard of a car that stands."""
        chance, ending = self._chance, episode.ending
        failing, stands = episode.failing_at, episode.immobilised_at
        if ending is None or failing is None or stands is None or not ending.says:
            return
        phrases = [*ending.says, *(self._flock() if ending.has_flock else [])]
        component, damage = episode.scenario.component, episode.damage(stands)
        for phrase in phrases:
            at = failing + chance.uniform(0, min(60.0, (stands - failing) / 2))
            while at < stands + _STANDING_SPEAKS:
                moves = ending.is_moving and at < stands
                snapshot = self._snapshot(Moment(at, moves, component, damage))
                yield self._say(phrase, at, snapshot)
                at += chance.uniform(60, 1500)

    def _snapshot(self, moment: Moment) -> dict[str, Any]:
        """Return the car's readings; all alerts of a burst carry the same."""
        return readings(self._world, self._car, moment, self._chance)

    def _say(self, phrase: Phrase, at: float, snapshot: dict[str, Any]) -> Utterance:
        words = self._world.figures.vocabulary
        code, severity = phrase.code, phrase.severity
        software = words.before
        if at >= self._car.new_words_day * DAY:
            code, severity = _renamed(words, code, severity)
            software = words.software
        more = {**snapshot, "software": software}
        if phrase.status == Status.LAMP_ONLY:
            more["lamp"] = "malfunction"
        return Utterance(at - self._world.begins, code, severity, phrase.status, more)


def _renamed(words: Vocabulary, code: str, severity: str) -> tuple[str, str]:
    return words.codes.get(code, code), words.severity.get(severity, severity)


def _has_flock(episode: Episode) -> bool:
    return any(ending.has_flock for ending in episode.scenario.endings)
