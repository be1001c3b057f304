"""How often to run a query that takes longer the more rows there are."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

_SHARE: Final = 10  # runs take a tenth of the time at most: in a flood the next one waits longer


class Pace:
    """When the next run is due: `every` after the last began, later where that one took long."""

    def __init__(self, every: timedelta = timedelta(0)) -> None:
        self._every = every
        self._due: datetime | None = None

    def is_due(self, at: datetime) -> bool:
        """Return whether the next run is due."""
        return self._due is None or at >= self._due

    @contextmanager
    def timed(self, at: datetime) -> Iterator[None]:
        """Time the run in this context and schedule the next."""
        began = monotonic()
        yield
        self._due = at + max(self._every, _SHARE * timedelta(seconds=monotonic() - began))
