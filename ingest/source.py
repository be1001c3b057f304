"""What the pipeline reads from: a Kafka group or tapes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from models.batch import NO_EPOCH, Partition, Record


@dataclass(frozen=True, slots=True)
class StreamPosition:
    """Where a worker stands in a partition: what it must still own to write.

    `topic_id`, Kafka's id of the topic (None: not known), and `leader_epoch`, that of the last
    record before `next_offset`, name the log: an offset alone fits any log that is long enough.
    """

    next_offset: int
    epoch: int
    topic_id: str | None = None
    leader_epoch: int = NO_EPOCH


class Take(Protocol):
    """How a source becomes the owner of a partition, and learns where to go on."""

    def __call__(
        self,
        partition: Partition,
        start: int | None,
        topic_id: str | None = None,
        *,
        rewind: bool = False,
    ) -> StreamPosition:
        """Return the stored position, or `start` where there is none or `rewind` is set."""


class Source(Protocol):
    """An ordered stream of records for each of its partitions.

    A source calls the `take` that it was built with once for each partition that it comes to own,
    before it returns a record of it, and begins at the position that `take` returns.
    """

    def poll(self, limit: int) -> list[Record]:
        """Return up to `limit` next records; none if nothing came within the poll's time."""

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Publish, at best effort, how far the pipeline is. Never read back."""

    def is_at_end(self) -> bool:
        """Return whether everything that was there at the start has been returned."""

    def lag(self, positions: Mapping[Partition, int]) -> Mapping[Partition, int]:
        """Count the records from each position to its partition's end, where that is known."""

    def close(self) -> None:
        """Close everything within five seconds."""
