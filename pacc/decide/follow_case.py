"""Follows one case through the changes of a batch: its priority, its tasks, its timeline."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dispatch.rules.case_log import CaseLog
from dispatch.rules.whose_car import goes_to_desks, introduced
from ingest.cluster.open_case import CaseChange, OpenCase
from models.case import Case, Ranking, Task, Vehicle
from models.decision import Entry, Event
from models.person import PIPELINE
from models.words import PRIORITY_RANK, CaseState, Outcome, Priority
from pacc.decide.follow_tasks import OpenTasks
from pacc.decide.policy import Policy
from prioritizer.ranking.rank import Ranked

_BY_RANK: Final[Mapping[int, Priority]] = {rank: word for word, rank in PRIORITY_RANK.items()}
_NOTED: Final = (Outcome.JOINED, Outcome.CLEARED)


class CaseResult(Struct, frozen=True):
    """What a batch did to one case."""

    vin: str
    case: Case
    tasks: tuple[Task, ...]
    reopened: tuple[str, ...]
    entries: tuple[Entry, ...]
    events: tuple[Event, ...]


def follow(
    before: Vehicle, open_case: OpenCase, ranked: Ranked, start: int, policy: Policy
) -> CaseResult:
    """Return what became of a case; its changes are rows `start` and on of `ranked`."""
    if open_case.is_new:
        ranking = _introduced(ranked.explain(start), before, policy, open_case.opened_at)
        case = _opened(before.vin, open_case, ranking)
        tasks = OpenTasks(before, (), (), policy)
    else:
        case, open_tasks, healed = _known(before, open_case)
        tasks = OpenTasks(before, open_tasks, healed, policy)
    log = CaseLog(case, policy.topics, PIPELINE)
    follower = _Follower(log, tasks, ranked, before, policy)
    for row, change in enumerate(open_case.changes, start):
        follower.step(change, row)
    follower.finish(open_case)
    log = follower.log
    return CaseResult(
        vin=before.vin,
        case=log.case,
        tasks=tasks.changed(log.case.ranking.score),
        reopened=tuple(tasks.reopened),
        entries=tuple(log.entries),
        events=tuple(log.events),
    )


def _known(before: Vehicle, open_case: OpenCase) -> tuple[Case, tuple[Task, ...], tuple[Task, ...]]:
    """Return a case as it was, with its open tasks and those that ended as it healed."""
    case, past = before.case, before.past
    if case is not None and case.case_id == open_case.case_id:
        return case, before.tasks, ()
    if past is not None and past.case.case_id == open_case.case_id:
        return past.case, (), past.tasks
    message = f"case {open_case.case_id} is neither new nor known"
    raise AssertionError(message)


def _introduced(ranking: Ranking, vehicle: Vehicle, policy: Policy, at: datetime) -> Ranking:
    return introduced(ranking, vehicle.info, vehicle.silences, policy.directory, at)


def _opened(vin: str, open_case: OpenCase, ranking: Ranking) -> Case:
    return Case(
        case_id=open_case.case_id,
        vin=vin,
        state=CaseState.OPEN,
        partition=open_case.partition,
        opened_at=open_case.opened_at,
        updated_at=open_case.opened_at,
        ranking=ranking,
        revision=0,
        root=open_case.root,
        previous_case=open_case.previous_case,
        is_repeat_repair=open_case.is_repeat_repair,
    )


class _Follower:
    """The case while its changes are gone through, in order."""

    def __init__(
        self, log: CaseLog, tasks: OpenTasks, ranked: Ranked, vehicle: Vehicle, policy: Policy
    ) -> None:
        self.log = log
        self._tasks = tasks
        self._ranked = ranked
        self._vehicle = vehicle
        self._policy = policy
        self._updated_at = log.case.updated_at
        self._unexplained: tuple[int, datetime] | None = None

    def step(self, change: CaseChange, row: int) -> None:
        """Apply one change: log it, then let the priority and the tasks follow."""
        at, cause = change.at, change.fingerprint
        if change.reopens is not None:
            self._reopen(change, change.reopens)
        if change.kind is Outcome.OPENED:
            self.log.change_case("opened", at, {"codes": list(change.codes)}, cause)
        elif change.standing.faults:
            self._rerank(change, row)
        self._updated_at = max(self._updated_at, at)
        if change.kind in _NOTED:
            self.log.note(change.kind, at, {"codes": list(change.codes)}, cause)
        if change.standing.faults:
            self._follow_tasks(change)

    def finish(self, open_case: OpenCase) -> None:
        """Take over where the case stands after its last change, and close it if it healed."""
        self._explain()
        self.log.case = replace(
            self.log.case,
            updated_at=self._updated_at,
            partition=open_case.partition,
            root=open_case.root,
            heal_at=open_case.heal_at,
            defaulted=tuple(sorted(open_case.defaulted)),
            place=open_case.place,
            build=open_case.build,
        )
        if open_case.closed_at is not None:
            self._heal(open_case.closed_at)

    def _heal(self, at: datetime) -> None:
        updated_at = max(at, self._updated_at)
        self.log.case = replace(
            self.log.case, state=CaseState.HEALED, closed_at=at, updated_at=updated_at
        )
        for ended in self._tasks.heal(self.log.case, at):
            self.log.change_task(ended, at)
        self.log.change_case("healed", at, {}, f"healed {at.isoformat()}")

    def _reopen(self, change: CaseChange, ended_at: datetime) -> None:
        """Open the case again that had ended; where it healed in this batch, end it first."""
        if self.log.case.state is CaseState.OPEN:
            self._explain()
            self._heal(ended_at)
        self.log.case = replace(self.log.case, state=CaseState.OPEN, closed_at=None)
        detail = {"codes": list(change.codes), "ended_at": ended_at.isoformat()}
        self.log.change_case("reopened", change.at, detail, change.fingerprint)

    def _rerank(self, change: CaseChange, row: int) -> None:
        """Raise at once; fall only when the cause is cleared and no person has the case."""
        ranking = self.log.case.ranking
        rank, rank_before = int(self._ranked.priority[row]), PRIORITY_RANK[ranking.priority]
        if rank == rank_before:
            self._keep_priority(row, change.at)
            return
        is_rise = rank > rank_before
        is_cause_gone = ranking.root not in change.active
        if not is_rise and (not is_cause_gone or self._tasks.is_in_hand):
            return
        self._unexplained = row, change.at
        self._explain()
        self.log.change_case(
            "raised" if is_rise else "lowered",
            change.at,
            {
                "from": ranking.priority.value,
                "to": _BY_RANK[rank].value,
                "rules": list(self.log.case.ranking.rules),
            },
            change.fingerprint,
        )

    def _keep_priority(self, row: int, at: datetime) -> None:
        """Keep at once what later changes decide by; leave the reasons until somebody asks."""
        self._unexplained = row, at
        ranking = self.log.case.ranking
        root = self._ranked.root(row)
        needs_task = bool(self._ranked.needs_task[row]) and goes_to_desks(self._vehicle.info)
        if (ranking.root, ranking.needs_task) != (root, needs_task):
            ranking = replace(ranking, root=root, needs_task=needs_task)
            self.log.case = replace(self.log.case, ranking=ranking)

    def _explain(self) -> None:
        if self._unexplained is None:
            return
        row, at = self._unexplained
        self._unexplained = None
        ranking = _introduced(self._ranked.explain(row), self._vehicle, self._policy, at)
        self.log.case = replace(self.log.case, ranking=ranking)

    def _follow_tasks(self, change: CaseChange) -> None:
        if not self._tasks.is_settled(self.log.case.ranking):
            self._explain()
        for task_change in self._tasks.follow(self.log.case, change):
            self.log.change_task(task_change, change.at, change.fingerprint)
