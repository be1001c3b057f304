"""The watchdog: a consumer that stands still while records wait is made anew, then ended.

It looks from a thread of its own, with a Kafka client of its own: a consumer that spins or hangs
cannot tell how it is. While the brokers or the database do not answer, nothing is known of what
waits, and nobody stands still.
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
_LOOKS: Final = 4
_MOST: Final = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Behind:
    """The records that wait for this worker in each partition, and its stored positions."""

    lag: Mapping[Partition, int] = field(default_factory=dict)
    positions: Mapping[Partition, int] = field(default_factory=dict)

    @property
    def records(self) -> int:
        """How many wait in all."""
        return sum(self.lag.values())


def behind(connection: sa.Connection, owner: str, ends: Mapping[Partition, Extent]) -> Behind:
    """Compare the ends of partitions with the positions of `owner`; of all, if it owns none."""
    p = t.position.c
    query = sa.select(p.topic, p.part, p.next_offset, p.owner).where(p.feed == Feed.KAFKA.value)
    held = {Partition(Feed.KAFKA, row.topic, row.part): row for row in connection.execute(query)}
    mine = {one: row for one, row in held.items() if row.owner == owner and one in ends}
    watched = mine or ends
    at = {one: held[one].next_offset if one in held else ends[one].first for one in watched}
    return Behind({one: max(0, ends[one].end - at[one]) for one in at}, at)


@dataclass(frozen=True, slots=True)
class WatchdogReading:
    """What a look saw: what waits (None: it cannot be known), and for how long nothing moved."""

    behind: Behind | None
    standing_seconds: float
    rebuilt: int


def _no_one(_sight: WatchdogReading) -> None:
    """Tell nobody."""


class Watchdog:
    """Looks whether the loop still moves. `look` raises `PaccError` while nothing can be known.

    `tell` hears of every look; `end` must end the process, and is called with the reason when the
    loop itself does not come back.
    """

    def __init__(
        self,
        look: Callable[[], Behind],
        stall_after: timedelta,
        end: Callable[[Stalled], None],
        tell: Callable[[WatchdogReading], None] = _no_one,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._look = look
        self._stall_after = stall_after.total_seconds()
        self._end = end
        self._tell = tell
        self._clock = clock
        self._since: float | None = None
        self._at: Mapping[Partition, int] = {}
        self._told_at: float | None = None
        self._rebuilt = 0
        self._is_rebuilt = False
        self._is_known = True
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> "Watchdog":
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Look no more."""
        self._stopped.set()

    def note_progress(self) -> None:
        """Hear that a batch was committed."""
        self._since = self._told_at = None
        self._is_rebuilt = False

    def raise_if_stalled(self) -> None:
        """Raise `Stalled` if the loop is to do something: called whenever nothing came."""
        if self._told_at is not None:
            self._told_at = self._since = None
            raise self._reason()

    def may_rebuild(self) -> bool:
        """Say whether the consumer may be made anew: once, until a batch is committed again."""
        if self._is_rebuilt:
            return False
        self._is_rebuilt = True
        self._rebuilt += 1
        _log.warning("the consumer stands still while records wait: it is made anew")
        return True

    def look(self) -> None:
        """Look once."""
        now = self._clock()
        seen: Behind | None = None
        try:
            seen = self._look()
        except (PaccError, sa.exc.SQLAlchemyError) as error:
            if self._is_known:
                _log.warning("what waits cannot be known now", why=str(error))
        self._is_known = seen is not None
        if seen is None or not seen.records or seen.positions != self._at:
            self._at = seen.positions if seen else {}
            self._since = self._told_at = None
        if seen is not None and seen.records and self._since is None:
            self._since = now
        standing = 0.0 if self._since is None else now - self._since
        self._tell(WatchdogReading(seen, standing, self._rebuilt))
        if standing < self._stall_after:
            return
        if self._told_at is None:
            self._told_at = now
        elif now - self._told_at >= self._stall_after:
            self._end(self._reason())

    def _reason(self) -> Stalled:
        return Stalled(
            "Records wait in Kafka and our position has not moved for "
            f"{self._stall_after:g} s (PACC_STALL_AFTER). The worker ends so that whoever watches "
            "over it starts it again; nothing that was committed is lost.",
        )

    def _watch(self) -> None:
        every = min(self._stall_after / _LOOKS, _MOST.total_seconds())
        while not self._stopped.wait(every):
            self.look()
