"""Where a worker's writes are run: beside it, on a thread that waits for the server, or here."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import monotonic
from typing import Any

import sqlalchemy as sa

from models.sql import Writer


class InlineWriter:
    """SQLite works in this process: there is nobody to wait for."""

    def writer(self, connection: sa.Connection) -> AbstractContextManager[Writer]:
        """Give what runs each statement at once."""
        return nullcontext(connection)

    def end(self, transaction: Callable[[], None]) -> Future[float]:
        """End a transaction now; the result is when that was."""
        ended: Future[float] = Future()
        ended.set_result(_ended(transaction))
        return ended


class WriterThread:
    """One thread that runs statements in the order in which they were given, and ends what they are
    part of. Nobody else may use the connection until then."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "saving")

    @contextmanager
    def writer(self, connection: sa.Connection) -> Iterator[Writer]:
        """Give what takes statements and comes back before they are run.

        At its end nothing runs any more, so that the transaction may end. Raises what the database
        had against the first statement that it refused.
        """
        queue = _Queue(connection, self._thread)
        try:
            yield queue
        finally:
            for one in queue.given:
                one.cancel()
            wait(queue.given)
        for one in queue.given:
            one.result()

    def end(self, transaction: Callable[[], None]) -> Future[float]:
        """End a transaction when all that was given before has been run; the result is when."""
        return self._thread.submit(_ended, transaction)


class _Queue:
    """Statements of one transaction that wait for the thread. It asks for no result of theirs."""

    def __init__(self, connection: sa.Connection, thread: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._thread = thread
        self.given: list[Future[sa.CursorResult[Any]]] = []
        self.dialect = connection.dialect

    def execute(self, statement: sa.Executable, parameters: Any = None) -> None:
        """Take a statement, to be run after those before it."""
        self.given.append(self._thread.submit(self._connection.execute, statement, parameters))


def _ended(transaction: Callable[[], None]) -> float:
    transaction()
    return monotonic()
