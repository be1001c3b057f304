"""The tasks of one case while a batch is decided: opened, raised in place, superseded, ended."""

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from dispatch.rules.deadlines import Deadlines, deadlines
from dispatch.rules.fleet_issue import issue_of, may_hold
from dispatch.rules.lifecycle import new_task
from dispatch.rules.routing import Routed, needs_of, route
from dispatch.rules.silence import held_because
from ingest.cluster.open_case import CaseChange
from models.canary import CANARY_DESK, CANARY_VIN
from models.case import Case, Place, Task, Text, Vehicle
from models.words import PRIORITY_RANK, Disposition, Priority, Queue, TaskState
from pacc.decide.policy import Policy

_CANARY = Text("金丝雀:检验通路,无人处理", "The canary: it tests the way, nobody works on it")


class Work:
    """The open tasks of one case. Nothing that a person holds is taken away."""

    def __init__(self, vehicle: Vehicle, tasks: tuple[Task, ...], policy: Policy) -> None:
        self._vehicle = vehicle
        self._policy = policy
        self._before = {task.queue: task for task in tasks}
        self._open = dict(self._before)
        self._ended: list[Task] = []

    @property
    def is_in_hand(self) -> bool:
        """Whether a person holds any of the tasks."""
        return any(task.is_under_way for task in self._open.values())

    def changed(self, score: float) -> tuple[Task, ...]:
        """Give the tasks that were ended here, and the open ones that are not as they were.

        An open task has the score that its case has now.
        """
        still = [self._scored(self._open[queue], score) for queue in sorted(self._open)]
        return (*self._ended, *(one for one in still if one is not self._before.get(one.queue)))

    @staticmethod
    def _scored(task: Task, score: float) -> Task:
        return task if task.score == score else replace(task, score=score)

    def is_settled(self, priority: Priority) -> bool:
        """Whether somebody has a task of this priority already."""
        return any(task.priority is priority for task in self._open.values())

    def assign(self, case: Case, moment: CaseChange) -> Iterator[tuple[Task, str]]:
        """Bring the tasks in line with the case's priority; yield what changed and how."""
        priority, place, at = case.ranking.priority, moment.place, moment.at
        if self.is_settled(priority):
            return
        routed = self._routed(priority, place, at)
        for queue in sorted(self._open):
            task = self._open[queue]
            if queue is not routed.queue and not task.is_under_way:
                del self._open[queue]
                ended = _ended(task, at, Disposition.SUPERSEDED, case.ranking.score)
                self._ended.append(ended)
                yield ended, "closed"
        held = self._open.get(routed.queue)
        if held is None:
            task, what = self._new(case, routed, moment), "opened"
        else:
            task, what = self._moved(held, priority, moment)
        self._open[task.queue] = task
        yield task, what

    def _routed(self, priority: Priority, place: Place | None, at: datetime) -> Routed:
        if self._vehicle.vin == CANARY_VIN:
            return Routed(Queue.ROADSIDE, CANARY_DESK, _CANARY)
        info = self._vehicle.info
        point = place.point if place else None
        directory, needs = self._policy.directory, needs_of(info.powertrain)
        return route(priority, info, point, directory, needs=needs, at=at)

    def end(self, at: datetime, disposition: Disposition, score: float) -> Iterator[Task]:
        """End every open task; it keeps the score that its case has now."""
        for queue in sorted(self._open):
            ended = _ended(self._open.pop(queue), at, disposition, score)
            self._ended.append(ended)
            yield ended

    def let_go(self, moment: CaseChange) -> Iterator[tuple[Task, str]]:
        """Let the tasks go whose case has become more than the fleet-wide matter that holds it."""
        for queue, task in sorted(self._open.items()):
            if task.issue_id is None or self._is_still_held(task, task.priority, moment):
                continue
            held = held_because(self._vehicle.silences, task.priority, moment.at)
            due = self._deadlines(task, task.priority, moment.at)
            free = replace(
                task,
                held_because=held,
                issue_id=None,
                claim_by=due.claim_by,
                contact_by=due.contact_by,
            )
            if held is None:
                free = replace(free, alarms=task.alarms + 1)
            self._open[queue] = free
            yield free, "unheld" if held is None else "held"

    def _new(self, case: Case, routed: Routed, moment: CaseChange) -> Task:
        priority, at = case.ranking.priority, moment.at
        held = held_because(self._vehicle.silences, priority, at)
        directory = self._policy.directory
        task = new_task(case.case_id, case.tasks_made, priority, routed, directory, at, held)
        if held is not None or not self._policy.matters or not may_hold(priority):
            return task
        matter = self._policy.matters.get(issue_of(moment.standing.faults, moment.build) or "")
        if matter is None or any(one.touched for one in self._before.values()):
            return task
        return replace(task, held_because=matter.because, issue_id=matter.issue_id)

    def _is_still_held(self, task: Task, priority: Priority, moment: CaseChange) -> bool:
        """Whether the case is still nothing but the fleet-wide matter that holds its task."""
        return (
            task.issue_id is not None
            and may_hold(priority)
            and task.issue_id == issue_of(moment.standing.faults, moment.build)
        )

    def _deadlines(self, task: Task, priority: Priority, at: datetime) -> Deadlines:
        return deadlines(priority, task.queue, self._policy.directory.desk(task.desk), at)

    def _moved(self, task: Task, priority: Priority, moment: CaseChange) -> tuple[Task, str]:
        """Change the priority in place: a rise moves deadlines earlier and alarms again.

        The deadlines of what a fleet-wide matter held did not run: they begin anew.
        """
        at = moment.at
        due = self._deadlines(task, priority, at)
        silences = self._vehicle.silences
        held = held_because(silences, priority, at) if task.held_because else None
        if self._is_still_held(task, priority, moment):
            held = task.held_because
        elif task.issue_id is not None:
            task = replace(task, issue_id=None, claim_by=None, contact_by=None)
        if PRIORITY_RANK[priority] < PRIORITY_RANK[task.priority]:
            lowered = replace(
                task,
                priority=priority,
                claim_by=due.claim_by,
                contact_by=due.contact_by,
                held_because=held,
            )
            return lowered, "lowered"
        raised = replace(
            task,
            priority=priority,
            claim_by=_earlier(task.claim_by, due.claim_by),
            contact_by=_earlier(task.contact_by, due.contact_by),
            held_because=held,
            alarms=task.alarms + 1,
        )
        return raised, "raised"


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return other or one
    return min(one, other)


def _ended(task: Task, at: datetime, disposition: Disposition, score: float) -> Task:
    return replace(task, state=TaskState.DONE, disposition=disposition, closed_at=at, score=score)
