"""One bad over-the-air update: from an hour on, a whole model line reports one fault."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from models.alert import CODE_PATTERN
from models.errors import Unusable
from pacc.simulation.day import Life, Truth
from pacc.simulation.fleet import MODELS, Car
from pacc.simulation.parameters import Wave
from pacc.simulation.readings import Moment, readings
from pacc.simulation.voice import Utterance
from pacc.simulation.world import DAY, HOUR, World

SCENARIO: Final = "bad_update"
_SPELLED: Final = re.compile(r"(?P<model>[^@]+)@(?P<hour>\d+(?:\.\d+)?)(?::(?P<code>.+))?")
_STANDING_SPEAKS: Final = 1800.0


@dataclass(frozen=True, slots=True)
class Update:
    """A bad update: which line gets it, at which hour of the simulation, and what it says."""

    model: str
    hour: float
    code: str | None = None


def parse_update(text: str) -> Update:
    """Read `MODEL@HOUR[:CODE]`, as `iX3@9` or `iX3@9.5:dtc:P0A78`. Raises `Unusable`."""
    match = _SPELLED.fullmatch(text)
    if match is None:
        raise Unusable(f"{text!r} is no MODEL@HOUR[:CODE], as iX3@9 or iX3@9.5:dtc:P0A78.")
    known = [name for name, *_ in MODELS]
    if match["model"] not in known:
        raise Unusable(f"There is no model {match['model']}; there are {', '.join(known)}.")
    if match["code"] is not None and not re.fullmatch(CODE_PATTERN, match["code"]):
        raise Unusable(f"{match['code']!r} is no code, as dtc:P0A78.")
    return Update(match["model"], float(match["hour"]), match["code"])


def with_update(world: World, car: Car, life: Life, update: Update) -> tuple[Life, list[Utterance]]:
    """Return a car's life with the updated software, and what the update makes it say.

    A car of another line, or that does not get it, keeps its life and says nothing of it.
    """
    wave = world.figures.bad_update
    chance = random.Random(f"{world.seed} update {car.number}")
    draws = (chance.random(), chance.random())
    installed = update.hour * HOUR + chance.uniform(0, wave.within_hours * HOUR)
    until = min(world.ends, car.silent_day * DAY) - world.begins
    if car.model != update.model or draws[0] >= wave.share or installed >= until:
        return life, []
    stood = any(truth.is_immobilised for truth in life.truths)
    if stood or draws[1] >= wave.stop:
        code = update.code or wave.code
        wave_utterances = list(_flickers(world, car, code, installed, until, chance))
        stands = None
    else:
        code, stands = wave.stop_code, installed + chance.uniform(*wave.first_within)
        wave_utterances = [
            utterance
            for utterance in _stops(world, car, stands, chance)
            if utterance.second < until
        ]
        until = min(until, stands + _STANDING_SPEAKS)
    kept = [
        _on(utterance, installed, wave.software)
        for utterance in life.utterances
        if utterance.second < until
    ]
    truth = _truth(world, wave, update, code, installed, stands)
    truths = sorted([*life.truths, truth], key=lambda truth: truth.second)
    return replace(life, utterances=kept, truths=truths), wave_utterances


def _flickers(
    world: World, car: Car, code: str, installed: float, until: float, chance: random.Random
) -> Iterator[Utterance]:
    """Yield the fault again and again, now and then as cleared, until the update is taken back."""
    wave = world.figures.bad_update
    over = installed + wave.lasts_hours * HOUR
    at = installed + chance.uniform(*wave.first_within)
    is_on = False
    for _ in range(1 + int(chance.expovariate(1 / wave.repeats))):
        if at >= min(over, until):
            break
        yield _say(world, car, (code, "limited", "active"), at, wave.moving, chance)
        is_on = True
        at += chance.uniform(*wave.gap)
        if chance.random() < wave.flicker and at < min(over, until):
            yield _say(world, car, (code, "limited", "cleared"), at, wave.moving, chance)
            is_on = False
            at += chance.uniform(*wave.gap)
    if is_on and over < until and chance.random() < wave.cleared:
        yield _say(world, car, (code, "limited", "cleared"), over, wave.moving, chance)


def _stops(world: World, car: Car, stands: float, chance: random.Random) -> Iterator[Utterance]:
    """Yield a stop fault in motion, then once or twice from the roadside."""
    wave = world.figures.bad_update
    yield _say(world, car, (wave.stop_code, "stop", "active"), stands, 1.0, chance)
    for _ in range(chance.randint(1, 2)):
        at = stands + chance.uniform(60, _STANDING_SPEAKS)
        yield _say(world, car, (wave.stop_code, "stop", "active"), at, 0.0, chance)


def _say(
    world: World,
    car: Car,
    phrase: tuple[str, str, str],
    at: float,
    moving: float,
    chance: random.Random,
) -> Utterance:
    code, severity, status = phrase
    is_moving = chance.random() < moving
    moment = Moment(at + world.begins, is_moving, component="", damage=0.0)
    more: dict[str, Any] = readings(world, car, moment, chance)
    more["motion"] = "moving" if is_moving else "parked"
    return Utterance(
        at, code, severity, status, {**more, "software": world.figures.bad_update.software}
    )


def _on(utterance: Utterance, installed: float, software: str) -> Utterance:
    return (
        utterance
        if utterance.second < installed
        else replace(utterance, more={**utterance.more, "software": software})
    )


def _truth(
    world: World, wave: Wave, update: Update, code: str, installed: float, stands: float | None
) -> Truth:
    over = (update.hour + wave.within_hours + wave.lasts_hours) * HOUR
    return Truth(
        scenario=SCENARIO,
        component="software",
        code=code,
        second=installed,
        immobilised_at=stands,
        repaired_at=over if stands is None and over < world.ends - world.begins else None,
        finding=wave.finding,
        is_immobilised=stands is not None,
        is_harmless=stands is None,
    )
