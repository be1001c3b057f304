"""The scout: while the pipeline is behind, it reads ahead and brings stop faults forward.

It keeps no place of its own anywhere. While the pipeline is behind it reads what is appended from
now on, and in between what lies between the pipeline's position and there; what it brought, the
pipeline finds delivered when it comes to it. If the scout dies, the pipeline still gets it all.
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

LOOK_SECONDS: Final = 0.25
_AT_ONCE: Final = 2000
_BROUGHT_AT_ONCE: Final = 500
_NEW_MS: Final = 200
_BETWEEN_MS: Final = 50


class Scout:
    """Reads ahead while the pipeline is more than `least` records behind in all.

    One reader follows what is new, the other goes through what lies between. Raises `Unreachable`
    where Kafka or the database does not answer; then a new one begins anew, and loses nothing.
    """

    def __init__(
        self,
        lane: Lane,
        readers: tuple[KafkaAhead, KafkaAhead],
        notes: ScoutStatus,
        formats: Mapping[str, str],
        least: int,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._lane = lane
        self._new, self._between = readers
        self._notes = notes
        self._formats = formats
        self._least = least
        self._clock = clock
        self._look_at = clock()
        self._until: dict[Partition, int] = {}
        self.passed = 0
        self.brought = 0

    @property
    def is_idle(self) -> bool:
        """Whether the pipeline is so near the end that there is nothing to do."""
        return not self._new.places

    @property
    def has_swept(self) -> bool:
        """Whether everything that waited when it began has been read."""
        return not self._between.places

    def tick(self) -> None:
        """Look how far behind the pipeline is, when it is time to; then read a piece of each."""
        if self._clock() >= self._look_at:
            self._look()
            self._look_at = self._clock() + LOOK_SECONDS
        self._forward(self._new, _NEW_MS if self.has_swept else 0)
        self._forward(self._between, _BETWEEN_MS)
        self._between.go(self._not_done(self._between.places))

    def _look(self) -> None:
        """Compare ends with positions: begin where it is behind, end where it no longer is."""
        spans = self._new.spans(sorted(self._formats))
        stored = self._notes.positions()
        at = {one: max(stored.get(one, span.first), span.first) for one, span in spans.items()}
        lag = {one: max(0, span.end - at[one]) for one, span in spans.items()}
        self._follow(spans, at, set(spans) if sum(lag.values()) > self._least else set())
        unread = sum(self._until[one] - next_ for one, next_ in self._between.places.items())
        self._notes.looked(sum(lag.values()), unread, self.passed)

    def _follow(
        self, spans: Mapping[Partition, Extent], at: Mapping[Partition, int], behind: set[Partition]
    ) -> None:
        new, between = self._new.places, dict(self._between.places)
        for one in behind - new.keys():
            self._until[one], between[one] = spans[one].end, at[one]
        self._new.go({one: max(new.get(one, spans[one].end), at[one]) for one in behind})
        still = {one: max(next_, at[one]) for one, next_ in between.items() if one in behind}
        self._between.go(self._not_done(still))

    def _not_done(self, places: Mapping[Partition, int]) -> dict[Partition, int]:
        return {one: next_ for one, next_ in places.items() if next_ < self._until[one]}

    def _forward(self, reader: KafkaAhead, wait_ms: int) -> None:
        """Read a piece and bring its stop faults into their queues."""
        reading = reader.read(_AT_ONCE, wait_ms)
        self.passed += reading.passed
        decoded = decode(reading.records, self._formats)
        found = [one.record for one in decoded if stops_of(one).items]
        for first in range(0, len(found), _BROUGHT_AT_ONCE):
            self._bring(found[first : first + _BROUGHT_AT_ONCE])

    def _bring(self, records: Sequence[Record]) -> None:
        decision = self._lane.bring(records)
        self.brought += len(records)
        self._notes.brought(records, Counter(one.outcome.value for one in decision.ended))
