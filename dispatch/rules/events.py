"""The events of cases and tasks: the same facts whoever acted. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.case import Case, Task
from models.decision import Event
from models.ids import digest
from models.words import Queue


@dataclass(frozen=True, slots=True)
class Topics:
    """Where events go."""

    roadside: str = "pacc.tasks.roadside"
    dealer: str = "pacc.tasks.dealer"
    cases: str = "pacc.cases"

    def of(self, queue: Queue) -> str:
        """Return the topic of a queue's tasks."""
        return self.dealer if queue is Queue.DEALER else self.roadside


def case_event(topics: Topics, kind: str, case: Case, at: datetime) -> Event:
    """Return the event of a case; its revision is the event's place in the case's order."""
    return _sealed(topics.cases, kind, case, at, {})


def task_event(topics: Topics, what: str, task: Task, case: Case, at: datetime) -> Event:
    """Return the event of a task of a case."""
    kind = f"pacc.task.{what}.v1"
    return _sealed(topics.of(task.queue), kind, case, at, _task_facts(task))


def _sealed(topic: str, kind: str, case: Case, at: datetime, data: Mapping[str, Any]) -> Event:
    event_id = digest("event", case.case_id, str(case.revision))
    facts = {**data, **_case_facts(case), "at": at.isoformat()}
    return Event(event_id, topic, kind, case.case_id, case.revision, at, facts)


def _case_facts(case: Case) -> dict[str, Any]:
    ranking = case.ranking
    return {
        "case_id": case.case_id,
        "vin": case.vin,
        "case_state": case.state.value,
        "priority": ranking.priority.value,
        "action": ranking.action.value,
        "score": ranking.score,
        "reasons": [{"zh": one.zh, "en": one.en} for one in ranking.reasons],
    }


def _task_facts(task: Task) -> dict[str, Any]:
    return {
        "task_id": task.task_id,
        "queue": task.queue.value,
        "desk": task.desk,
        "state": task.state.value,
        "disposition": task.disposition.value if task.disposition else None,
        "is_held": task.held_because is not None,
        "claim_by": task.claim_by.isoformat() if task.claim_by else None,
        "contact_by": task.contact_by.isoformat() if task.contact_by else None,
    }
