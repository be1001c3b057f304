"""What the pipeline reads from: a Kafka group or tapes."""

from collections.abc import Mapping
from typing import Protocol

from models.batch import Partition, Record


class Source(Protocol):
    """An ordered stream of records for each of its partitions.

    A source calls the `take` that it was built with once for each partition that it comes to own,
    before it gives out a record of it, and begins at the offset that `take` returns.
    """

    def poll(self, limit: int) -> list[Record]:
        """Give up to `limit` next records; none if nothing came within the poll's time."""

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Tell others, at best effort, how far the pipeline is. Never read back."""

    def is_at_end(self) -> bool:
        """Whether everything that was there at the start has been given out."""

    def lag(self, positions: Mapping[Partition, int]) -> Mapping[Partition, int]:
        """Count the records from each position to its partition's end, where that is known."""

    def close(self) -> None:
        """Let go of everything within five seconds."""
