"""The negative controls: one guard of the product taken away, here in the test alone.

A guard in SQL is taken out of the statement on its way to the database, so that none of the
product's code is written down a second time.
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultDialect

_SQL: Final[Mapping[str, str]] = {
    "position": r" AND position\.next_offset = %\(b_first\)s(::\w+)?",
    "epoch": r" AND position\.epoch = %\(b_epoch\)s(::\w+)?",
    "version": r" AND task\.version = %\(version_\d+\)s(::\w+)?",
}
_INDEXES: Final[Mapping[str, str]] = {
    "one open case": "uq_case_open_vin",
    "one open task": "uq_task_open_case_queue",
}
# What each control must be found by: one of these checks in `check.py`; and the disturbances that
# bring it to light, so that it is found in minutes.
FOUND_BY: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "position": (("ledger",), ("rewind", "kill serve")),
    "epoch": (("owner",), ("zombie", "kill tend")),
    "version": (("told",), ("kill tend", "kill serve", "kill worker")),
    "one open case": (("open cases",), ("intrude", "kill worker")),
    "one open task": (("open tasks",), ("intrude", "kill worker")),
    "outbox": (
        ("events", "order", "sent"),
        ("kill worker at a point", "kill tend at a point", "kill tend"),
    ),
}


def drop(guard: str, engine: sa.Engine) -> None:
    """Take a guard out of the database, if that is where it stands."""
    if guard in _INDEXES:
        with engine.begin() as connection:
            connection.execute(sa.text(f"drop index {_INDEXES[guard]}"))


def remove(guard: str, engine: Any = sa.Engine) -> None:
    """Take a guard out of this process (or of one engine), if that is where it stands."""
    if guard in _SQL:
        without(engine, _SQL[guard])
    elif guard == "outbox":
        _write_events_afterwards()


def without(engine: Any, pattern: str, wait: Callable[[str], None] | None = None) -> None:
    """Take what matches out of every statement; `wait` is called before each."""

    def rewrite(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> tuple[str, Any]:
        if wait is not None:
            wait(statement)
        return re.sub(pattern, "", statement), parameters

    sa.event.listen(engine, "before_cursor_execute", rewrite, retval=True)


def _write_events_afterwards() -> None:
    """Write the outbox in a transaction of its own, as one who knows no outbox would send."""
    waiting: dict[int, list[tuple[sa.Engine, str, Any]]] = {}

    def hold(
        c: sa.Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, many: Any
    ) -> tuple[str, Any]:
        if not statement.startswith("INSERT INTO outbox") or "late" in c.get_execution_options():
            return statement, parameters
        waiting.setdefault(_raw(c.connection), []).append((c.engine, statement, parameters))
        return "DELETE FROM outbox WHERE 1 = 0", [()] if many else type(parameters)()

    commit: Any = DefaultDialect.do_commit
    rollback: Any = DefaultDialect.do_rollback

    def and_then(self: Any, connection: Any) -> None:
        commit(self, connection)
        for engine, statement, parameters in waiting.pop(_raw(connection), ()):
            time.sleep(0.01)
            with engine.execution_options(late=True).begin() as another:
                another.exec_driver_sql(statement, parameters)

    def forget(self: Any, connection: Any) -> None:
        waiting.pop(_raw(connection), None)
        rollback(self, connection)

    DefaultDialect.do_commit = and_then  # type: ignore[method-assign]
    DefaultDialect.do_rollback = forget  # type: ignore[method-assign]
    sa.event.listen(sa.Engine, "before_cursor_execute", hold, retval=True)


def _raw(connection: Any) -> int:
    """Tell connections apart by the driver's own, whoever has it wrapped."""
    return id(getattr(connection, "dbapi_connection", connection))
