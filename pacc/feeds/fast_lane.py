"""The fast lane: records that go to the pipeline out of turn, through a feed of their own."""

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

    Each partition of a topic has one of its own here, which counts what was brought: the topic's
    own position, stream time and ledger are not touched. Several may bring at once: whoever was
    fenced takes the partitions back and tries again; a record that comes twice is a duplicate.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def bring(self, records: Sequence[Record]) -> Decision:
        """Decide records in one transaction, in the order given; raises `Unreachable`."""
        for _ in range(_TRIES):
            try:
                return self._worker.process(self._renumbered(records))
            except Fenced:
                sleep(random.uniform(0, _PATIENCE_SECONDS))
                for partition in sorted({_beside(one.partition) for one in records}):
                    self._worker.take(partition, None)
        raise Unreachable("Too many scouts bring records forward at once.")

    def _renumbered(self, records: Sequence[Record]) -> list[Record]:
        after = self._worker.positions()
        given = []
        for one in records:
            partition = _beside(one.partition)
            if partition not in after:
                after[partition] = self._worker.take(partition, None).next_offset
            given.append(replace(one, partition=partition, offset=after[partition]))
            after[partition] += 1
        return given


def _beside(partition: Partition) -> Partition:
    return Partition(Feed.LANE, partition.topic, partition.number)
