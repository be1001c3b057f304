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
from pacc.simulation.voice import Said
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
    found = _SPELLED.fullmatch(text)
    if found is None:
        raise Unusable(f"{text!r} is no MODEL@HOUR[:CODE], as iX3@9 or iX3@9.5:dtc:P0A78.")
    known = [name for name, *_ in MODELS]
    if found["model"] not in known:
        raise Unusable(f"There is no model {found['model']}; there are {', '.join(known)}.")
    if found["code"] is not None and not re.fullmatch(CODE_PATTERN, found["code"]):
        raise Unusable(f"{found['code']!r} is no code, as dtc:P0A78.")
    return Update(found["model"], float(found["hour"]), found["code"])


def with_update(world: World, car: Car, life: Life, update: Update) -> tuple[Life, list[Said]]:
    """Let a car of the line get the update; give its life with the new software, and the wave.

    A car of another line, or that does not get it, lives on as it was and says nothing of it.
    """
    wave = world.figures.bad_update
    chance = random.Random(f"{world.seed} update {car.number}")
    draws = (chance.random(), chance.random())
    installed = update.hour * HOUR + chance.uniform(0, wave.within_hours * HOUR)
    until = min(world.ends, car.silent_day * DAY) - world.begins
    if car.model != update.model or draws[0] >= wave.share or installed >= until:
        return life, []
    stood = any(one.is_immobilised for one in life.truths)
    if stood or draws[1] >= wave.stop:
        code = update.code or wave.code
        said = list(_chatters(world, car, code, installed, until, chance))
        stands = None
    else:
        code, stands = wave.stop_code, installed + chance.uniform(*wave.first_within)
        said = [one for one in _stops(world, car, stands, chance) if one.second < until]
        until = min(until, stands + _STANDING_SPEAKS)
    kept = [_on(one, installed, wave.software) for one in life.said if one.second < until]
    truth = _truth(world, wave, update, code, installed, stands)
    truths = sorted([*life.truths, truth], key=lambda one: one.second)
    return replace(life, said=kept, truths=truths), said


def _chatters(
    world: World, car: Car, code: str, installed: float, until: float, chance: random.Random
) -> Iterator[Said]:
    """Report it, again and again, now and then as cleared, until the update is taken back."""
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


def _stops(world: World, car: Car, stands: float, chance: random.Random) -> Iterator[Said]:
    """Report a stop fault in motion, then once or twice from the roadside."""
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
) -> Said:
    code, severity, status = phrase
    is_moving = chance.random() < moving
    moment = Moment(at + world.begins, is_moving, component="", damage=0.0)
    more: dict[str, Any] = readings(world, car, moment, chance)
    more["motion"] = "moving" if is_moving else "parked"
    return Said(at, code, severity, status, {**more, "software": world.figures.bad_update.software})


def _on(one: Said, installed: float, software: str) -> Said:
    return one if one.second < installed else replace(one, more={**one.more, "software": software})


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
