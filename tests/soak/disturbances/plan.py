"""The plan: what is done to the system and when, from a seed; and the shortest that still fails."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

# How often each kind of disturbance comes, as weights; those of a whole server are rare: they cost
# the broker or the database some ten seconds.
OFTEN: Final[Mapping[str, int]] = {
    "kill worker": 10,
    "kill worker at a point": 6,
    "stop worker": 2,
    "zombie": 3,
    "end worker": 4,
    "rebalance": 2,
    "jump clock": 2,
    "kill tend": 6,
    "kill tend at a point": 6,
    "kill serve": 2,
    "cut connections": 4,
    "cut one connection": 4,
    "fill connections": 1,
    "statement timeout": 1,
    "read only": 1,
    "rewind": 4,
    "intrude": 4,
}
SELDOM: Final[Mapping[str, int]] = {
    "stop postgres": 2,
    "kill postgres": 2,
    "stop broker": 1,
    "kill broker": 1,
}
# How the kinds that end or freeze a process or a server begin.
ENDING: Final = ("kill", "stop", "zombie", "end worker")
ROUND_SECONDS: Final = 8.0


@dataclass(frozen=True, slots=True)
class Step:
    """One disturbance: in which round, at which second of it, and the chance that it decides by."""

    round: int
    second: float
    kind: str
    chance: int


def plan_round(seed: int, number: int, steps: int, only: Sequence[str] = ()) -> list[Step]:
    """Make the plan of one round; every sixth one also ends a server, unless `only` some kinds."""
    chance = random.Random(f"plan {seed} {number}")
    kinds = chance.choices(only or list(OFTEN), None if only else list(OFTEN.values()), k=steps)
    if not only and number % 6 == 5:
        kinds += chance.choices(list(SELDOM), list(SELDOM.values()))
    planned = [
        Step(number, round(chance.uniform(0.3, ROUND_SECONDS), 2), kind, chance.randrange(1 << 30))
        for kind in kinds
    ]
    return sorted(planned, key=lambda step: step.second)


def shorten(
    plan: Sequence[Step], fails: Callable[[Sequence[Step]], bool], tries: int
) -> list[Step]:
    """Leave out what is not needed for the failure, half, quarter, … at a time, in so many tries.

    What comes back is the plan itself, or one that `fails` has shown to fail.
    """
    left, pieces = list(plan), 2
    while tries and len(left) > 1:
        size = max(1, len(left) // pieces)
        for start in range(0, len(left), size):
            without = left[:start] + left[start + size :]
            if not tries or not without:
                break
            tries -= 1
            if fails(without):
                left, pieces = without, 2
                break
        else:
            if size == 1:
                break
            pieces *= 2
    return left


def write_plan(plan: Sequence[Step], file: Path) -> None:
    """Keep a plan as JSON Lines."""
    file.write_text("".join(json.dumps(asdict(step)) + "\n" for step in plan), "utf-8")


def read_plan(file: Path) -> list[Step]:
    """Read a plan that was kept."""
    return [Step(**json.loads(line)) for line in file.read_text("utf-8").splitlines()]
