"""One task on the bench: locked, changed, told. Every change by people or by time goes through it.

The lock is the vehicle's row, as for the pipeline, so that the two never write over each other; the
task's version is compared and set, so that a change decided on an old sight of it is refused.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from dispatch.events import Topics, case_event, task_event
from models import memory, rows
from models import tables as t
from models.case import REMEMBERED, Case, Closed, Entry, Event, Task, VehicleInfo
from models.errors import Conflict, NotThere
from models.ids import digest
from models.sql import insert_new
from models.words import CaseState


@dataclass(frozen=True, slots=True)
class Hands:
    """Who has a task in hand, and how the promises to its customer stand.

    A pause ends at `wake_at`, or when the priority rises above `paused_rank`.
    """

    holder: str | None
    holder_name: str | None
    lease_until: datetime | None
    claimed_at: datetime | None
    contacted_at: datetime | None
    paused_at: datetime | None
    wake_at: datetime | None
    paused_rank: int | None
    appointment_at: datetime | None
    is_pick_up: bool | None
    attempts: int
    next_attempt_at: datetime | None

    def is_held(self, at: datetime) -> bool:
        """Whether somebody's claim is alive."""
        return self.holder is not None and (self.lease_until is None or self.lease_until > at)


# What a task's hands are replaced with when nobody has it any more, and when it waits no more.
NOBODY: Final[Mapping[str, Any]] = {"holder": None, "holder_name": None, "lease_until": None}
AWAKE: Final[Mapping[str, Any]] = {"paused_at": None, "wake_at": None, "paused_rank": None}


class Bench:
    """One task with its case and vehicle, locked until the transaction ends."""

    def __init__(
        self, connection: sa.Connection, task_id: str, topics: Topics, actor: str, at: datetime
    ) -> None:
        self._connection = connection
        self._topics = topics
        self._actor = actor
        self._at = at
        vin = connection.execute(
            sa.select(t.task.c.vin).where(t.task.c.task_id == task_id)
        ).scalar_one_or_none()
        if vin is None:
            raise not_there(task_id)
        held = sa.select(t.vehicle).where(t.vehicle.c.vin == vin).with_for_update()
        vehicle = connection.execute(held).mappings().one()
        known = memory.vehicle(dict(vehicle), None, {}, (), ())
        self.info: VehicleInfo = known.info
        self._history = known.history
        self.vin: str = vin
        row = self._one(sa.select(t.task).where(t.task.c.task_id == task_id))
        self.task: Task = rows.task(row)
        self.version: int = row["version"]
        self.hands = Hands(**{one.name: row[one.name] for one in fields(Hands)})
        self.case: Case = rows.case(
            self._one(sa.select(t.case).where(t.case.c.case_id == self.task.case_id))
        )

    def change(self, what: str, task: Task, hands: Hands, **detail: Any) -> None:
        """Write the task and who has it, and tell of it: on the timeline and to the outside."""
        self.set(task, hands)
        self.tell(what, detail)

    def set(self, task: Task, hands: Hands, **more: Any) -> None:
        """Write the task and who has it, without a word; refused if somebody was faster."""
        c = t.task.c
        statement = (
            sa.update(t.task)
            .where(c.task_id == task.task_id, c.version == self.version)
            .values(
                state=task.state.value,
                desk=task.desk,
                claim_by=task.claim_by,
                contact_by=task.contact_by,
                held_zh=task.held_because.zh if task.held_because else None,
                held_en=task.held_because.en if task.held_because else None,
                disposition=task.disposition.value if task.disposition else None,
                closed_at=task.closed_at,
                touched=task.touched,
                alarms=task.alarms,
                **asdict(hands),
                version=c.version + 1,
                **more,
            )
        )
        if self._connection.execute(statement).rowcount != 1:
            raise Conflict("Somebody changed the task meanwhile. Read it again.")
        self.task, self.hands, self.version = task, hands, self.version + 1

    def tell(self, what: str, detail: Mapping[str, Any]) -> None:
        """Write a line of the timeline and an event about the task."""
        self._bump()
        self._log(f"task_{what}", detail, self.task.task_id)
        self._send(task_event(self._topics, what, self.task, self.case, self._at))

    def open_beside(self, task: Task) -> bool:
        """Open another task of the case, unless its queue has one; say whether it did."""
        c = t.task.c
        there = sa.select(c.task_id).where(
            c.case_id == task.case_id, c.queue == task.queue.value, c.state != "done"
        )
        if self._connection.execute(there).first() is not None:
            return False
        insert_new(
            self._connection,
            t.task,
            [rows.task_row(self.vin, replace(task, score=self.case.ranking.score))],
        )
        self.case = replace(self.case, tasks_made=self.case.tasks_made + 1)
        self._bump()
        why = {"queue": task.queue.value, "desk": task.desk, "why_zh": task.route_reason.zh,
               "why_en": task.route_reason.en}  # fmt: skip
        self._log("task_opened", why, task.task_id)
        self._send(task_event(self._topics, "opened", task, self.case, self._at))
        return True

    def has_open_tasks(self) -> bool:
        """Whether any task of the case is still open."""
        c = t.task.c
        query = sa.select(c.task_id).where(c.case_id == self.case.case_id, c.state != "done")
        return self._connection.execute(query).first() is not None

    def close_case(self, because: str) -> None:
        """End the case; the vehicle remembers it, so that a return is seen as one."""
        self.case = replace(
            self.case, state=CaseState.CLOSED, closed_at=self._at, updated_at=self._at, heal_at=None
        )
        self._bump()
        ended = Closed(self.case.case_id, self.case.opened_at, self._at, self.case.root)
        history = memory.history_column((*self._history, ended)[-REMEMBERED:])
        self._connection.execute(
            sa.update(t.vehicle).where(t.vehicle.c.vin == self.vin).values(history=history)
        )
        self._log("case_closed", {"because": because}, None)
        self._send(case_event(self._topics, "pacc.case.closed.v1", self.case, self._at))

    def _bump(self) -> None:
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

    def _one(self, query: sa.Select[Any]) -> Mapping[str, Any]:
        return dict(self._connection.execute(query).mappings().one())


def not_there(task_id: str) -> NotThere:
    """Say that there is no such task: the same words whether it is another desk's or nobody's."""
    return NotThere("There is no task %(id)s.", {"id": task_id})
