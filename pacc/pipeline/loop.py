"""The loop: poll, decode, decide, save, commit. One poll is one batch is one transaction."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from time import monotonic

from ingest.source import Source
from models.batch import Partition, Record
from models.decision import Decision
from models.errors import Fenced, Stalled
from models.words import Outcome
from pacc.pipeline.garbage import Sweeper, sweeping
from pacc.pipeline.limits import Limits
from pacc.pipeline.worker import Saving, Worker
from pacc.watch.watchdog import Watchdog

_FENCED_AT_MOST = 5


@dataclass(slots=True)
class Tally:
    """What a run did so far."""

    records: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


# Who is told of every committed batch: its decision, its seconds, the lag, the rejected share.
Watcher = Callable[[Decision, float, Mapping[Partition, int], float], None]


def nobody(
    _decision: Decision, _seconds: float, _lag: Mapping[Partition, int], _share: float
) -> None:
    """Watch nothing."""


def run(
    worker: Worker,
    make_source: Callable[[], Source],
    limits: Limits,
    *,
    until_end: bool,
    is_stopped: Callable[[], bool],
    watch: Watcher = nobody,
    watchdog: Watchdog | None = None,
) -> Tally:
    """Work until stopped, or until the end that was there at the start.

    A worker that was fenced has lost a partition to another: it leaves the group and joins anew,
    a few times; who is fenced again and again without progress has a twin that must be ended. A
    source that stands still is made anew once, by the watchdog's word.
    """
    tally = Tally()
    fenced = 0
    began = monotonic()
    with sweeping() as sweeper:
        while not is_stopped():
            with closing(make_source()) as source:
                done = tally.records
                loop = _Loop(worker, source, limits, tally, sweeper, watch, watchdog)
                try:
                    loop.goes(is_stopped, until_end=until_end)
                    break
                except Stalled:
                    if watchdog is None or not watchdog.may_rebuild():
                        raise
                except Fenced:
                    fenced = 1 if tally.records > done else fenced + 1
                    if fenced > _FENCED_AT_MOST:
                        raise
    tally.seconds = monotonic() - began
    return tally


@dataclass
class _Loop:
    """The batches of one source. While one is saved the next is polled and decoded, if more waits.

    A poll that was not full has brought all there was: then the batch is settled at once, and the
    next poll finds whatever comes meanwhile.
    """

    worker: Worker
    source: Source
    limits: Limits
    tally: Tally
    sweeper: Sweeper
    watch: Watcher
    watchdog: Watchdog | None
    under_way: tuple[Saving, float] | None = None

    def goes(self, is_stopped: Callable[[], bool], *, until_end: bool) -> None:
        """Work until stopped or, if asked for, to the source's end. Nothing is left under way."""
        try:
            while not is_stopped():
                records = self.source.poll(self.limits.batch)
                if records:
                    self._begin(records)
                else:
                    self._rest()
                if until_end and self.source.is_at_end():
                    break
            self._finish()
        finally:
            self.worker.settle()

    def _begin(self, records: Sequence[Record]) -> None:
        began = monotonic()
        decoded = self.worker.prepare(records)
        seconds = monotonic() - began
        self._finish()
        began = monotonic() - seconds
        self.under_way = self.worker.begin(decoded), began
        if len(records) < self.limits.batch:
            self._finish()

    def _rest(self) -> None:
        """Make use of a poll that brought nothing."""
        self._finish()
        self.sweeper.look(self.tally.records, is_idle=True)
        if self.watchdog is not None:
            self.watchdog.heed()

    def _finish(self) -> None:
        """Wait for what is under way, then tell all who want to know."""
        if self.under_way is None:
            return
        (saving, began), self.under_way = self.under_way, None
        self.worker.settle()
        decision = saving.decision
        if self.watchdog is not None:
            self.watchdog.moved()
        positions = self.worker.positions()
        self.source.commit(positions)
        self.tally.records += len(decision.ended)
        self.tally.outcomes.update(ended.outcome.value for ended in decision.ended)
        gaps = sum(decision.gaps.values())
        if gaps:
            self.tally.outcomes[Outcome.GAP.value] += gaps
        seconds = saving.committed.result() - began
        self.watch(decision, seconds, self.source.lag(positions), self.worker.rejected_share)
        self.sweeper.look(self.tally.records, is_idle=False)
