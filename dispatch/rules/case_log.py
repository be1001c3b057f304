"""What is written of a case: each change has the next revision, an event and mostly a line. Pure.

The pipeline, people, time and the bulk hold log through it; each stores what it gives in its way.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from dispatch.rules.events import Topics, case_event, task_event
from models.case import Case, Task
from models.decision import Entry, Event
from models.ids import digest

# The line of the timeline, where it is called otherwise than the event.
_KINDS: Final[Mapping[str, str]] = {"closed": "case_closed"}


class TaskChange(Struct, frozen=True):
    """A task as it is now, and what happened to it. `detail` None: the timeline has no line."""

    what: str
    task: Task
    detail: Mapping[str, Any] | None


def route_of(task: Task) -> Mapping[str, Any]:
    """Return the detail of a change that says where a task waits, and why there."""
    return {
        "queue": task.queue.value,
        "desk": task.desk,
        "why_zh": task.route_reason.zh,
        "why_en": task.route_reason.en,
    }


class CaseLog:
    """A case, and the lines and events of its changes, in order, until they are stored.

    A line's id is made of its `cause`, as the fingerprint of an alert; what people and time do has
    none, and the revision stands for it.
    """

    def __init__(self, case: Case, topics: Topics, actor: str) -> None:
        self.case = case
        self.entries: list[Entry] = []
        self.events: list[Event] = []
        self._topics = topics
        self._actor = actor

    def change_task(self, change: TaskChange, at: datetime, cause: str | None = None) -> None:
        """Log a change of a task of the case; one that was opened is counted."""
        what, task = change.what, change.task
        case, opened = self.case, what == "opened"
        self.case = case = replace(
            case, revision=case.revision + 1, tasks_made=case.tasks_made + opened
        )
        self.events.append(task_event(self._topics, what, task, case, at))
        if change.detail is not None:
            self._add_line(f"task_{what}", at, change.detail, cause, task.task_id)

    def change_case(
        self, what: str, at: datetime, detail: Mapping[str, Any], cause: str | None = None
    ) -> None:
        """Log a change of the case itself, which stands in `case` already."""
        self.case = case = replace(self.case, revision=self.case.revision + 1)
        self.events.append(case_event(self._topics, f"pacc.case.{what}.v1", case, at))
        self._add_line(_KINDS.get(what, what), at, detail, cause)

    def note(self, kind: str, at: datetime, detail: Mapping[str, Any], cause: str) -> None:
        """Log a line of the timeline that changes nothing outside: no revision, no event."""
        self._add_line(kind, at, detail, cause)

    def _add_line(
        self,
        kind: str,
        at: datetime,
        detail: Mapping[str, Any],
        cause: str | None,
        task_id: str | None = None,
    ) -> None:
        case_id = self.case.case_id
        if cause is None:
            entry_id = digest("entry", case_id, f"revision {self.case.revision}", kind)
        else:
            entry_id = digest("entry", case_id, cause, kind, task_id or "")
        self.entries.append(Entry(entry_id, case_id, at, self._actor, kind, detail, task_id))
