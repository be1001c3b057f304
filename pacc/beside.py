"""Where a worker's writes are run: beside it, on a thread that waits for the server, or here."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from time import monotonic
from types import TracebackType
from typing import Any

import sqlalchemy as sa

from models.sql import Writer


class Here:
    """SQLite works in this process: there is nobody to wait for."""

    def writer(self, connection: sa.Connection) -> AbstractContextManager[Writer]:
        """Give what runs each statement at once."""
        return nullcontext(connection)

    def end(self, transaction: Callable[[], None]) -> Future[float]:
        """End a transaction now; the result is when that was."""
        ended: Future[float] = Future()
        ended.set_result(_ended(transaction))
        return ended


class Beside:
    """One thread that runs statements in the order in which they were given, and ends what they are
    part of. Nobody else may use the connection until then."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "saving")

    def writer(self, connection: sa.Connection) -> AbstractContextManager[Writer]:
        """Give what takes statements and comes back before they are run."""
        return _Queue(connection, self._thread)

    def end(self, transaction: Callable[[], None]) -> Future[float]:
        """End a transaction when all that was given before has been run; the result is when."""
        return self._thread.submit(_ended, transaction)


class _Queue:
    """Statements of one transaction that wait for the thread. It asks for no result of theirs."""

    def __init__(self, connection: sa.Connection, thread: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._thread = thread
        self._given: list[Future[sa.CursorResult[Any]]] = []
        self.dialect = connection.dialect

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let nothing run any more; raise what the database had against the first that it refused.

        The transaction is ended only after this.
        """
        for one in self._given:
            one.cancel()
        wait(self._given)
        if kind is None:
            for one in self._given:
                one.result()

    def execute(self, statement: sa.Executable, parameters: Any = None) -> None:
        """Take a statement, to be run after those before it."""
        self._given.append(self._thread.submit(self._connection.execute, statement, parameters))


def _ended(transaction: Callable[[], None]) -> float:
    transaction()
    return monotonic()
