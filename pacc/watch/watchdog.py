"""The watchdog: a consumer that stands still while records wait is made anew, then ended.

It checks from a thread of its own, with a Kafka client of its own: a consumer that spins or hangs
cannot report. While the brokers or the database do not answer, the backlog is unknown, and no
consumer counts as standing still.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from types import TracebackType
from typing import Final

import sqlalchemy as sa
import structlog

from models import tables as t
from models.batch import Extent, Partition
from models.errors import PaccError, Stalled
from models.words import Feed

_log = structlog.get_logger(__name__)
_CHECKS: Final = 4
_MAX_INTERVAL: Final = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Behind:
    """The records that wait for this worker in each partition, and its stored positions."""

    lag: Mapping[Partition, int] = field(default_factory=dict)
    positions: Mapping[Partition, int] = field(default_factory=dict)

    @property
    def records(self) -> int:
        """How many wait in all."""
        return sum(self.lag.values())


def read_behind(connection: sa.Connection, owner: str, ends: Mapping[Partition, Extent]) -> Behind:
    """Compare the ends of partitions with the positions of `owner`; of all, if it owns none."""
    p = t.position.c
    query = sa.select(p.topic, p.part, p.next_offset, p.owner).where(p.feed == Feed.KAFKA.value)
    rows = {Partition(Feed.KAFKA, row.topic, row.part): row for row in connection.execute(query)}
    own = {partition for partition in ends if partition in rows and rows[partition].owner == owner}
    positions = {
        partition: rows[partition].next_offset if partition in rows else ends[partition].first
        for partition in own or ends
    }
    lag = {
        partition: max(0, ends[partition].end - position)
        for partition, position in positions.items()
    }
    return Behind(lag, positions)


@dataclass(frozen=True, slots=True)
class WatchdogReading:
    """Result of a check: what waits (None: unknown), and for how long no position has moved."""

    behind: Behind | None
    standing_seconds: float
    rebuilt: int


def _ignore(_reading: WatchdogReading) -> None:
    """Do nothing."""


class Watchdog:
    """Checks from a thread that the loop moves on.

    `measure` reads what waits, and raises `PaccError` while that is unknown; `notify` gets every
    reading; `end` must end the process: it gets the reason when the loop hangs.
    """

    def __init__(
        self,
        measure: Callable[[], Behind],
        stall_after: timedelta,
        end: Callable[[Stalled], None],
        notify: Callable[[WatchdogReading], None] = _ignore,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._measure = measure
        self._stall_after = stall_after.total_seconds()
        self._end = end
        self._notify = notify
        self._clock = clock
        self._standing_since: float | None = None
        self._positions: Mapping[Partition, int] = {}
        self._stalled_at: float | None = None
        self._rebuilt = 0
        self._is_rebuilt = False
        self._is_known = True
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> "Watchdog":
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the thread."""
        self._stopped.set()

    def note_progress(self) -> None:
        """Note that a batch was committed."""
        self._standing_since = self._stalled_at = None
        self._is_rebuilt = False

    def raise_if_stalled(self) -> None:
        """Raise `Stalled` if a check found that nothing moves; called when a poll was empty."""
        if self._stalled_at is not None:
            self._stalled_at = self._standing_since = None
            raise self._reason()

    def may_rebuild(self) -> bool:
        """Return whether the consumer may be made anew: once, until a batch is committed again."""
        if self._is_rebuilt:
            return False
        self._is_rebuilt = True
        self._rebuilt += 1
        _log.warning("the consumer stands still while records wait: it is made anew")
        return True

    def check(self) -> None:
        """Check once."""
        now = self._clock()
        behind: Behind | None = None
        try:
            behind = self._measure()
        except (PaccError, sa.exc.SQLAlchemyError) as error:
            if self._is_known:
                _log.warning("what waits cannot be known now", why=str(error))
        self._is_known = behind is not None
        if behind is None or not behind.records or behind.positions != self._positions:
            self._positions = behind.positions if behind else {}
            self._standing_since = self._stalled_at = None
        if behind is not None and behind.records and self._standing_since is None:
            self._standing_since = now
        standing = 0.0 if self._standing_since is None else now - self._standing_since
        self._notify(WatchdogReading(behind, standing, self._rebuilt))
        if standing < self._stall_after:
            return
        if self._stalled_at is None:
            self._stalled_at = now
        elif now - self._stalled_at >= self._stall_after:
            self._end(self._reason())

    def _reason(self) -> Stalled:
        return Stalled(
            "Records wait in Kafka and our position has not moved for "
            f"{self._stall_after:g} s (PACC_STALL_AFTER). The worker ends so that whoever watches "
            "over it starts it again; nothing that was committed is lost.",
        )

    def _watch(self) -> None:
        every = min(self._stall_after / _CHECKS, _MAX_INTERVAL.total_seconds())
        while not self._stopped.wait(every):
            self.check()
