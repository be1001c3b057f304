"""What a forked child does: a command of ours, with what is wrong with it in this life."""

import sys
import time
from collections.abc import Callable, Sequence

from pacc import cli
from tests.soak.crash_points import points
from tests.soak.system import guards


def command(
    words: Sequence[str],
    guard: str | None = None,
    death: tuple[int, str, int] | None = None,
    clock: float = 0.0,
) -> None:
    """Be `pacc WORDS`: without a guard, dying at a crash point, or with a clock that jumps.

    `clock` is by how many seconds the clock jumps, there and back every other second.
    """
    if guard is not None:
        guards.remove(guard)
    if death is not None:
        points.watch(points.Death(*death))
    if clock:
        time.time = _jumping(time.time, clock)
    sys.argv = ["pacc", *words]
    cli.main()


def _jumping(read: Callable[[], float], by: float) -> Callable[[], float]:
    def jumping() -> float:
        now = read()
        return now + by * (int(now) % 2)

    return jumping
