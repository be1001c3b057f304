"""Cyclic garbage is collected between batches, never during one.

A batch makes some hundred thousand objects and drops them again, nearly all without cycles; a
collector that scans them meanwhile costs a quarter of the batch (docs/performance.md).
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

EVERY: Final = 100_000  # records


class BatchCollector:
    """Collects garbage when the loop is idle, and after `EVERY` records at the latest."""

    def __init__(self) -> None:
        self._collected_at = 0

    def collect_if_due(self, records: int, *, is_idle: bool) -> None:
        """Collect garbage if it is time; `records` were processed since the start."""
        if records - self._collected_at > (0 if is_idle else EVERY):
            gc.collect()
            self._collected_at = records


@contextmanager
def collecting_between_batches() -> Iterator[BatchCollector]:
    """Turn the automatic collector off; objects that exist already are never scanned again."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield BatchCollector()
    finally:
        gc.enable()
        gc.unfreeze()
