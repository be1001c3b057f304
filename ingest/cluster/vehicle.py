"""Groups alerts into one case per vehicle: what each alert does to the faults of its vehicle."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ingest.cluster import fault as faults
from ingest.cluster.believed import believed
from ingest.cluster.clearing import (
    DEFAULT_ALIASES,
    Clearing,
    Denial,
    asked_by,
    denial_of,
    is_denied,
)
from ingest.cluster.ended_case import EndedCase, FlapWindow, Meaning
from ingest.cluster.fold import CauseGraph
from ingest.cluster.history import History
from ingest.cluster.open_case import CaseChange, OpenCase, resumed
from ingest.cluster.standing import standing_of
from models.batch import Partition, Report, Snapshot
from models.case import Closed, Fault, Vehicle
from models.ids import model_year
from models.make import make_of
from models.words import OUTCOME_ORDER, CaseState, Outcome, Status


@dataclass(frozen=True, slots=True)
class Grouping:
    """How alerts become cases. Times are stream time, never the wall clock.

    `aliases` are the sources that count as another: name → the name by which it is compared.
    """

    graph: CauseGraph
    heal_after: timedelta
    repeat_within: timedelta
    flap_window: FlapWindow
    aliases: Mapping[str, str] = field(default_factory=lambda: DEFAULT_ALIASES)


class VehicleState:
    """One vehicle while a batch is clustered: its open case and what outlives a case."""

    def __init__(self, before: Vehicle, grouping: Grouping) -> None:
        self.before = before
        self.waiting = dict(before.waiting)
        self._history = History(before.history)
        self._model_year = model_year(before.vin)
        self._make = make_of(before.vin)
        self.cases: list[OpenCase] = []
        self._grouping = grouping
        self._clearing = Clearing(before.cleared, grouping.aliases)
        self._is_in_hand = any(task.is_under_way for task in before.tasks)
        self._open = self._resume()
        self._ended = self._recall()

    def heal(self, watermark: Mapping[Partition, datetime], own: datetime | None = None) -> None:
        """Close the open case if it is due and no person has it.

        It is due by the vehicle's `own` time, that of what it reports next, or when stream time has
        passed its `heal_at`: what was buffered and comes at once is grouped as if it came live.
        """
        open_case = self._open
        if open_case is None or open_case.heal_at is None or self._is_in_hand:
            return
        healed_at = open_case.heals_at(self._grouping.heal_after)
        if healed_at is None:
            return
        reached = watermark.get(open_case.partition)
        is_due = reached is not None and reached >= open_case.heal_at
        if is_due or (own is not None and own >= healed_at):
            self._end(open_case, max(healed_at, open_case.opened_at), CaseState.HEALED)

    def close(self, at: datetime, repaired_at: datetime | None) -> None:
        """Close the open case because a person ended it: for going through the past again."""
        if self._open is not None:
            self._end(self._open, at, CaseState.CLOSED, repaired_at)

    @property
    def history(self) -> tuple[Closed, ...]:
        """The cases that have ended, the newest last."""
        return self._history.closed

    @property
    def open_case(self) -> str | None:
        """The case that is open now."""
        return self._open.case_id if self._open else None

    def _end(
        self,
        open_case: OpenCase,
        at: datetime,
        state: CaseState,
        repaired_at: datetime | None = None,
    ) -> None:
        open_case.closed_at = at
        closed = Closed(open_case.case_id, open_case.opened_at, at, open_case.root, repaired_at)
        self._history = self._history.with_ended(closed)
        self._open, self._ended = None, EndedCase(open_case, closed, state)

    @property
    def cleared(self) -> Mapping[str, datetime]:
        """When each code was last cleared, as `Vehicle.cleared`."""
        return self._clearing.cleared

    def report(self, report: Report, partition: Partition) -> Outcome:
        """Apply one alert that was not delivered before."""
        past = self._ended.case.faults.values() if self._ended else ()
        timely = self._clearing.timely(believed(report, self._open, self.waiting.values(), past))
        if timely is None:
            return Outcome.LATE
        denial = denial_of(timely)
        if denial is not None:
            return self._clear(timely, denial, partition)
        for fault in (self.waiting.get(timely.alert.code), self._faults().get(timely.alert.code)):
            if fault is not None and timely.lists:
                self._clearing.note_lists(fault, timely)
        if self._open is None:
            return self._wait_or_open(timely, partition)
        return self._join(self._open, timely, partition)

    def snapshot(self, snapshot: Snapshot, partition: Partition) -> Outcome:
        """End what the snapshot asked for and did not find; another origin may still say it."""
        denial = asked_by(snapshot)
        denied = [code for code in {**self._faults(), **self.waiting} if is_denied(code, snapshot)]
        gone = [code for code in denied if self._deny(code, denial) is Outcome.CLEARED]
        if self._open is not None and gone:
            codes, at = tuple(sorted(gone)), snapshot.received_at
            self._change(self._open, Outcome.CLEARED, snapshot.fingerprint, partition, at, codes)
        return Outcome.CLEARED if gone else Outcome.QUIET

    def _resume(self) -> OpenCase | None:
        case = self.before.case
        if case is None:
            return None
        open_case = resumed(case, self.before.faults)
        self.cases.append(open_case)
        return open_case

    def _recall(self) -> EndedCase | None:
        closed, past = self._history.last, self.before.past
        if past is None or closed is None or closed.case_id != past.case.case_id:
            return None
        return EndedCase(resumed(past.case, past.faults), closed, past.case.state)

    def _faults(self) -> Mapping[str, Fault]:
        """Return the faults of the open case, else of the one that ended last."""
        if self._open is not None:
            return self._open.faults
        return self._ended.case.faults if self._ended else {}

    def _touch_ended(self) -> EndedCase:
        """Return the ended case, which is to change."""
        assert self._ended is not None
        if all(case is not self._ended.case for case in self.cases):
            self.cases.append(self._ended.case)
        return self._ended

    def _wait_or_open(self, report: Report, partition: Partition) -> Outcome:
        code = report.alert.code
        meaning = self._meaning_of(report)
        if meaning is Meaning.OUTDATED:
            return Outcome.LATE
        if meaning is Meaning.STAYS:
            return self._touch_ended().count(report)
        waiting = self.waiting.get(code)
        fault = faults.seen_again(waiting, report) if waiting else faults.first_seen(report)
        self._wait(fault)
        if not fault.is_active:
            return Outcome.HELD if fault.status is Status.PENDING else Outcome.QUIET
        is_return = meaning is Meaning.RETURNS
        open_case = self._reopen() if is_return else self._new_case(report, partition)
        for waiting in self.waiting.values():
            open_case.put(waiting)
        self.waiting = {}
        open_case.put(faults.back_again(open_case.faults[code], fault) if is_return else fault)
        what = Outcome.JOINED if is_return else Outcome.OPENED
        return self._noted(open_case, report, partition, what)

    def _meaning_of(self, report: Report) -> Meaning:
        ended, window = self._ended, self._grouping.flap_window
        return ended.meaning_of(report, window, self._make) if ended else Meaning.ANOTHER

    def _reopen(self) -> OpenCase:
        """Open the case again that ended last: as if it had not ended."""
        ended = self._touch_ended()
        self._open, self._ended = ended.case, None
        self._open.reopens, self._open.closed_at = ended.closed.closed_at, None
        self._history = self._history.without(ended.closed)
        return self._open

    def _new_case(self, report: Report, partition: Partition) -> OpenCase:
        within = self._grouping.repeat_within
        open_case = OpenCase(
            case_id=self._history.new_id(report.fingerprint),
            is_new=True,
            opened_at=report.received_at,
            partition=partition,
            root=report.alert.code,
            previous_case=self._history.previous_of(report, within),
            is_repeat_repair=self._history.is_repeat_repair(report, within),
            faults={},
        )
        self.cases.append(open_case)
        self._open = open_case
        return open_case

    def _join(self, open_case: OpenCase, report: Report, partition: Partition) -> Outcome:
        before = open_case.faults.get(report.alert.code)
        if before is None:
            after, outcome = faults.first_seen(report), Outcome.JOINED
        else:
            after = faults.reported(before, report)
            outcome = faults.outcome_of(before, after)
        open_case.put(after)
        return self._noted(open_case, report, partition, outcome)

    def _clear(self, report: Report, denial: Denial, partition: Partition) -> Outcome:
        code = report.alert.code
        self._clearing.note_clear(code, denial)
        outcome = self._deny(code, denial)
        if outcome is Outcome.CLEARED and self._open is not None:  # then no fault waits
            return self._noted(self._open, report, partition, outcome)
        return outcome

    def _deny(self, code: str, denial: Denial) -> Outcome:
        """End what a denial covers of a code: `cleared` if that changes how the fault stands."""
        outcomes = [Outcome.QUIET]
        waiting, known = self.waiting.get(code), self._faults().get(code)
        if waiting is not None:
            after = self._clearing.denied(waiting, denial)
            outcomes.append(self._effect(waiting, after, denial))
            self._wait(after)
        if known is not None:
            after = self._clearing.denied(known, denial)
            outcomes.append(self._effect(known, after, denial))
            if after is not known:
                (self._open or self._touch_ended().case).put(after)
        return min(outcomes, key=OUTCOME_ORDER.index)

    def _effect(self, before: Fault, after: Fault, denial: Denial) -> Outcome:
        if after.status is not before.status:
            return Outcome.CLEARED
        is_old = after is before and self._clearing.concerns(before, denial)
        return Outcome.LATE if is_old else Outcome.QUIET

    def _wait(self, fault: Fault) -> None:
        """Keep a fault without a case for as long as it is pending."""
        if fault.status is Status.PENDING:
            self.waiting[fault.code] = fault
        else:
            self.waiting.pop(fault.code, None)

    def _noted(
        self, open_case: OpenCase, report: Report, partition: Partition, outcome: Outcome
    ) -> Outcome:
        alert = report.alert
        open_case.defaulted.update(report.defaulted)
        open_case.locate(report)
        open_case.name_build(self.before.info.model, report)
        self._change(
            open_case, outcome, report.fingerprint, partition, report.received_at, (alert.code,)
        )
        return outcome

    def _change(
        self,
        open_case: OpenCase,
        kind: Outcome,
        fingerprint: str,
        partition: Partition,
        at: datetime,
        codes: tuple[str, ...],
    ) -> None:
        if kind is not Outcome.REPEATED or len(open_case.faults) > 1:
            open_case.refold(self._grouping.graph, self._make)
        open_case.name_root()
        open_case.partition = partition
        came_at = at if kind is Outcome.CLEARED else None
        open_case.plan_heal(self._grouping.heal_after, came_at)
        past, make = self._history.past, self._make
        standing = standing_of(open_case, at, self.before.info, self._model_year, make, past)
        on = frozenset([one.code for one in open_case.faults.values() if one.is_active])
        open_case.changes.append(
            CaseChange(
                kind,
                fingerprint,
                partition,
                at,
                codes,
                on,
                standing,
                open_case.place,
                open_case.build,
                open_case.reopens,
            )
        )
        open_case.reopens = None
