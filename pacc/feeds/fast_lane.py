"""The fast lane: records that are processed before their turn, through a feed of their own."""

import random
from collections.abc import Sequence
from time import sleep
from typing import Final

from msgspec.structs import replace

from models.batch import Partition, Record
from models.decision import Decision
from models.errors import Fenced, Unreachable
from models.words import Feed
from pacc.pipeline.worker import Worker

_TRIES: Final = 100
_PATIENCE_SECONDS: Final = 0.02


class Lane:
    """Brings records forward. Its `worker` must keep only their stop faults (`stops_of`).

    Each partition of a topic has a lane partition, whose offsets count what was brought: position,
    stream time and ledger of the topic are not touched. Several lanes may run at once: one that was
    fenced takes the partitions back and tries again; a record that comes twice is a duplicate.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def bring(self, records: Sequence[Record]) -> Decision:
        """Decide records in their order, in one transaction.

        Raises `Unreachable` when other lanes fenced this one at every try.
        """
        for _ in range(_TRIES):
            try:
                return self._worker.process(self._renumbered(records))
            except Fenced:
                sleep(random.uniform(0, _PATIENCE_SECONDS))
                for partition in sorted({_lane_partition(record.partition) for record in records}):
                    self._worker.take(partition, None)
        raise Unreachable("Too many scouts bring records forward at once.")

    def _renumbered(self, records: Sequence[Record]) -> list[Record]:
        """Return the records at the next offsets of their lane partitions."""
        next_offsets = self._worker.positions()
        renumbered = []
        for record in records:
            partition = _lane_partition(record.partition)
            if partition not in next_offsets:
                next_offsets[partition] = self._worker.take(partition, None).next_offset
            renumbered.append(replace(record, partition=partition, offset=next_offsets[partition]))
            next_offsets[partition] += 1
        return renumbered


def _lane_partition(partition: Partition) -> Partition:
    return Partition(Feed.LANE, partition.topic, partition.number)
