"""A task under its vehicle's row lock: every change by people or by time goes through it.

The lock is the vehicle's row, as for the pipeline, so that the two never write over each other; the
task's version is compared and set, so that a change decided on an old version of it is refused.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import asdict, replace

from dispatch.access.acting import Acting
from dispatch.read.open_tasks import OPEN
from dispatch.tasks.locked_case import LockedCase
from models import memory, rows
from models import tables as t
from models.case import Case, Task, VehicleInfo
from models.errors import Conflict, NotThere
from models.sql import insert_new


class Assignment(Struct, frozen=True):
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

    def is_claimed(self, at: datetime) -> bool:
        """Return whether somebody's claim is alive."""
        return self.holder is not None and (self.lease_until is None or self.lease_until > at)


# What an assignment is replaced with when nobody has it any more, and when it waits no more.
NOBODY: Final[Mapping[str, Any]] = {"holder": None, "holder_name": None, "lease_until": None}
# What a task is replaced with that nothing holds back any more.
UNHELD: Final[Mapping[str, Any]] = {"held_because": None, "issue_id": None}
AWAKE: Final[Mapping[str, Any]] = {"paused_at": None, "wake_at": None, "paused_rank": None}


class LockedTask:
    """One task with its case and vehicle, locked until the transaction ends."""

    def __init__(self, acting: Acting, task_id: str) -> None:
        self.acting = acting
        connection = self._connection = acting.connection
        k, v = t.task.c, t.vehicle.c
        vin = connection.execute(sa.select(k.vin).where(k.task_id == task_id)).scalar_one_or_none()
        if vin is None:
            raise not_there(task_id)
        lock = sa.select(t.vehicle).where(v.vin == vin).with_for_update()
        vehicle = dict(connection.execute(lock).mappings().one())
        self.info: VehicleInfo = memory.vehicle(vehicle, None, {}, (), ()).info
        self.vin: str = vin
        row = connection.execute(sa.select(t.task).where(k.task_id == task_id)).mappings().one()
        self.task: Task = rows.task(dict(row))
        self.version: int = row["version"]
        self.assignment = Assignment(**{one: row[one] for one in Assignment.__struct_fields__})
        self._case = LockedCase(acting, self.task.case_id)

    @property
    def case(self) -> Case:
        """The task's case as it is now."""
        return self._case.case

    def change(self, what: str, task: Task, assignment: Assignment, **detail: Any) -> None:
        """Write the task and who has it, and log the change: on the timeline and in an event."""
        self.set(task, assignment)
        self.log(what, detail)

    def set(self, task: Task, assignment: Assignment, **more: Any) -> None:
        """Write the task and who has it, unlogged. Raises `Conflict` if somebody was faster."""
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
                issue_id=task.issue_id,
                disposition=task.disposition.value if task.disposition else None,
                closed_at=task.closed_at,
                touched=task.touched,
                alarms=task.alarms,
                **asdict(assignment),
                version=c.version + 1,
                **more,
            )
        )
        if self._connection.execute(statement).rowcount != 1:
            raise Conflict("Somebody changed the task meanwhile. Read it again.")
        self.task, self.assignment, self.version = task, assignment, self.version + 1

    def log(self, what: str, detail: Mapping[str, Any]) -> None:
        """Log what happened to the task: a line of the timeline and an event."""
        self._case.change_task(what, self.task, detail)

    def open_beside(self, task: Task) -> bool:
        """Open another task of the case unless its queue has one; return whether it did."""
        c = t.task.c
        there = sa.select(c.task_id).where(
            c.case_id == task.case_id, c.queue == task.queue.value, OPEN
        )
        if self._connection.execute(there).first() is not None:
            return False
        insert_new(
            self._connection,
            t.task,
            [rows.task_row(self.vin, replace(task, score=self.case.ranking.score))],
        )
        self._case.open_task(task)
        return True

    def has_open_tasks(self) -> bool:
        """Return whether any task of the case is still open."""
        c = t.task.c
        query = sa.select(c.task_id).where(c.case_id == self.case.case_id, OPEN)
        return self._connection.execute(query).first() is not None

    def need_no_task(self) -> None:
        """Note that the case stays without a task."""
        self._case.need_no_task()

    def close_case(self, because: str) -> None:
        """End the case; the vehicle remembers it, so that a return is seen as one."""
        self._case.close(because)


def not_there(task_id: str) -> NotThere:
    """Return the error of a task that is not there, or at another desk: both look the same."""
    return NotThere("There is no task %(id)s.", {"id": task_id})
