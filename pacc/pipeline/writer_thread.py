"""Where a worker's writes run: on a thread that waits for the server, or in the caller's."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import monotonic
from typing import Any

import sqlalchemy as sa

from models.sql import Writer


class InlineWriter:
    """Runs each write at once: SQLite works in this process, and there is no server to wait for."""

    def writer(self, connection: sa.Connection) -> AbstractContextManager[Writer]:
        """Return a writer that runs each statement at once."""
        return nullcontext(connection)

    def end(self, transaction: Callable[[], None]) -> Future[float]:
        """End a transaction now; the result is when that was."""
        future: Future[float] = Future()
        future.set_result(_end(transaction))
        return future


class WriterThread:
    """One thread that runs statements in their order and ends their transaction; until then nothing
    else may use the connection."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "saving")

    @contextmanager
    def writer(self, connection: sa.Connection) -> Iterator[Writer]:
        """Return a writer that queues statements; leaving the context waits until they have run.

        Raises the database's error for the first statement that it refused.
        """
        queue = _Queue(connection, self._thread)
        try:
            yield queue
        finally:
            for future in queue.submitted:
                future.cancel()
            wait(queue.submitted)
        for future in queue.submitted:
            future.result()

    def end(self, transaction: Callable[[], None]) -> Future[float]:
        """End a transaction after everything that was submitted before; the result is when."""
        return self._thread.submit(_end, transaction)


class _Queue:
    """Statements of one transaction that wait for the thread; their results are not returned."""

    def __init__(self, connection: sa.Connection, thread: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._thread = thread
        self.submitted: list[Future[sa.CursorResult[Any]]] = []
        self.dialect = connection.dialect

    def execute(self, statement: sa.Executable, parameters: Any = None) -> None:
        """Queue a statement, to run after those before it."""
        self.submitted.append(self._thread.submit(self._connection.execute, statement, parameters))


def _end(transaction: Callable[[], None]) -> float:
    transaction()
    return monotonic()
