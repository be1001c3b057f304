"""Follows one case through the moments of a batch: its priority, its tasks, its timeline."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from dispatch.rules.events import case_event, task_event
from ingest.cluster.open_case import CaseChange, OpenCase
from models.case import Case, Entry, Event, Task, Vehicle
from models.ids import digest
from models.words import PRIORITY_RANK, CaseState, Disposition, Outcome, Priority
from pacc.decide.follow_tasks import Work
from pacc.decide.policy import Policy
from prioritizer.ranking.rank import Ranked

_BY_RANK: Mapping[int, Priority] = {rank: word for word, rank in PRIORITY_RANK.items()}
_TOLD = (Outcome.OPENED, Outcome.JOINED, Outcome.CLEARED)


class CaseResult(Struct, frozen=True):
    """What a batch did to one case."""

    vin: str
    case: Case
    tasks: tuple[Task, ...]
    entries: tuple[Entry, ...]
    events: tuple[Event, ...]


def follow(
    before: Vehicle, chapter: OpenCase, ranked: Ranked, start: int, policy: Policy
) -> CaseResult:
    """Tell what became of a chapter; its moments are rows `start` and on of `ranked`."""
    follower = _Follower(before, chapter, ranked, policy)
    for offset, moment in enumerate(chapter.moments):
        follower.step(moment, start + offset)
    return follower.finish()


class _Follower:
    """The case while its moments are gone through, in order."""

    def __init__(self, before: Vehicle, chapter: OpenCase, ranked: Ranked, policy: Policy) -> None:
        self._before = before
        self._chapter = chapter
        self._ranked = ranked
        self._policy = policy
        self._case = None if chapter.is_new else before.case
        self._work = Work(before, () if chapter.is_new else before.tasks, policy)
        self._updated_at = (
            before.case.updated_at if self._case and before.case else (chapter.opened_at)
        )
        self._explained: int | None = None
        self._entries: list[Entry] = []
        self._events: list[Event] = []

    def step(self, moment: CaseChange, row: int) -> None:
        """Apply one moment: tell it, then let the priority and the tasks follow."""
        if self._case is None:
            self._case = self._open(moment, row)
            self._event("pacc.case.opened.v1", moment.at)
        elif moment.standing.faults:
            self._rerank(moment, row)
        self._updated_at = max(self._updated_at, moment.at)
        if moment.kind in _TOLD:
            self._tell(moment.fingerprint, moment.at, moment.kind, {"codes": list(moment.codes)})
        if moment.standing.faults:
            self._assign(moment)
            self._let_go(moment)

    def finish(self) -> CaseResult:
        """Close the case if it healed, and give all that happened."""
        self._explain()
        case = self._case
        if case is None:
            message = f"chapter {self._chapter.case_id} has neither a case nor a moment"
            raise AssertionError(message)
        chapter = self._chapter
        self._case = case = replace(
            case,
            updated_at=self._updated_at,
            partition=chapter.partition,
            root=chapter.root,
            heal_at=chapter.heal_at,
            defaulted=tuple(sorted(chapter.defaulted)),
            place=chapter.place,
            build=chapter.build,
        )
        if chapter.closed_at is not None:
            self._heal(chapter.closed_at)
        return CaseResult(
            vin=self._before.vin,
            case=self._case,
            tasks=self._work.changed(self._case.ranking.score),
            entries=tuple(self._entries),
            events=tuple(self._events),
        )

    def _open(self, moment: CaseChange, row: int) -> Case:
        chapter = self._chapter
        ranking = self._ranked.explain(row)
        return Case(
            case_id=chapter.case_id,
            vin=self._before.vin,
            state=CaseState.OPEN,
            partition=moment.partition,
            opened_at=chapter.opened_at,
            updated_at=chapter.opened_at,
            ranking=ranking,
            revision=0,
            root=chapter.root,
            previous_case=chapter.previous_case,
            is_repeat_repair=chapter.is_repeat_repair,
        )

    def _rerank(self, moment: CaseChange, row: int) -> None:
        """Raise at once; fall only when the cause is cleared and no person has the case."""
        case = self._current()
        now = int(self._ranked.priority[row])
        held = PRIORITY_RANK[case.ranking.priority]
        is_rise = now > held
        is_cause_gone = case.ranking.root not in moment.active
        is_fall = now < held and is_cause_gone and not self._work.is_in_hand
        if now == held:
            self._note(row)
            return
        if not (is_rise or is_fall):
            return
        self._explained = row
        self._explain()
        kind = "raised" if is_rise else "lowered"
        ranking = self._current().ranking
        self._tell(
            moment.fingerprint,
            moment.at,
            kind,
            {
                "from": case.ranking.priority.value,
                "to": _BY_RANK[now].value,
                "rules": list(ranking.rules),
            },
        )
        self._event(f"pacc.case.{kind}.v1", moment.at)

    def _note(self, row: int) -> None:
        """Keep at once what later moments decide by; leave the reasons until somebody asks."""
        self._explained = row
        held = self._current().ranking
        root, needs_task = self._ranked.root(row), bool(self._ranked.needs_task[row])
        if (held.root, held.needs_task) != (root, needs_task):
            ranking = replace(held, root=root, needs_task=needs_task)
            self._case = replace(self._current(), ranking=ranking)

    def _explain(self) -> None:
        if self._explained is None:
            return
        ranking = self._ranked.explain(self._explained)
        self._explained = None
        self._case = replace(self._current(), ranking=ranking)

    def _assign(self, moment: CaseChange) -> None:
        ranking = self._current().ranking
        if ranking.needs_task and self._work.is_settled(ranking.priority):
            return
        self._explain()
        case = self._current()
        if not ranking.needs_task:
            if not self._work.is_in_hand:
                score = case.ranking.score
                for task in self._work.end(moment.at, Disposition.SUPERSEDED, score):
                    self._task_event(task, "closed", moment.at)
            return
        number = case.tasks_made
        for task, what in self._work.assign(case, moment):
            self._task_event(task, what, moment.at)
            self._tell(
                moment.fingerprint,
                moment.at,
                f"task_{what}",
                {
                    "queue": task.queue.value,
                    "desk": task.desk,
                    "why_zh": task.route_reason.zh,
                    "why_en": task.route_reason.en,
                },
                task.task_id,
            )
            number += what == "opened"
        self._case = replace(self._current(), tasks_made=number)

    def _let_go(self, moment: CaseChange) -> None:
        for task, what in self._work.let_go(moment):
            self._task_event(task, what, moment.at)
            self._tell(moment.fingerprint, moment.at, f"task_{what}", {}, task.task_id)

    def _heal(self, at: datetime) -> None:
        case = self._current()
        self._case = replace(
            case, state=CaseState.HEALED, closed_at=at, updated_at=max(at, case.updated_at)
        )
        for task in self._work.end(at, Disposition.HEALED, case.ranking.score):
            self._task_event(task, "closed", at)
        self._tell("healed", at, "healed", {})
        self._event("pacc.case.healed.v1", at)

    def _tell(
        self,
        cause: str,
        at: datetime,
        kind: str,
        detail: Mapping[str, Any],
        task_id: str | None = None,
    ) -> None:
        case_id = self._chapter.case_id
        entry_id = digest("entry", case_id, cause, kind, task_id or "")
        self._entries.append(Entry(entry_id, case_id, at, "pacc", kind, detail, task_id))

    def _event(self, kind: str, at: datetime) -> None:
        self._events.append(case_event(self._policy.topics, kind, self._bump(), at))

    def _task_event(self, task: Task, what: str, at: datetime) -> None:
        self._events.append(task_event(self._policy.topics, what, task, self._bump(), at))

    def _bump(self) -> Case:
        case = self._current()
        self._case = case = replace(case, revision=case.revision + 1)
        return case

    def _current(self) -> Case:
        if self._case is None:
            message = f"case {self._chapter.case_id} is not open yet"
            raise AssertionError(message)
        return self._case
