"""Crash points: a child dies at each of them, another goes on, and all is as if nobody had died."""

import itertools
import json
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from models import tables as t
from pacc.process.database import make_engine
from tests.soak.system.fork_server import ForkServer

# What differs from life to life, and means nothing: who did it, for the how-manieth time.
_VOLATILE: Final = {"epoch", "owner", "seq", "xid"}
_AT_ONCE: Final = 2
# Makes databases that begin as copies of the one at a URL, each gone again after its block.
Copies = Callable[[str], AbstractContextManager[str]]


@dataclass
class Stage:
    """Where scenes are played: the warm parent, a folder, and a database to begin from."""

    fork_server: ForkServer
    folder: Path
    url: str
    copies: Copies
    address: str | None = None
    topic: str = "pacc.alerts"
    guard: str | None = None

    def __post_init__(self) -> None:
        self._numbers = itertools.count()

    def points(self, scene: str, url: str) -> tuple[list[str], Mapping[str, Any]]:
        """Play a scene undisturbed; return the names of its crash points, and all that it left."""
        with self.copies(url) as copy:
            names, file = self.folder / f"{scene}.names", self._file(scene)
            assert self._child(scene, copy, file, names=str(names)) == 0, self._log(scene)
            return names.read_text("utf-8").splitlines(), left(copy, file)

    def dies_at(self, scene: str, url: str, number: int) -> tuple[int, Mapping[str, Any]]:
        """Let a child die at a point and another go on; return how it ended, and all left."""
        return self._ends(scene, url, death=number)

    def full_at(self, scene: str, url: str, pages: int) -> tuple[int, Mapping[str, Any]]:
        """Let a child find the disk full at so many pages, and go on once there is room."""
        return self._ends(scene, url, pages=pages)

    def _ends(self, scene: str, url: str, **by: int) -> tuple[int, Mapping[str, Any]]:
        with self.copies(url) as copy:
            file = self._file(scene)
            status = self._child(scene, copy, file, **by)
            assert self._child(scene, copy, file) == 0, self._log(scene)
            return status, left(copy, file)

    def _file(self, scene: str) -> Path:
        return self.folder / f"{scene}.{next(self._numbers)}.out"

    def _log(self, scene: str) -> str:
        return (self.folder / f"{scene}.log").read_text("utf-8", "replace")[-3000:]

    def _child(self, scene: str, url: str, file: Path, **more: Any) -> int:
        pid = self.fork_server.fork(
            f"{scene} {next(self._numbers)}",
            "tests.soak.crash_points.scenes:act",
            {},
            str(self.folder / f"{scene}.log"),
            scene=scene,
            url=url,
            topic=self.topic,
            file=str(file),
            address=self.address,
            guard=self.guard,
            **more,
        )
        return self.fork_server.wait(pid)


def worth(names: Sequence[str], *, every: bool) -> list[int]:
    """Choose the numbers of points at which to die: `every` one, or those that differ in effect.

    After a statement and before the next one nothing has happened; after a commit it has.
    """
    return [
        number
        for number, name in enumerate(names, start=1)
        if every or not name.startswith("after ") or name in _DURABLE
    ]


_DURABLE: Final = {"after DefaultDialect.do_commit", "after send"}


def wrong(stage: Stage, scene: str, url: str, *, every: bool) -> tuple[int, list[str]]:
    """Die at the points of a scene; return how many, and what was not as if nobody had died."""
    names, calm = stage.points(scene, url)
    numbers = worth(names, every=every)

    def differences(number: int) -> Iterator[str]:
        status, after = stage.dies_at(scene, url, number)
        where = f"{scene} at {number} ({names[number - 1]})"
        if status != -9 and not (status == 0 and stage.address):  # a poll more or less
            yield f"{where}: ended with {status} and not by SIGKILL"
        for name, there in after.items():
            if there != calm[name]:
                yield f"{where}: {name} is {_odd(there, calm[name])}"

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        by_point = list(pool.map(lambda number: list(differences(number)), numbers))
    return len(numbers), list(itertools.chain.from_iterable(by_point))


def left(url: str, file: Path) -> Mapping[str, Any]:
    """Return everything that a scene left: all rows but what is volatile, and the file's lines."""
    engine = make_engine(url)
    rows: dict[str, Any] = {}
    with engine.begin() as connection:
        for table in t.metadata.sorted_tables:
            columns = [column for column in table.c if column.name not in _VOLATILE]
            rows[table.name] = sorted(map(repr, connection.execute(sa.select(*columns))))
    engine.dispose()
    rows["file"] = _said(file)
    return rows


def _said(file: Path) -> list[str]:
    """Return the lines of a file without repetition, in the order of their first time.

    What is sent twice is sent under the same id with the same words, and an answer that is given
    again is the same answer: so a repetition is no other line.
    """
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    for line in lines:
        json.loads(line)
    return list(dict.fromkeys(lines))


def _odd(there: Any, calm: Any) -> str:
    extra = [row for row in there if row not in calm][:2]
    missing = [row for row in calm if row not in there][:2]
    return f"other: more {extra}, less {missing}"


def sqlite_copies(folder: Path) -> Copies:
    """Copy files."""
    numbers = itertools.count()

    @contextmanager
    def copy(url: str) -> Iterator[str]:
        path = folder / f"copy-{next(numbers)}.db"
        shutil.copy(url.removeprefix("sqlite:///"), path)
        yield f"sqlite:///{path}"
        for file in folder.glob(f"{path.name}*"):
            file.unlink()

    return copy


def postgres_copies(server: str) -> Copies:
    """Make databases from a template; nobody may be connected to that meanwhile."""
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    numbers, one_at_a_time = itertools.count(), threading.Lock()

    @contextmanager
    def copy(url: str) -> Iterator[str]:
        begin = sa.make_url(url)
        name = f"{begin.database}_{next(numbers)}"
        with one_at_a_time, admin.connect() as connection:
            connection.execute(sa.text(f"create database {name} template {begin.database}"))
        yield begin.set(database=name).render_as_string(hide_password=False)
        with admin.connect() as connection:
            connection.execute(sa.text(f"drop database {name} with (force)"))

    return copy
