"""The tasks of one case while a batch is decided: opened, raised in place, superseded, ended."""

from datetime import datetime

from msgspec.structs import replace

from dispatch.rules.case_log import TaskChange, route_of
from dispatch.rules.deadlines import Deadlines, deadlines
from dispatch.rules.fleet_issue import issue_of, may_hold
from dispatch.rules.lifecycle import new_task
from dispatch.rules.routing import Routed, needs_of
from dispatch.rules.silence import held_because
from dispatch.rules.whose_car import route_car, stand_of
from ingest.cluster.open_case import CaseChange
from models.canary import CANARY_DESK, CANARY_VIN
from models.case import Case, Place, Ranking, Task, Text, Vehicle
from models.words import PRIORITY_RANK, Disposition, Priority, Queue, TaskState
from pacc.decide.policy import Policy

_CANARY = Text("金丝雀:检验通路,无人处理", "The canary: it tests the way, nobody works on it")


class OpenTasks:
    """The open tasks of one case. Nothing that a person has in hand is taken away.

    `healed` are those that ended as the case healed; they go on if what opens it again needs them.
    """

    def __init__(
        self, vehicle: Vehicle, tasks: tuple[Task, ...], healed: tuple[Task, ...], policy: Policy
    ) -> None:
        self._vehicle = vehicle
        self._policy = policy
        self._before = {task.queue: task for task in tasks}
        self._open = dict(self._before)
        self._ended: dict[str, Task] = {}
        self.reopened: dict[str, None] = {}
        self._healed = {task.queue: task for task in healed}

    @property
    def is_in_hand(self) -> bool:
        """Whether a person has any of the tasks."""
        return any(task.is_under_way for task in self._open.values())

    def is_settled(self, ranking: Ranking) -> bool:
        """Whether a task is needed and there is one of this priority already."""
        if ranking.needs_task:
            for task in self._open.values():
                if task.priority is ranking.priority:
                    return True
        return False

    def follow(self, case: Case, change: CaseChange) -> list[TaskChange]:
        """Bring the tasks in line with the case after a change; return what became of them."""
        if self.is_settled(case.ranking):
            task_changes = []
        elif case.ranking.needs_task:
            task_changes = self._assign(case, change)
        elif self.is_in_hand:
            task_changes = []
        else:
            task_changes = self._end_all(case, change.at, Disposition.SUPERSEDED)
        self._healed = {}
        return task_changes + self._release(change)

    def heal(self, case: Case, at: datetime) -> list[TaskChange]:
        """End every open task because its case healed."""
        task_changes = self._end_all(case, at, Disposition.HEALED)
        self._healed |= {change.task.queue: change.task for change in task_changes}
        return task_changes

    def changed(self, score: float) -> tuple[Task, ...]:
        """Return the tasks that were ended here, and the open ones that are not as they were.

        An open task has the score that its case has now.
        """
        still = [self._scored(self._open[queue], score) for queue in sorted(self._open)]
        return (
            *self._ended.values(),
            *(one for one in still if one is not self._before.get(one.queue)),
        )

    @staticmethod
    def _scored(task: Task, score: float) -> Task:
        return task if task.score == score else replace(task, score=score)

    def _assign(self, case: Case, change: CaseChange) -> list[TaskChange]:
        priority, at = case.ranking.priority, change.at
        routed = self._routed(priority, change.place, at)
        task_changes = []
        for queue in sorted(self._open):
            task = self._open[queue]
            if queue is not routed.queue and not task.is_under_way:
                ended = self._end(task, case, at, Disposition.SUPERSEDED)
                task_changes.append(TaskChange("closed", ended, route_of(ended)))
        before = self._open.get(routed.queue)
        if before is None:
            task, what = self._again(self._new(case, routed, change))
        else:
            task, what = self._moved(self._brought(before, routed, at), priority, change)
        self._open[task.queue] = task
        return [*task_changes, TaskChange(what, task, route_of(task))]

    def _routed(self, priority: Priority, place: Place | None, at: datetime) -> Routed:
        if self._vehicle.vin == CANARY_VIN:
            return Routed(Queue.ROADSIDE, CANARY_DESK, _CANARY)
        info = self._vehicle.info
        point = place.point if place else None
        directory, needs = self._policy.directory, needs_of(info.powertrain)
        silences = self._vehicle.silences
        return route_car(priority, info, silences, point, directory, needs=needs, at=at)

    def _brought(self, task: Task, routed: Routed, at: datetime) -> Task:
        """Return a waiting task at the desk that has the car now."""
        is_there = task.desk == routed.desk or task.is_under_way
        if is_there or stand_of(self._vehicle.info, self._vehicle.silences, at) is None:
            return task
        return replace(task, desk=routed.desk, route_reason=routed.reason)

    def _end_all(self, case: Case, at: datetime, disposition: Disposition) -> list[TaskChange]:
        return [
            TaskChange("closed", self._end(self._open[queue], case, at, disposition), None)
            for queue in sorted(self._open)
        ]

    def _end(self, task: Task, case: Case, at: datetime, disposition: Disposition) -> Task:
        """End a task; it keeps the score that its case has now."""
        del self._open[task.queue]
        score = case.ranking.score
        ended = replace(
            task, state=TaskState.DONE, disposition=disposition, closed_at=at, score=score
        )
        self._ended[ended.task_id] = ended
        return ended

    def _again(self, task: Task) -> tuple[Task, str]:
        """Let the task go on that ended as the case healed, in the place of a new one."""
        healed = self._healed.pop(task.queue, None)
        if healed is None:
            return task, "opened"
        self._ended.pop(healed.task_id, None)
        self.reopened[healed.task_id] = None
        again = replace(
            task,
            task_id=healed.task_id,
            opened_at=healed.opened_at,
            touched=healed.touched,
            alarms=healed.alarms + (task.held_because is None),
        )
        return again, "reopened"

    def _release(self, change: CaseChange) -> list[TaskChange]:
        """Release the tasks whose case has become more than the fleet issue that holds it back."""
        task_changes = []
        for queue in sorted(
            queue for queue, task in self._open.items() if task.issue_id is not None
        ):
            task = self._open[queue]
            if self._is_still_held(task, task.priority, change):
                continue
            because = held_because(self._vehicle.silences, task.priority, change.at)
            due = self._deadlines(task, task.priority, change.at)
            self._open[queue] = task = replace(
                task,
                held_because=because,
                issue_id=None,
                claim_by=due.claim_by,
                contact_by=due.contact_by,
                alarms=task.alarms + (because is None),
            )
            task_changes.append(TaskChange("held" if because else "unheld", task, {}))
        return task_changes

    def _new(self, case: Case, routed: Routed, change: CaseChange) -> Task:
        priority, at = case.ranking.priority, change.at
        because = held_because(self._vehicle.silences, priority, at)
        directory = self._policy.directory
        task = new_task(case.case_id, case.tasks_made, priority, routed, directory, at, because)
        if because is not None or not self._policy.fleet_issues or not may_hold(priority):
            return task
        issue = self._policy.fleet_issues.get(issue_of(change.standing.faults, change.build) or "")
        if issue is None or any(one.touched for one in self._before.values()):
            return task
        return replace(task, held_because=issue.because, issue_id=issue.issue_id)

    def _is_still_held(self, task: Task, priority: Priority, change: CaseChange) -> bool:
        """Whether the case is still nothing but the fleet issue that holds its task."""
        return (
            task.issue_id is not None
            and may_hold(priority)
            and task.issue_id == issue_of(change.standing.faults, change.build)
        )

    def _deadlines(self, task: Task, priority: Priority, at: datetime) -> Deadlines:
        return deadlines(priority, task.queue, self._policy.directory.desk(task.desk), at)

    def _moved(self, task: Task, priority: Priority, change: CaseChange) -> tuple[Task, str]:
        """Change the priority in place: a rise moves deadlines earlier and alarms again.

        The deadlines of what a fleet issue held did not run: they begin anew.
        """
        at = change.at
        due = self._deadlines(task, priority, at)
        silences = self._vehicle.silences
        because = held_because(silences, priority, at) if task.held_because else None
        if self._is_still_held(task, priority, change):
            because = task.held_because
        elif task.issue_id is not None:
            task = replace(task, issue_id=None, claim_by=None, contact_by=None)
        if PRIORITY_RANK[priority] < PRIORITY_RANK[task.priority]:
            lowered = replace(
                task,
                priority=priority,
                claim_by=due.claim_by,
                contact_by=due.contact_by,
                held_because=because,
            )
            return lowered, "lowered"
        raised = replace(
            task,
            priority=priority,
            claim_by=_earlier(task.claim_by, due.claim_by),
            contact_by=_earlier(task.contact_by, due.contact_by),
            held_because=because,
            alarms=task.alarms + 1,
        )
        return raised, "raised"


def _earlier(before: datetime | None, now: datetime | None) -> datetime | None:
    if before is None or now is None:
        return now or before
    return min(before, now)
