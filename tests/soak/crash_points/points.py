"""Crash points: every statement and every call to the database or Kafka, found by wrapping them."""

import functools
import os
import signal
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from kafka import KafkaConsumer, KafkaProducer
from sqlalchemy.engine.default import DefaultDialect

Reached = Callable[[str], None]


class Counter:
    """Notes every point that is passed."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, name: str) -> None:
        """Pass a point."""
        self.names.append(name)


class Death:
    """Sends this process a signal at a point: the `number`-th, or the n-th of a certain name."""

    def __init__(self, number: int, named: str = "", kill: int = signal.SIGKILL) -> None:
        self._left = number
        self._named = named
        self._kill = kill

    def __call__(self, name: str) -> None:
        """Pass a point, or die."""
        if name.startswith(self._named):
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), self._kill)


def watch(reached: Reached) -> None:
    """Call `reached` before and after each thing that this process does to the outside."""
    _watch_statements(reached)
    for kind in _kinds(DefaultDialect):
        for name in ("do_commit", "do_rollback"):
            if name in vars(kind):
                _wrap(kind, name, reached)
    for client in (KafkaConsumer, KafkaProducer):
        for name, value in list(vars(client).items()):
            if callable(value) and not name.startswith("_"):
                _wrap(client, name, reached)


def _watch_statements(reached: Reached) -> None:
    def before(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        reached(f"before {_short(statement)}")

    def after(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        reached(f"after {_short(statement)}")

    sa.event.listen(sa.Engine, "before_cursor_execute", before)
    sa.event.listen(sa.Engine, "after_cursor_execute", after)


def _short(statement: str) -> str:
    """Return the beginning of a statement, which names what it does to which table."""
    words: Sequence[str] = statement.split()
    if words and words[0] == "SELECT" and "FROM" in words:
        return f"SELECT FROM {words[words.index('FROM') + 1]}"
    return " ".join(words[:3])


def _kinds(base: type[Any]) -> list[type[Any]]:
    kinds, waiting = [], [base]
    while waiting:
        kind = waiting.pop()
        kinds.append(kind)
        waiting += kind.__subclasses__()
    return kinds


def _wrap(owner: type[Any], name: str, reached: Reached) -> None:
    original = vars(owner)[name]

    @functools.wraps(original)
    def wrapped(*arguments: Any, **more: Any) -> Any:
        reached(f"before {owner.__name__}.{name}")
        result = original(*arguments, **more)
        reached(f"after {owner.__name__}.{name}")
        return result

    setattr(owner, name, wrapped)
