"""How often something is looked at that takes longer the more there is to see."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

_SHARE: Final = 10  # looks take a tenth of the time at most: in a flood the next one waits longer


class Pace:
    """When the next look is due: `every` so long after the last, later where that one took long."""

    def __init__(self, every: timedelta = timedelta(0)) -> None:
        self._every = every
        self._due: datetime | None = None

    def is_due(self, at: datetime) -> bool:
        """Say whether it is time to look."""
        return self._due is None or at >= self._due

    @contextmanager
    def look(self, at: datetime) -> Iterator[None]:
        """Look within this, and take the time."""
        began = monotonic()
        yield
        self._due = at + max(self._every, _SHARE * timedelta(seconds=monotonic() - began))
