"""When cyclic garbage is collected: between batches, never in one.

A batch makes some hundred thousand objects and drops them again, nearly all without cycles; a
collector that looks through them meanwhile costs a quarter of the batch (docs/performance.md).
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

EVERY: Final = 100_000  # records


class Sweeper:
    """Collects when there is nothing else to do, and after so many records at the latest."""

    def __init__(self) -> None:
        self._swept_at = 0

    def look(self, records: int, *, is_idle: bool) -> None:
        """Collect if it is time; `records` were worked since the start."""
        if records - self._swept_at > (0 if is_idle else EVERY):
            gc.collect()
            self._swept_at = records


@contextmanager
def sweeping() -> Iterator[Sweeper]:
    """Keep the collector off, and what is there already out of its sight."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield Sweeper()
    finally:
        gc.enable()
        gc.unfreeze()
