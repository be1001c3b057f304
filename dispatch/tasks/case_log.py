"""The book of one case, under its vehicle's lock: revision, timeline, events, and its end."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from msgspec.structs import replace

from dispatch.access.acting import Acting
from dispatch.rules.events import case_event, task_event
from models import memory, rows
from models import tables as t
from models.case import REMEMBERED, Case, Closed, Entry, Event, Task
from models.ids import digest
from models.sql import insert_new
from models.words import CaseState


class CaseLog:
    """Writes what happens to a case: each turn has a revision, a line and an event of its own."""

    def __init__(self, acting: Acting, case_id: str) -> None:
        self._connection = acting.connection
        self._topics = acting.policy.topics
        self._actor = acting.actor.name
        self._at = acting.at
        query = sa.select(t.case).where(t.case.c.case_id == case_id)
        self.case: Case = rows.case(dict(self._connection.execute(query).mappings().one()))

    def tell(self, what: str, task: Task, detail: Mapping[str, Any]) -> None:
        """Tell of a task of the case: on the timeline and to the outside."""
        self._turn()
        self._log(f"task_{what}", detail, task.task_id)
        self._send(task_event(self._topics, what, task, self.case, self._at))

    def opened(self, task: Task) -> None:
        """Count a task that was opened, and tell of it."""
        self.case = replace(self.case, tasks_made=self.case.tasks_made + 1)
        self.tell(
            "opened",
            task,
            {
                "queue": task.queue.value,
                "desk": task.desk,
                "why_zh": task.route_reason.zh,
                "why_en": task.route_reason.en,
            },
        )

    def close(self, because: str, remembered_as: str | None = None) -> None:
        """End the case; the vehicle remembers it, by its root cause unless otherwise said."""
        self.case = case = replace(
            self.case, state=CaseState.CLOSED, closed_at=self._at, updated_at=self._at, heal_at=None
        )
        self._turn()
        v = t.vehicle.c
        row = self._connection.execute(sa.select(t.vehicle).where(v.vin == case.vin)).mappings()
        history = memory.vehicle(dict(row.one()), None, {}, (), ()).history
        root = case.root if remembered_as is None else remembered_as
        ended = Closed(case.case_id, case.opened_at, self._at, root)
        kept = memory.history_column((*history, ended)[-REMEMBERED:])
        self._connection.execute(sa.update(t.vehicle).where(v.vin == case.vin).values(history=kept))
        self._log("case_closed", {"because": because}, None)
        self._send(case_event(self._topics, "pacc.case.closed.v1", self.case, self._at))

    def _turn(self) -> None:
        self.case = case = replace(self.case, revision=self.case.revision + 1)
        self._connection.execute(
            sa.update(t.case)
            .where(t.case.c.case_id == case.case_id)
            .values(
                revision=case.revision,
                state=case.state.value,
                closed_at=case.closed_at,
                updated_at=case.updated_at,
                heal_at=case.heal_at,
                tasks_made=case.tasks_made,
            )
        )

    def _log(self, kind: str, detail: Mapping[str, Any], task_id: str | None) -> None:
        case_id = self.case.case_id
        entry_id = digest("entry", case_id, f"revision {self.case.revision}", kind)
        entry = Entry(entry_id, case_id, self._at, self._actor, kind, detail, task_id)
        insert_new(self._connection, t.entry, [rows.entry_row(entry)])

    def _send(self, event: Event) -> None:
        insert_new(self._connection, t.outbox, [rows.event_row(event)])
