"""What happens to a car: its failing components, its harmless ones, standing, and the workshop."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from models.words import Status
from pacc.simulation.episode import Episode, count, episodes
from pacc.simulation.fleet import Car
from pacc.simulation.parameters import Harmless
from pacc.simulation.voice import Utterance, Voice
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

    utterances: list[Utterance]
    truths: list[Truth]
    hidden: list[Episode]


def life_of(world: World, car: Car) -> Life:
    """Return all that happens to a car in the time of the simulation."""
    chance = random.Random(f"{world.seed} day {car.number}")
    failing = without_overlaps(
        sorted(episodes(world, car, chance), key=lambda episode: episode.onset)
    )
    voice = Voice(world, car, chance)
    utterances: list[Utterance] = []
    truths: list[Truth] = []
    for episode in failing:
        own = list(voice.of_episode(episode))
        own += _cleared(voice, own, episode.ends_at, world, chance)
        truths.append(_truth(world, episode, own))
        utterances += own
    for kind in world.figures.harmless:
        for own, truth in _harmless(world, car, kind, voice, chance):
            utterances += own
            truths.append(truth)
    utterances = _heard(world, car, failing, utterances)
    hidden = [episode for episode in failing if episode.level is None]
    return Life(utterances, sorted(truths, key=lambda truth: truth.second), hidden)


def without_overlaps(failing: Sequence[Episode]) -> list[Episode]:
    """Return the episodes with a car standing for one reason at a time: a workshop mends all."""
    kept = list(failing)
    for first in sorted(
        (episode for episode in failing if episode.immobilised_at is not None),
        key=lambda episode: episode.immobilised_at or 0.0,
    ):
        stands = first.immobilised_at
        if stands is None or first not in kept:
            continue
        kept = [episode for episode in kept if not stands <= episode.onset < first.ends_at]
        for other in kept:
            if other is not first and other.ends_at > stands >= other.onset:
                _mend(other, stands, first.ends_at)
    return kept


def summary(truths: Sequence[Truth]) -> dict[str, int]:
    """Return counts of what was really wrong."""
    stood = [truth for truth in truths if truth.is_immobilised]
    counts = {"episodes": len(truths), "harmless": sum(truth.is_harmless for truth in truths)}
    for component in sorted({truth.component for truth in truths}):
        counts[f"immobilised_by_{component}"] = sum(truth.component == component for truth in stood)
    return {**counts, "immobilised": len(stood)}


def _mend(other: Episode, stands: float, repaired: float) -> None:
    if other.immobilised_at is not None and other.immobilised_at < stands:
        return
    other.immobilised_at = other.failing_at = other.ending = None
    other.ends_at = min(other.ends_at, repaired)


def _cleared(
    voice: Voice, own: Sequence[Utterance], at: float, world: World, chance: random.Random
) -> Iterator[Utterance]:
    """Yield clears of what is still on when a component is repaired or heals; a few are missing."""
    if at >= world.ends or chance.random() > _IS_CLEARED:
        return
    last = {
        utterance.code: utterance
        for utterance in sorted(own, key=lambda utterance: utterance.second)
    }
    for code, utterance in last.items():
        if utterance.status != Status.CLEARED:
            yield voice.clear(
                code, utterance.severity, max(at, utterance.second + world.begins + 1)
            )


def _harmless(
    world: World, car: Car, kind: Harmless, voice: Voice, chance: random.Random
) -> Iterator[tuple[list[Utterance], Truth]]:
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


def _truth(world: World, episode: Episode, own: Sequence[Utterance]) -> Truth:
    stands = episode.immobilised_at
    return Truth(
        scenario=episode.scenario.name,
        component=episode.scenario.component,
        code=min(own, key=lambda utterance: utterance.second).code if own else "",
        second=episode.onset - world.begins,
        immobilised_at=None if stands is None else stands - world.begins,
        repaired_at=episode.ends_at - world.begins if episode.ends_at < world.ends else None,
        finding=episode.finding,
        is_immobilised=stands is not None,
        is_harmless=episode.level is not None,
    )


def _heard(
    world: World, car: Car, failing: Sequence[Episode], utterances: Sequence[Utterance]
) -> list[Utterance]:
    """Return what a car says within the time while it is neither silent nor standing."""
    until = min(world.ends, car.silent_day * DAY) - world.begins
    quiet = [
        (episode.immobilised_at - world.begins, episode.ends_at - world.begins)
        for episode in failing
        if episode.immobilised_at is not None
    ]
    return sorted(
        (
            utterance
            for utterance in utterances
            if 0 <= utterance.second < until
            and not any(_is_quiet(utterance, stands, ends) for stands, ends in quiet)
        ),
        key=lambda utterance: utterance.second,
    )


def _is_quiet(utterance: Utterance, stands: float, ends: float) -> bool:
    """Return whether this is not heard: a standing car speaks for half an hour, as parked."""
    if not stands < utterance.second < ends:
        return False
    return utterance.second > stands + _STANDING_SPEAKS or bool(utterance.more["speed_kph"])
