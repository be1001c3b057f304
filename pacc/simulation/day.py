"""What happens to a car: its failing components, its harmless ones, standing, and the workshop."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pacc.simulation.episode import Episode, count, episodes
from pacc.simulation.fleet import Car
from pacc.simulation.parameters import Harmless
from pacc.simulation.voice import Said, Voice
from pacc.simulation.world import DAY, World

FINDINGS: Final = (
    "battery_replaced",
    "cell_module_replaced",
    "coolant_pump_replaced",
    "drive_unit_repaired",
    "engine_repaired",
    "coolant_leak_repaired",
    "brake_repaired",
    "tyre_replaced",
    "wiring_repaired",
    "software_updated",
    "charge_port_repaired",
    "sensor_replaced",
    "no_fault_found",
)
_STANDING_SPEAKS: Final = 1800.0
_IS_CLEARED: Final = 0.85
_YEAR_OF_THOUSAND: Final = 365_000.0


@dataclass(frozen=True, slots=True)
class Truth:
    """What was really wrong with a component of a car. Seconds count from the simulation's start.

    `second` is the onset (negative: before the start), `code` the first that it made the car say
    (empty: none), `finding` what the workshop found at `repaired_at`; None there: after the end.
    """

    scenario: str
    component: str
    code: str
    second: float
    immobilised_at: float | None
    repaired_at: float | None
    finding: str
    is_immobilised: bool
    is_harmless: bool


@dataclass(frozen=True, slots=True)
class Life:
    """All of one car: what it says, what was true, and the hidden episodes that could strand it."""

    said: list[Said]
    truths: list[Truth]
    hidden: list[Episode]


def happens(world: World, car: Car) -> Life:
    """Let the time of the simulation pass for one car."""
    chance = random.Random(f"{world.seed} day {car.number}")
    found = settled(sorted(episodes(world, car, chance), key=lambda one: one.onset))
    voice = Voice(world, car, chance)
    said: list[Said] = []
    truths: list[Truth] = []
    for episode in found:
        own = list(voice.of_episode(episode))
        own += _cleared(voice, own, episode.ends_at, world, chance)
        truths.append(_truth(world, episode, own))
        said += own
    for kind in world.figures.harmless:
        for own, truth in _harmless(world, car, kind, voice, chance):
            said += own
            truths.append(truth)
    said = _heard(world, car, found, said)
    hidden = [one for one in found if one.level is None]
    return Life(said, sorted(truths, key=lambda one: one.second), hidden)


def settled(found: Sequence[Episode]) -> list[Episode]:
    """Let a car stand for one reason at a time: the workshop that mends it mends all."""
    kept = list(found)
    for first in sorted(
        (one for one in found if one.immobilised_at is not None),
        key=lambda one: one.immobilised_at or 0.0,
    ):
        stands = first.immobilised_at
        if stands is None or first not in kept:
            continue
        kept = [one for one in kept if not stands <= one.onset < first.ends_at]
        for other in kept:
            if other is not first and other.ends_at > stands >= other.onset:
                _mend(other, stands, first.ends_at)
    return kept


def summary(truths: Sequence[Truth]) -> dict[str, int]:
    """Count what was really wrong."""
    stood = [one for one in truths if one.is_immobilised]
    counts = {"episodes": len(truths), "harmless": sum(one.is_harmless for one in truths)}
    for component in sorted({one.component for one in truths}):
        counts[f"immobilised_by_{component}"] = sum(one.component == component for one in stood)
    return {**counts, "immobilised": len(stood)}


def _mend(other: Episode, stands: float, repaired: float) -> None:
    if other.immobilised_at is not None and other.immobilised_at < stands:
        return
    other.immobilised_at = other.failing_at = other.ending = None
    other.ends_at = min(other.ends_at, repaired)


def _cleared(
    voice: Voice, own: Sequence[Said], at: float, world: World, chance: random.Random
) -> Iterator[Said]:
    """Clear what is still on when a component is repaired or heals; a few are forgotten."""
    if at >= world.ends or chance.random() > _IS_CLEARED:
        return
    last = {one.code: one for one in sorted(own, key=lambda one: one.second)}
    for code, one in last.items():
        if one.status != "cleared":
            yield voice.clear(code, one.severity, max(at, one.second + world.begins + 1))


def _harmless(
    world: World, car: Car, kind: Harmless, voice: Voice, chance: random.Random
) -> Iterator[tuple[list[Said], Truth]]:
    fitting = [(weight, says) for weight, says, trains in kind.says if car.powertrain in trains]
    first = world.begins - 4 * kind.days * DAY
    a_day = kind.a_year / _YEAR_OF_THOUSAND * world.acceleration * car.frailty
    for _ in range(count(chance, a_day * (world.ends - first) / DAY)):
        onset = chance.uniform(first, world.ends)
        ends_at = onset + chance.expovariate(1 / (kind.days * DAY))
        says = chance.choices(fitting, [weight for weight, _ in fitting])[0][1]
        if ends_at < world.begins:
            continue
        own = list(voice.of_harmless(kind, says, onset, ends_at))
        own += _cleared(voice, own, ends_at, world, chance)
        repaired = ends_at - world.begins if ends_at < world.ends else None
        yield (
            own,
            Truth(
                kind.name,
                kind.component,
                says[0].code,
                onset - world.begins,
                None,
                repaired,
                kind.finding,
                is_immobilised=False,
                is_harmless=True,
            ),
        )


def _truth(world: World, episode: Episode, own: Sequence[Said]) -> Truth:
    stands = episode.immobilised_at
    return Truth(
        scenario=episode.scenario.name,
        component=episode.scenario.component,
        code=min(own, key=lambda one: one.second).code if own else "",
        second=episode.onset - world.begins,
        immobilised_at=None if stands is None else stands - world.begins,
        repaired_at=episode.ends_at - world.begins if episode.ends_at < world.ends else None,
        finding=episode.finding,
        is_immobilised=stands is not None,
        is_harmless=episode.level is not None,
    )


def _heard(world: World, car: Car, found: Sequence[Episode], said: Sequence[Said]) -> list[Said]:
    """Keep what is said in time, by a car that is neither silent nor standing."""
    until = min(world.ends, car.silent_day * DAY) - world.begins
    quiet = [
        (one.immobilised_at - world.begins, one.ends_at - world.begins)
        for one in found
        if one.immobilised_at is not None
    ]
    return sorted(
        (
            one
            for one in said
            if 0 <= one.second < until
            and not any(_is_quiet(one, stands, ends) for stands, ends in quiet)
        ),
        key=lambda one: one.second,
    )


def _is_quiet(one: Said, stands: float, ends: float) -> bool:
    """While it stands a car is heard for half an hour, and only as standing."""
    if not stands < one.second < ends:
        return False
    return one.second > stands + _STANDING_SPEAKS or bool(one.more["speed_kph"])
