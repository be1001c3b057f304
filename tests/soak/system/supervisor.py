"""The system under test: a broker, a database, and children that a supervisor starts again."""

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from dispatch.data.master_data import import_desks, read_rows
from tests.servers.kafka import new_topic
from tests.servers.processes import Server, free_port
from tests.soak.stream import HEAL, PARTITIONS
from tests.soak.system import database, guards
from tests.soak.system.fork_server import ForkServer
from tests.worlds import SAMPLE_DESKS

WORKERS: Final = 3
SESSION_SECONDS: Final = 1.5
_COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "run": ("run",),
    "tend": ("tend",),
    "serve": ("serve",),
}
_SLOTS: Final = (
    *((f"run-{n}", "run") for n in range(WORKERS)),
    ("tend-0", "tend"),
    ("tend-1", "tend"),
    ("serve-0", "serve"),
)


@dataclass(slots=True)
class Life:
    """One life of a child. `app` is how the database knows it."""

    app: str
    pid: int
    cli: subprocess.Popen[bytes] | None = None
    is_stopped: bool = False


@dataclass
class Servers:
    """The broker and the database server, which outlive a system."""

    kafka: Server
    postgres: Server
    fork_server: ForkServer


@dataclass
class System:
    """A database, topics, and a life in every slot until it is closed."""

    servers: Servers
    folder: Path
    seed: int
    guard: str | None = None
    session_seconds: float = SESSION_SECONDS
    batch: int = 20
    cli_share: float = 0.1
    lives: dict[str, Life] = field(default_factory=dict)
    ends: Counter[str] = field(default_factory=Counter)
    missed: int = 0

    def __post_init__(self) -> None:
        name = f"soak_{os.urandom(6).hex()}"
        admin = sa.create_engine(self.servers.postgres.address, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(sa.text(f"create database {name}"))
        admin.dispose()
        url = sa.make_url(self.servers.postgres.address).set(database=name)
        self.database = name
        self.url = url.render_as_string(hide_password=False)
        self.engine = database.driver_engine(self.url)
        database.prepare(self.engine)
        with self.engine.begin() as connection:
            import_desks(connection, read_rows(SAMPLE_DESKS))
        if self.guard is not None:
            guards.drop(self.guard, self.engine)
        address = self.servers.kafka.address
        self.topic = new_topic(address, PARTITIONS)
        self.out = {one: new_topic(address, 2) for one in ("roadside", "dealer", "cases")}
        self.port = free_port()
        self.wanted = dict(_SLOTS)
        self.next_lives: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count()
        self._chance = random.Random(f"lives {self.seed}")
        self._closing = threading.Event()
        self._lock = threading.RLock()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)
        self._supervisor.start()

    def env(self, app: str) -> dict[str, str]:
        """Return a child's settings."""
        return {
            "PGAPPNAME": app,
            "PACC_DATABASE_URL": self.url,
            "PACC_KAFKA_BOOTSTRAP_SERVERS": self.servers.kafka.address,
            "PACC_TOPICS": f"{self.topic}: cloudevents",
            "PACC_GROUP_ID": f"group {self.topic}",
            "PACC_SESSION_TIMEOUT": f"{self.session_seconds}s",
            "PACC_HEAL_AFTER": f"{HEAL.total_seconds()}s",
            "PACC_BATCH": str(self.batch),
            "PACC_LEASE": "2s",
            "PACC_TEND_EVERY": "200ms",
            "PACC_PORT": str(self.port),
            **{f"PACC_{one.upper()}_TOPIC": topic for one, topic in self.out.items()},
        }

    def kill(self, slot: str, number: int = signal.SIGKILL) -> Life | None:
        """Send a signal to whoever lives in a slot; return who that was."""
        with self._lock:
            life = self.lives.get(slot)
            if life is None or not self._signal(life, number):
                self.missed += 1
                return None
            life.is_stopped = number == signal.SIGSTOP
            return life

    def go_on(self) -> None:
        """Wake whoever is stopped."""
        with self._lock:
            for life in self.lives.values():
                self._signal(life, signal.SIGCONT)

    def lives_on(self, life: Life) -> bool:
        """Whether a child has not ended."""
        return self._status(life) is None

    def close(self) -> None:
        """End every child."""
        self._closing.set()
        self._supervisor.join()
        for life in self.lives.values():
            self._signal(life, signal.SIGKILL)
            if life.cli is not None:
                life.cli.wait()
        self.engine.dispose()

    def _signal(self, life: Life, number: int) -> bool:
        """Send a signal; whoever has ended this moment gets none."""
        if self._status(life) is not None:
            return False
        with suppress(ProcessLookupError):
            os.kill(life.pid, number)
            return True
        return False

    def _supervise(self) -> None:
        while not self._closing.is_set():
            with self._lock:
                for slot, kind in list(self.wanted.items()):
                    life = self.lives.get(slot)
                    status = None if life is None else self._status(life)
                    if life is not None and status is None:
                        continue
                    if life is not None:
                        self._note(life, kind, status)
                    self.lives[slot] = self._start(slot, kind)
            time.sleep(0.1)

    def _note(self, life: Life, kind: str, status: int | None) -> None:
        self.ends[f"{kind} {status}"] += 1
        log = self.folder / f"{life.app}.log"
        if status == 1 and log.exists():
            words = log.read_text("utf-8", "replace").strip().splitlines()
            self.ends[f"{kind}: {words[-1][:160] if words else 'no last words'}"] += 1

    def _start(self, slot: str, kind: str) -> Life:
        app = f"{slot}.{next(self._numbers)}"
        log = self.folder / f"{app}.log"
        life = self.next_lives.pop(slot, {})
        if self.guard is None and not life and self._chance.random() < self.cli_share:
            with log.open("ab") as out:
                process = subprocess.Popen(
                    [sys.executable, "-m", "pacc.cli", *_COMMANDS[kind]],
                    env={**os.environ, **self.env(app)},
                    stdout=out,
                    stderr=out,
                    stdin=subprocess.DEVNULL,
                )
            return Life(app, process.pid, process)
        pid = self.servers.fork_server.fork(
            app,
            "tests.soak.system.child:command",
            self.env(app),
            str(log),
            words=_COMMANDS[kind],
            guard=self.guard,
            **life,
        )
        return Life(app, pid)

    def _status(self, life: Life) -> int | None:
        if life.cli is not None:
            return life.cli.poll()
        return self.servers.fork_server.status(life.pid)
