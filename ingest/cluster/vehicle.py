"""Groups alerts into one case per vehicle: what each alert does to the faults of its vehicle."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.cluster import fault as faults
from ingest.cluster.believed import believed
from ingest.cluster.ended_case import EndedCase, FlapWindow, Meaning
from ingest.cluster.fold import CauseGraph
from ingest.cluster.history import History
from ingest.cluster.open_case import CaseChange, OpenCase, resumed
from ingest.cluster.standing import standing_of
from models.batch import Partition, Report, Snapshot
from models.case import Closed, Fault, Vehicle
from models.ids import model_year
from models.make import make_of
from models.words import CaseState, Outcome, Status


@dataclass(frozen=True, slots=True)
class Grouping:
    """How alerts become cases. Times are stream time, never the wall clock."""

    graph: CauseGraph
    heal_after: timedelta
    repeat_within: timedelta
    flap_window: FlapWindow


class VehicleState:
    """One vehicle while a batch is clustered: its open case and what outlives a case."""

    def __init__(self, before: Vehicle, grouping: Grouping) -> None:
        self.before = before
        self.waiting = dict(before.waiting)
        self.cleared = dict(before.cleared)
        self._history = History(before.history)
        self._model_year = model_year(before.vin)
        self._make = make_of(before.vin)
        self.cases: list[OpenCase] = []
        self._grouping = grouping
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

    def report(self, report: Report, partition: Partition) -> Outcome:
        """Apply one alert that was not delivered before."""
        past = self._ended.case.faults.values() if self._ended else ()
        report = believed(report, self._open, self.waiting.values(), past)
        alert = report.alert
        cleared_at = self.cleared.get(alert.code)
        if alert.status is Status.CLEARED:
            return self._clear(report, partition)
        if cleared_at is not None and report.observed_at < cleared_at:
            return Outcome.LATE
        if self._open is None:
            return self._wait_or_open(report, partition)
        return self._join(self._open, report, partition)

    def snapshot(self, snapshot: Snapshot, partition: Partition) -> Outcome:
        """Clear the faults of the snapshot's scheme and source that it no longer lists."""
        present = self._faults()
        gone = [code for code in (*present, *self.waiting) if self._is_gone(code, snapshot)]
        for code in gone:
            self._note_clear(code, snapshot.observed_at)
            self.waiting.pop(code, None)
        gone = sorted(code for code in gone if code in present)
        if not gone:
            return Outcome.QUIET
        if self._open is None:
            for code in gone:
                self._touch_ended().clear(code, snapshot.observed_at, "snapshot")
            return Outcome.CLEARED
        for code in gone:
            self._open.put(faults.cleared(present[code], snapshot.observed_at, "snapshot"))
        at = snapshot.received_at
        self._change(self._open, Outcome.CLEARED, snapshot.fingerprint, partition, at, tuple(gone))
        return Outcome.CLEARED

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
            self._touch_ended().count(report)
            return Outcome.REPEATED
        waiting = self.waiting.get(code)
        fault = faults.seen_again(waiting, report) if waiting else faults.first_seen(report)
        if fault.status is Status.PENDING:
            self.waiting[code] = fault
            return Outcome.HELD
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
        elif before.status is Status.CLEARED:
            after = faults.back_again(before, faults.first_seen(report))
            outcome = Outcome.JOINED
        else:
            after = faults.seen_again(before, report)
            outcome = Outcome.REPEATED if after.status is before.status else Outcome.JOINED
        open_case.put(after)
        return self._noted(open_case, report, partition, outcome)

    def _clear(self, report: Report, partition: Partition) -> Outcome:
        code, at = report.alert.code, report.observed_at
        self._note_clear(code, at)
        waiting = self.waiting.get(code)
        if waiting and at >= waiting.last_seen:
            del self.waiting[code]
            return Outcome.CLEARED
        fault = self._faults().get(code)
        if fault is None:
            return Outcome.LATE if waiting else Outcome.QUIET
        if fault.status is Status.CLEARED:
            return Outcome.QUIET
        if at < fault.last_seen:
            return Outcome.LATE
        if self._open is None:
            self._touch_ended().clear(code, at, "vehicle")
            return Outcome.CLEARED
        self._open.put(faults.cleared(fault, at, "vehicle"))
        return self._noted(self._open, report, partition, Outcome.CLEARED)

    def _note_clear(self, code: str, at: datetime) -> None:
        self.cleared[code] = max(at, self.cleared.get(code, at))

    def _is_gone(self, code: str, snapshot: Snapshot) -> bool:
        fault = self._faults().get(code) or self.waiting.get(code)
        return (
            fault is not None
            and fault.status is not Status.CLEARED
            and fault.source == snapshot.source
            and code.partition(":")[0] == snapshot.scheme
            and code not in snapshot.codes
            and fault.last_seen <= snapshot.observed_at
        )

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
