"""The scout: while the pipeline is behind, it reads ahead and brings stop faults forward.

It stores no position. While the pipeline is behind it reads new records as they come, and between
them the backlog from the pipeline's position on. What it brought, the pipeline later finds to be a
duplicate; if the scout dies, the pipeline still gets it all.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Final

from ingest.formats.decode import decode
from ingest.formats.stop_faults import stops_of
from ingest.kafka.ahead import KafkaAhead
from models.batch import Extent, Partition, Record
from pacc.feeds.fast_lane import Lane
from pacc.feeds.scout_status import ScoutStatus

MEASURE_SECONDS: Final = 0.25
_AT_ONCE: Final = 2000
_BROUGHT_AT_ONCE: Final = 500
_NEWEST_WAIT_MS: Final = 200
_BACKLOG_WAIT_MS: Final = 50


class Scout:
    """Reads ahead while the pipeline is more than `least` records behind in all.

    Of its two readers one follows new records, the other reads the backlog. Raises `Unreachable`
    when Kafka or the database does not answer; a new scout loses nothing.
    """

    def __init__(
        self,
        lane: Lane,
        readers: tuple[KafkaAhead, KafkaAhead],
        status: ScoutStatus,
        formats: Mapping[str, str],
        least: int,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._lane = lane
        self._newest, self._backlog = readers
        self._status = status
        self._formats = formats
        self._least = least
        self._clock = clock
        self._measure_at = clock()
        self._until: dict[Partition, int] = {}
        self.passed = 0
        self.brought = 0

    @property
    def is_idle(self) -> bool:
        """Whether the pipeline is so near the end that there is nothing to do."""
        return not self._newest.places

    @property
    def has_swept(self) -> bool:
        """Whether the backlog of its beginning has been read."""
        return not self._backlog.places

    def tick(self) -> None:
        """Measure the pipeline's lag if that is due; then read some records of each reader."""
        if self._clock() >= self._measure_at:
            self._measure_lag()
            self._measure_at = self._clock() + MEASURE_SECONDS
        self._forward(self._newest, _NEWEST_WAIT_MS if self.has_swept else 0)
        self._forward(self._backlog, _BACKLOG_WAIT_MS)
        self._backlog.go(self._unread(self._backlog.places))

    def _measure_lag(self) -> None:
        """Compare ends with positions: begin where the pipeline is behind, end where it is not."""
        extents = self._newest.spans(sorted(self._formats))
        stored = self._status.read_positions()
        positions = {
            partition: max(stored.get(partition, extent.first), extent.first)
            for partition, extent in extents.items()
        }
        lag = sum(
            max(0, extent.end - positions[partition]) for partition, extent in extents.items()
        )
        self._follow(extents, positions, set(extents) if lag > self._least else set())
        unread = sum(
            self._until[partition] - offset for partition, offset in self._backlog.places.items()
        )
        self._status.report_lag(lag, unread, self.passed)

    def _follow(
        self,
        extents: Mapping[Partition, Extent],
        positions: Mapping[Partition, int],
        behind: set[Partition],
    ) -> None:
        """Move both readers: to the partitions that are behind, and never before the pipeline."""
        newest, backlog = self._newest.places, dict(self._backlog.places)
        for partition in behind - newest.keys():
            self._until[partition] = extents[partition].end
            backlog[partition] = positions[partition]
        self._newest.go(
            {
                partition: max(newest.get(partition, extents[partition].end), positions[partition])
                for partition in behind
            }
        )
        still_behind = {
            partition: max(offset, positions[partition])
            for partition, offset in backlog.items()
            if partition in behind
        }
        self._backlog.go(self._unread(still_behind))

    def _unread(self, offsets: Mapping[Partition, int]) -> dict[Partition, int]:
        return {
            partition: offset
            for partition, offset in offsets.items()
            if offset < self._until[partition]
        }

    def _forward(self, reader: KafkaAhead, wait_ms: int) -> None:
        """Read some records and bring those with stop faults forward."""
        reading = reader.read(_AT_ONCE, wait_ms)
        self.passed += reading.passed
        decoded = decode(reading.records, self._formats)
        urgent = [item.record for item in decoded if stops_of(item).items]
        for first in range(0, len(urgent), _BROUGHT_AT_ONCE):
            self._bring(urgent[first : first + _BROUGHT_AT_ONCE])

    def _bring(self, records: Sequence[Record]) -> None:
        decision = self._lane.bring(records)
        self.brought += len(records)
        outcomes = Counter(ended.outcome.value for ended in decision.ended)
        self._status.report_brought(records, outcomes)
