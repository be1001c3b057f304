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
from pacc.pipeline.garbage import BatchCollector, collecting_between_batches
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


# Called with every committed batch: its decision, its seconds, the lag, the rejected share.
BatchObserver = Callable[[Decision, float, Mapping[Partition, int], float], None]


def ignore_batch(
    _decision: Decision, _seconds: float, _lag: Mapping[Partition, int], _share: float
) -> None:
    """Do nothing."""


def run(
    worker: Worker,
    make_source: Callable[[], Source],
    limits: Limits,
    *,
    until_end: bool,
    is_stopped: Callable[[], bool],
    observe: BatchObserver = ignore_batch,
    watchdog: Watchdog | None = None,
) -> Tally:
    """Process batches until stopped, or until the end that was there at the start.

    A worker that was fenced has lost a partition to another: it leaves the group and joins again,
    and raises `Fenced` after several times without progress: then a twin of it must be ended. A
    source that stands still is made anew once on the watchdog's word; then `Stalled` is raised.
    """
    tally = Tally()
    fenced = 0
    began = monotonic()
    with collecting_between_batches() as collector:
        while not is_stopped():
            with closing(make_source()) as source:
                records_before = tally.records
                loop = _Loop(worker, source, limits, tally, collector, observe, watchdog)
                try:
                    loop.run(is_stopped, until_end=until_end)
                    break
                except Stalled:
                    if watchdog is None or not watchdog.may_rebuild():
                        raise
                except Fenced:
                    fenced = 1 if tally.records > records_before else fenced + 1
                    if fenced > _FENCED_AT_MOST:
                        raise
    tally.seconds = monotonic() - began
    return tally


@dataclass
class _Loop:
    """The batches of one source: while one is saved the next is polled and decoded.

    A poll that was not full has returned all there was: then the batch is settled at once.
    """

    worker: Worker
    source: Source
    limits: Limits
    tally: Tally
    collector: BatchCollector
    observe: BatchObserver
    watchdog: Watchdog | None
    under_way: tuple[Saving, float] | None = None

    def run(self, is_stopped: Callable[[], bool], *, until_end: bool) -> None:
        """Process batches until stopped or, with `until_end`, to the source's end; then settle."""
        try:
            while not is_stopped():
                records = self.source.poll(self.limits.batch)
                if records:
                    self._begin(records)
                else:
                    self._idle()
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

    def _idle(self) -> None:
        """Settle, collect garbage and ask the watchdog: a poll returned nothing."""
        self._finish()
        self.collector.collect_if_due(self.tally.records, is_idle=True)
        if self.watchdog is not None:
            self.watchdog.raise_if_stalled()

    def _finish(self) -> None:
        """Wait for the batch under way; then commit its offsets, count it and report it."""
        if self.under_way is None:
            return
        (saving, began), self.under_way = self.under_way, None
        self.worker.settle()
        decision = saving.decision
        if self.watchdog is not None:
            self.watchdog.note_progress()
        positions = self.worker.positions()
        self.source.commit(positions)
        self.tally.records += len(decision.ended)
        self.tally.outcomes.update(ended.outcome.value for ended in decision.ended)
        gaps = sum(decision.gaps.values())
        if gaps:
            self.tally.outcomes[Outcome.GAP.value] += gaps
        seconds = saving.committed.result() - began
        self.observe(decision, seconds, self.source.lag(positions), self.worker.rejected_share)
        self.collector.collect_if_due(self.tally.records, is_idle=False)
