"""The loop: poll, decode, decide, save, commit. One poll is one batch is one transaction."""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from time import monotonic

import sqlalchemy as sa

from ingest import store
from ingest.decode import decode
from ingest.source import Source
from ingest.store import Place
from models.batch import Batch, Decoded, Partition, Record, Span
from models.decision import Decision
from models.errors import Fenced, Stalled, TooManyRejected
from models.words import Feed, Outcome
from pacc.decide import decide, watermark_after
from pacc.policy import Policy
from pacc.sweep import Sweeper, sweeping
from pacc.watchdog import Watchdog

_FENCED_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """How much at once, and how many bad records are bearable (share of the last `window`)."""

    batch: int = 2000
    reject_share: float = 0.2
    reject_window: int = 1000


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


# Looks between batches whether the policy has changed: another model, say.
Refresh = Callable[[sa.Connection, Policy], Policy]


def as_it_is(_connection: sa.Connection, policy: Policy) -> Policy:
    """Keep the policy."""
    return policy


# Takes of a decoded record what this worker is for.
Keep = Callable[[Decoded], Decoded]


def everything(decoded: Decoded) -> Decoded:
    """Keep all of a record."""
    return decoded


class RejectWindow:
    """The last records, and how many of them were unusable."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._last: deque[bool] = deque(maxlen=limits.reject_window)

    @property
    def share(self) -> float:
        """The unusable share of the window, 0 to 1."""
        return sum(self._last) / len(self._last) if self._last else 0.0

    def admit(self, decoded: Sequence[Decoded]) -> None:
        """Take a batch into account before it is written, or refuse it."""
        last = deque(self._last, maxlen=self._limits.reject_window)
        rejected = sum(last)
        for one in decoded:
            if len(last) == last.maxlen:
                rejected -= last[0]
            is_rejected = bool(one.rejected) and not one.items
            last.append(is_rejected)
            rejected += is_rejected
            if len(last) == last.maxlen and rejected > self._limits.reject_share * len(last):
                where = one.record
                raise TooManyRejected(
                    f"{rejected} of the last {len(last)} records are unusable (at "
                    f"{where.partition.topic}/{where.partition.number} offset {where.offset}): "
                    "stopped before filling the quarantine. See what the producer sends; "
                    "PACC_REJECT_LIMIT sets the share that is bearable.",
                )
        self._last = last


class Worker:
    """One pipeline: owns the places of its partitions, and moves them batch by batch."""

    def __init__(
        self,
        engine: sa.Engine,
        policy: Policy,
        formats: Mapping[str, str],
        owner: str,
        limits: Limits,
        refresh: Refresh = as_it_is,
        keep: Keep = everything,
    ) -> None:
        self._engine = engine
        self._keep = keep
        self._refresh = refresh
        self._policy = policy
        self._formats = formats
        self._owner = owner
        self._limits = limits
        self._places: dict[Partition, Place] = {}
        self._window = RejectWindow(limits)

    @property
    def policy(self) -> Policy:
        """What the last batch was decided by."""
        return self._policy

    @property
    def rejected_share(self) -> float:
        """The unusable share of the last records."""
        return self._window.share

    def refresh(self, connection: sa.Connection) -> Policy:
        """Look whether another policy is in force now, and give it."""
        self._policy = self._refresh(connection, self._policy)
        return self._policy

    def close(self) -> None:
        """Let the database's connections go."""
        self._engine.dispose()

    def take(self, partition: Partition, start: int | None) -> int:
        """Take a partition over; give the offset to go on from. A tape begins where it begins."""
        rewind = partition.feed is Feed.TAPE
        with self._engine.begin() as connection:
            place = store.take(connection, partition, self._owner, start or 0, rewind=rewind)
        self._places[partition] = place
        return place.next_offset

    def positions(self) -> dict[Partition, int]:
        """Give the stored position of every partition that was taken."""
        return {partition: place.next_offset for partition, place in self._places.items()}

    def process(self, records: Sequence[Record]) -> Decision:
        """Decide one batch and write it in one transaction; remember it only after the commit."""
        decoded = tuple(map(self._keep, decode(records, self._formats)))
        self._window.admit(decoded)
        batch = Batch(decoded, self._spans(records))
        with self._engine.begin() as connection:
            store.move_positions(connection, batch.spans, self._places)
            self.refresh(connection)
            before = store.watermarks(connection, tuple(batch.spans))
            known = store.known(connection, batch, before, watermark_after(batch, before))
            decision = decide(batch, known, self._policy)
            store.save(connection, decision, self._policy.ranker.version)
        for partition, span in batch.spans.items():
            self._places[partition] = Place(span.end, self._places[partition].epoch)
        return decision

    def _spans(self, records: Sequence[Record]) -> dict[Partition, Span]:
        spans: dict[Partition, Span] = {}
        for record in records:
            held = spans.get(record.partition)
            first = held.first if held else self._places[record.partition].next_offset
            spans[record.partition] = Span(first, record.offset + 1)
        return spans


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
                try:
                    _work(worker, source, limits, tally, sweeper, until_end, is_stopped, watch,
                          watchdog)  # fmt: skip
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


def _work(
    worker: Worker,
    source: Source,
    limits: Limits,
    tally: Tally,
    sweeper: Sweeper,
    until_end: bool,  # noqa: FBT001 - passed on from `run`, where it is named
    is_stopped: Callable[[], bool],
    watch: Watcher,
    watchdog: Watchdog | None,
) -> None:
    while not is_stopped():
        records = source.poll(limits.batch)
        sweeper.look(tally.records, is_idle=not records)
        if not records:
            if until_end and source.is_at_end():
                return
            if watchdog is not None:
                watchdog.heed()
            continue
        began = monotonic()
        decision = worker.process(records)
        if watchdog is not None:
            watchdog.moved()
        source.commit(worker.positions())
        tally.records += len(records)
        tally.outcomes.update(ended.outcome.value for ended in decision.ended)
        gaps = sum(decision.gaps.values())
        if gaps:
            tally.outcomes[Outcome.GAP.value] += gaps
        watch(decision, monotonic() - began, source.lag(), worker.rejected_share)
        if until_end and source.is_at_end():
            return
