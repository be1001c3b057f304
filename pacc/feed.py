"""The way in without a broker: records that come over HTTP or back from quarantine."""

from collections.abc import Sequence
from dataclasses import replace

from models.batch import Partition, Record
from models.case import Decision
from models.errors import Fenced, Unreachable
from models.words import Feed
from pacc.pipeline import Worker

_TRIES = 5


class DirectFeed:
    """Numbers records itself and runs them through the pipeline's own transaction."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def submit(self, records: Sequence[Record]) -> Decision:
        """Decide records now; they are durable when this returns.

        Several processes may feed the same topic: who loses the race for the next offset takes
        the partition again and goes on behind the other.
        """
        for _ in range(_TRIES):
            numbered = self._numbered(records)
            try:
                return self._worker.process(numbered)
            except Fenced:
                continue
        raise Unreachable("Too many writers at once; send it again.")

    def _numbered(self, records: Sequence[Record]) -> list[Record]:
        numbered: list[Record] = []
        nexts: dict[Partition, int] = {}
        for record in records:
            partition = Partition(Feed.HTTP, record.partition.topic, 0)
            if partition not in nexts:
                nexts[partition] = self._worker.take(partition, 0)
            numbered.append(replace(record, partition=partition, offset=nexts[partition]))
            nexts[partition] += 1
        return numbered
