"""The disturbances: what is done to those who work, one function for each kind."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from tests.soak.disturbances.plan import Step
from tests.soak.system.supervisor import WORKERS, Life, System

_PATIENCE: Final = 30.0


class Disturber:
    """Does to a system what a plan says, and counts it. `sending` keeps the driver's own sender
    away from a broker that is about to be ended."""

    def __init__(self, system: System, acts: "dict[str, Act]") -> None:
        self.system = system
        self.sending = threading.Lock()
        self.altering = threading.Lock()
        self.done: Counter[str] = Counter()
        self.kills: list[tuple[str, float]] = []
        self._acts = acts
        self._under_way: list[threading.Thread] = []

    def does(self, step: Step) -> None:
        """Do one step; what takes its time goes on beside."""
        self.done[step.kind] += 1
        act = self._acts[step.kind]
        thread = threading.Thread(target=act, args=(self, random.Random(step.chance)), daemon=True)
        thread.start()
        self._under_way.append(thread)

    def let_go(self) -> None:
        """Wait for what is under way, and put everything right again."""
        for thread in self._under_way:
            thread.join(timeout=180)
            assert not thread.is_alive(), "a disturbance never ends"
        self._under_way = []
        self.system.next_lives.clear()
        self.system.go_on()

    def next_life(self, slot: str, **more: Any) -> Life | None:
        """End who lives in a slot, and let the next one live there as is said; return that one."""
        before = self.system.kill(slot)
        if before is None:
            return None
        self.system.next_lives[slot] = more
        until = time.monotonic() + _PATIENCE
        while self.system.lives[slot] is before and time.monotonic() < until:
            time.sleep(0.02)
        return self.system.lives[slot]


Act = Callable[[Disturber, random.Random], None]


def _worker(chance: random.Random) -> str:
    return f"run-{chance.randrange(WORKERS)}"


def _is_stopped(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()[0] == "T"
    return False


def _epochs(disturber: Disturber, app: str) -> list[tuple[int, int]]:
    """Return the newest epoch of each partition that somebody took last."""
    query = sa.text(
        "select part, max(epoch) from soak_move where is_take and part in"
        " (select part from soak_move where app = :app and is_take) group by part order by part"
    )
    with suppress(sa.exc.OperationalError), disturber.system.engine.connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(query, {"app": app})]
    return []


def kill_worker(disturber: Disturber, chance: random.Random) -> None:
    """SIGKILL of a worker at any moment."""
    life = disturber.system.kill(_worker(chance))
    if life is not None:
        disturber.kills.append((life.app, time.time()))


def kill_worker_at_a_point(disturber: Disturber, chance: random.Random) -> None:
    """A worker that dies before or after a certain call or statement."""
    disturber.next_life(_worker(chance), death=(chance.randrange(40, 600), "", signal.SIGKILL))


def stop_worker(disturber: Disturber, chance: random.Random) -> None:
    """SIGSTOP of a worker for longer than its session, then SIGCONT."""
    life = disturber.system.kill(_worker(chance), signal.SIGSTOP)
    if life is not None:
        time.sleep(disturber.system.session_seconds * chance.uniform(1.2, 2.0))
        with suppress(ProcessLookupError):
            os.kill(life.pid, signal.SIGCONT)


def zombie(disturber: Disturber, chance: random.Random) -> None:
    """A worker stopped with a batch in hand; it goes on as soon as another has its place."""
    slot = _worker(chance)
    point = (chance.randrange(1, 5), "before UPDATE position SET", signal.SIGSTOP)
    life = disturber.next_life(slot, death=point)
    until = time.monotonic() + _PATIENCE
    while life is not None and not _is_stopped(life.pid):
        if time.monotonic() > until or not disturber.system.lives_on(life):
            return
        time.sleep(0.01)
    if life is None:
        return
    before = _epochs(disturber, life.app)
    while before and _epochs(disturber, life.app) == before and time.monotonic() < until:
        time.sleep(0.002)
    with suppress(ProcessLookupError):
        os.kill(life.pid, signal.SIGCONT)


def end_worker(disturber: Disturber, chance: random.Random) -> None:
    """SIGTERM of a worker."""
    disturber.system.kill(_worker(chance), signal.SIGTERM)


def rebalance(disturber: Disturber, chance: random.Random) -> None:
    """One more worker for a while."""
    name = f"run-{WORKERS + chance.randrange(2)}"
    disturber.system.wanted[name] = "run"
    time.sleep(chance.uniform(1, 4))
    disturber.system.wanted.pop(name, None)
    disturber.system.kill(name, chance.choice([signal.SIGTERM, signal.SIGKILL]))


def jump_clock(disturber: Disturber, chance: random.Random) -> None:
    """A worker whose clock jumps there and back."""
    disturber.next_life(_worker(chance), clock=chance.choice([-86400.0, -30.0, 30.0, 86400.0]))


def kill_tend(disturber: Disturber, chance: random.Random) -> None:
    """SIGKILL of one that tends and relays."""
    disturber.system.kill(f"tend-{chance.randrange(2)}")


def kill_tend_at_a_point(disturber: Disturber, chance: random.Random) -> None:
    """One that tends and dies between two of its steps."""
    death = (chance.randrange(20, 250), "", signal.SIGKILL)
    disturber.next_life(f"tend-{chance.randrange(2)}", death=death)


def kill_serve(disturber: Disturber, _chance: random.Random) -> None:
    """SIGKILL of the API."""
    disturber.system.kill("serve-0")
