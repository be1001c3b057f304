"""Groups alerts into one case per vehicle: what each alert does to the faults of its vehicle."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ingest.cluster import fault as faults
from ingest.cluster.fold import CauseGraph
from ingest.cluster.open_case import CaseChange, OpenCase
from models.batch import Partition, Report, Snapshot
from models.case import REMEMBERED, WITHDRAWN, Closed, Place, Standing, Vehicle
from models.ids import digest, model_year
from models.make import make_of
from models.words import Outcome, Status

_LOTS: Final = 16**8


@dataclass(frozen=True, slots=True)
class Grouping:
    """How alerts become cases. Times are stream time, never the wall clock."""

    graph: CauseGraph
    heal_after: timedelta
    repeat_within: timedelta


class VehicleState:
    """One vehicle while a batch is clustered: its open case and what outlives a case."""

    def __init__(self, before: Vehicle, grouping: Grouping) -> None:
        self.before = before
        self.waiting = dict(before.waiting)
        self.cleared = dict(before.cleared)
        self.history = before.history
        self._past = _without_withdrawn(self.history)
        self._model_year = model_year(before.vin)
        self._make = make_of(before.vin)
        self.cases: list[OpenCase] = []
        self._grouping = grouping
        self._is_in_hand = any(task.is_under_way for task in before.tasks)
        self._open = self._resume()

    def heal(self, watermark: Mapping[Partition, datetime]) -> None:
        """Close the open case if stream time has passed its `heal_at` and no person has it."""
        open_case = self._open
        if open_case is None or open_case.heal_at is None or self._is_in_hand:
            return
        reached = watermark.get(open_case.partition)
        if reached is None or reached < open_case.heal_at:
            return
        open_case.closed_at = open_case.heal_at
        self._remember(open_case, open_case.closed_at)

    def close(self, at: datetime) -> None:
        """Close the open case because a person ended it: for going through the past again."""
        if self._open is not None:
            self._open.closed_at = at
            self._remember(self._open, at)

    @property
    def open_case(self) -> str | None:
        """The case that is open now."""
        return self._open.case_id if self._open else None

    def _remember(self, open_case: OpenCase, at: datetime) -> None:
        ended = Closed(open_case.case_id, open_case.opened_at, at, open_case.root)
        self.history = (*self.history, ended)[-REMEMBERED:]
        self._past = _without_withdrawn(self.history)
        self._open = None

    def report(self, report: Report, partition: Partition) -> Outcome:
        """Apply one alert that was not delivered before."""
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
        present = self._open.faults if self._open else {}
        gone = [code for code in (*present, *self.waiting) if self._is_gone(code, snapshot)]
        for code in gone:
            self._note_clear(code, snapshot.observed_at)
            self.waiting.pop(code, None)
        gone = sorted(code for code in gone if code in present)
        if not gone or self._open is None:
            return Outcome.QUIET
        for code in gone:
            self._open.put(faults.cleared(present[code], snapshot.observed_at, "snapshot"))
        at = snapshot.received_at
        self._change(self._open, Outcome.CLEARED, snapshot.fingerprint, partition, at, tuple(gone))
        return Outcome.CLEARED

    def _resume(self) -> OpenCase | None:
        case = self.before.case
        if case is None:
            return None
        open_case = OpenCase(
            case_id=case.case_id,
            is_new=False,
            opened_at=case.opened_at,
            partition=case.partition,
            root=case.root,
            previous_case=case.previous_case,
            is_repeat_repair=case.is_repeat_repair,
            faults=dict(self.before.faults),
            defaulted=set(case.defaulted),
            place=case.place,
            build=case.build,
            heal_at=case.heal_at,
        )
        self.cases.append(open_case)
        return open_case

    def _wait_or_open(self, report: Report, partition: Partition) -> Outcome:
        code = report.alert.code
        waiting = self.waiting.get(code)
        fault = faults.seen_again(waiting, report) if waiting else faults.first_seen(report)
        if fault.status is Status.PENDING:
            self.waiting[code] = fault
            return Outcome.HELD
        open_case = self._new_case(report, partition)
        for waiting in self.waiting.values():
            open_case.put(waiting)
        self.waiting = {}
        open_case.put(fault)
        return self._noted(open_case, report, partition, Outcome.OPENED)

    def _new_case(self, report: Report, partition: Partition) -> OpenCase:
        code = report.alert.code
        last = self._past[-1] if self._past else None
        is_recent = (
            last is not None
            and last.root == code
            and report.received_at - last.closed_at <= self._grouping.repeat_within
        )
        open_case = OpenCase(
            case_id=self._new_id(report.fingerprint),
            is_new=True,
            opened_at=report.received_at,
            partition=partition,
            root=code,
            previous_case=last.case_id if last and is_recent else None,
            is_repeat_repair=is_recent,
            faults={},
        )
        self.cases.append(open_case)
        self._open = open_case
        return open_case

    def _new_id(self, fingerprint: str) -> str:
        """Compute the case's id; an alert that comes again after it was withdrawn opens another."""
        case_id = digest("case", fingerprint)
        while any(one.case_id == case_id for one in self.history):
            case_id = digest("case", case_id)
        return case_id

    def _join(self, open_case: OpenCase, report: Report, partition: Partition) -> Outcome:
        before = open_case.faults.get(report.alert.code)
        if before is None:
            after, outcome = faults.first_seen(report), Outcome.JOINED
        elif before.status is Status.CLEARED:
            after, outcome = faults.back_again(before, report), Outcome.JOINED
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
        fault = self._open.faults.get(code) if self._open else None
        if self._open is None or fault is None:
            return Outcome.LATE if waiting else Outcome.QUIET
        if fault.status is Status.CLEARED:
            return Outcome.QUIET
        if at < fault.last_seen:
            return Outcome.LATE
        self._open.put(faults.cleared(fault, at, "vehicle"))
        return self._noted(self._open, report, partition, Outcome.CLEARED)

    def _note_clear(self, code: str, at: datetime) -> None:
        self.cleared[code] = max(at, self.cleared.get(code, at))

    def _is_gone(self, code: str, snapshot: Snapshot) -> bool:
        fault = (self._open.faults.get(code) if self._open else None) or self.waiting.get(code)
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
        where = alert.position
        if where is not None and (
            open_case.place is None or report.observed_at >= open_case.place.at
        ):
            open_case.place = Place(
                where.lat, where.lon, report.observed_at, where.accuracy_m, where.road
            )
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
        known_faults = open_case.faults.values()
        active = [one for one in known_faults if one.is_active]
        shown = tuple([one for one in active if one.folded_under is None])
        open_case.name_root()
        open_case.partition = partition
        open_case.heal_at = None if active else open_case.heals_at(self._grouping.heal_after)
        standing = Standing(
            at=at,
            faults=shown,
            info=self.before.info,
            readings=open_case.readings(),
            is_repeat_repair=open_case.is_repeat_repair,
            folded=len(active) - len(shown),
            cleared=len([one for one in known_faults if one.status is Status.CLEARED]),
            root=open_case.root,
            model_year=self._model_year,
            history=self._past,
            lot=int(open_case.case_id[:8], 16) / _LOTS,
            make=self._make,
            folded_faults=tuple([one for one in active if one.folded_under is not None]),
        )
        on = frozenset([one.code for one in active])
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
            )
        )


def _without_withdrawn(history: tuple[Closed, ...]) -> tuple[Closed, ...]:
    return tuple([one for one in history if one.root != WITHDRAWN])
