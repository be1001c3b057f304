"""The watchdog: who stands still while records wait is made anew once, then ended; no one else."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import pytest
import sqlalchemy as sa

from models.batch import Extent, Partition, Record
from models.errors import Stalled, Unreachable
from models.words import Feed
from pacc.pipeline.limits import Limits
from pacc.pipeline.loop import Tally, run
from pacc.pipeline.worker import Worker
from pacc.watch.watchdog import Behind, Watchdog, WatchdogReading, read_behind
from tests.worlds import CAR, OTHER, Room, Stream, policy

P0 = Partition(Feed.KAFKA, "pacc.alerts", 0)
MINUTE = timedelta(minutes=1)
ReadBehind = Callable[[], Behind]


class StalledSource:
    """A source that gives its records once and then stands still; each poll takes ten seconds."""

    def __init__(self, room: "WatchedWorker", records: Sequence[Record]) -> None:
        self._room = room
        self._records = list(records)
        room.worker.take(P0, 0)

    def poll(self, limit: int) -> list[Record]:
        """Return what there is; let time pass and the watchdog look."""
        records, self._records = self._records[:limit], self._records[limit:]
        self._room.passes(10)
        return records

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Tell nobody."""

    def is_at_end(self) -> bool:
        """Never: it is asked for ever."""
        return False

    def lag(self, _positions: Mapping[Partition, int]) -> Mapping[Partition, int]:
        """Know nothing of it, as a consumer that fetches nothing."""
        return {}

    def close(self) -> None:
        """Let go."""


class WatchedWorker:
    """A worker, its watchdog, and the time."""

    def __init__(self, engine: sa.Engine, look: ReadBehind) -> None:
        self.worker = Worker(engine, policy(), {}, "me", Limits())
        self.now = 0.0
        self.readings: list[WatchdogReading] = []
        self.ended: list[Stalled] = []
        self.watchdog = Watchdog(
            look, MINUTE, self.ended.append, self.readings.append, lambda: self.now
        )
        self.sources = 0

    def passes(self, seconds: float) -> None:
        """Let time pass, and the watchdog look at its end."""
        self.now += seconds
        self.watchdog.check()

    def runs(self, *batches: Sequence[Record], seconds: float = 1000) -> Tally:
        """Run on sources that give these records, one after the other; the last ones give none."""

        def make() -> StalledSource:
            self.sources += 1
            return StalledSource(
                self, batches[self.sources - 1] if self.sources <= len(batches) else ()
            )

        return run(
            self.worker,
            make,
            Limits(),
            until_end=False,
            is_stopped=lambda: self.now > seconds,
            watchdog=self.watchdog,
        )


def waiting(records: int = 5, at: int = 0) -> Behind:
    """So many records wait behind this position."""
    return Behind({P0: records}, {P0: at})


RECORDS = Stream(P0).says(CAR, "dtc:P0A80").says(OTHER, "dtc:P0A80").records


def test_who_stands_still_is_made_anew_once_and_then_ends(engine: sa.Engine) -> None:
    watched = WatchedWorker(engine, waiting)
    with pytest.raises(Stalled, match="has not moved for 60 s") as stalled:
        watched.runs()
    assert (watched.sources, stalled.value.exit_code) == (2, 6)
    assert 120 <= watched.now <= 160
    assert max(reading.standing_seconds for reading in watched.readings) == 60
    assert watched.readings[-1].rebuilt == 1
    assert watched.ended == []


def test_a_consumer_made_anew_that_reads_again_may_be_made_anew_again(engine: sa.Engine) -> None:
    watched = WatchedWorker(engine, waiting)
    with pytest.raises(Stalled):
        watched.runs((), RECORDS[:1])
    assert watched.sources == 3
    assert sum(Room(engine).outcomes().values()) == 1


def test_brokers_that_are_away_are_no_stall_and_the_time_away_does_not_count(
    engine: sa.Engine,
) -> None:
    def look() -> Behind:
        if 50 < watched.now < 900:
            raise Unreachable("Kafka does not answer")
        return waiting()

    watched = WatchedWorker(engine, look)
    watched.runs(seconds=940)
    assert watched.sources == 1
    assert [reading.behind for reading in watched.readings[5:50]] == [None] * 45
    assert {reading.standing_seconds for reading in watched.readings[5:50]} == {0}
    assert watched.readings[-1].standing_seconds == 50


def test_nobody_stalls_while_nothing_waits(engine: sa.Engine) -> None:
    watched = WatchedWorker(engine, lambda: waiting(0))
    watched.runs()
    assert watched.sources == 1
    assert {reading.standing_seconds for reading in watched.readings} == {0}


def test_a_position_that_another_way_moved_counts_as_moving(engine: sa.Engine) -> None:
    watched = WatchedWorker(engine, lambda: waiting(5, at=int(watched.now // 40)))
    watched.runs()
    assert watched.sources == 1
    assert max(reading.standing_seconds for reading in watched.readings) == 30


def test_a_call_that_never_returns_ends_the_process(engine: sa.Engine) -> None:
    """A thread of its own looks: the loop hangs in `poll` and cannot."""
    back = threading.Event()
    reasons: list[Stalled] = []

    def end(reason: Stalled) -> None:
        reasons.append(reason)
        back.set()

    class Hung(StalledSource):
        def poll(self, limit: int) -> list[Record]:  # noqa: ARG002 - as a source has it
            assert back.wait(60)
            return []

    watched = WatchedWorker(engine, waiting)
    watchdog = Watchdog(waiting, timedelta(milliseconds=200), end)
    with watchdog:
        run(
            watched.worker,
            lambda: Hung(watched, ()),
            Limits(),
            until_end=False,
            is_stopped=back.is_set,
            watchdog=watchdog,
        )
    assert reasons[0].exit_code == 6


def test_only_what_is_ours_waits_for_us(engine: sa.Engine) -> None:
    """A partition that went to another worker is that worker's to read."""
    other = Partition(Feed.KAFKA, "pacc.alerts", 1)
    for partition, owner in ((P0, "me"), (other, "another")):
        Worker(engine, policy(), {}, owner, Limits()).take(partition, 3)
    ends = {P0: Extent(0, 10), other: Extent(0, 1000)}
    with engine.connect() as connection:
        assert read_behind(connection, "me", ends) == Behind({P0: 7}, {P0: 3})
        assert read_behind(connection, "nobody", ends).records == 7 + 997
        assert read_behind(connection, "me", {P0: Extent(0, 2)}).records == 0
