"""The queues of roadside and dealers: what a row shows of task, case and vehicle, and the tabs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from dispatch.access.visibility import seen_tasks
from dispatch.read.open_tasks import ASLEEP, AWAKE, MISSED, OPEN
from dispatch.read.tasks import TASKS
from dispatch.read.typed_rows import columns_of, typed
from models import tables as t
from models.errors import NotThere
from models.person import Actor
from models.words import PRIORITY_RANK, Action, Priority, Queue, Severity, Status, TaskState, Word

ROWS: Final = 50  # a page shows no more: who takes from the top never comes to the fifty-first
COUNTED: Final = 1_000  # rows of a tab; beyond it a number tells nobody what to do next
_CUSTOMERS: Final = 60
_OPEN: Final = 100
_MUTED: Final = 50


class Tab(Word):
    """A part of a queue page."""

    ALL = "all"
    URGENT = "urgent"
    HIGH = "high"
    MINE = "mine"
    SNOOZED = "snoozed"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A task as lists and pages show it. `holder` is the id of who has it in hand."""

    task_id: str
    case_id: str
    vin: str
    queue: Queue
    desk: str
    state: TaskState
    priority: Priority
    score: float
    opened_at: datetime
    claim_by: datetime | None
    contact_by: datetime | None
    claimed_at: datetime | None
    contacted_at: datetime | None
    claim_missed_at: datetime | None
    contact_missed_at: datetime | None
    paused_at: datetime | None
    wake_at: datetime | None
    held_zh: str | None
    held_en: str | None
    holder: str | None
    holder_name: str | None
    version: int
    alarms: int
    attempts: int
    next_attempt_at: datetime | None
    appointment_at: datetime | None
    is_pick_up: bool | None
    cause: str
    reasons: Sequence[dict[str, str]]
    action: Action
    lat: float | None
    lon: float | None
    place_at: datetime | None
    road: str | None
    accuracy_m: float | None
    plate: str | None
    model: str | None
    desk_name: Mapping[str, str]

    @property
    def due(self) -> datetime | None:
        """When the next promise is due: the claim, then the contact.

        None once the customer knows, and while the task is held back.
        """
        if self.contacted_at is not None or self.held_zh is not None:
            return None
        if self.claimed_at is None and self.claim_by is not None:
            return self.claim_by
        return self.contact_by

    @property
    def is_snoozed(self) -> bool:
        """Whether a person put it off."""
        return self.paused_at is not None

    @property
    def is_missed(self) -> bool:
        """Whether a promise was missed and is still not kept."""
        return (self.claim_missed_at is not None and self.claimed_at is None) or (
            self.contact_missed_at is not None and self.contacted_at is None
        )

    @property
    def point(self) -> tuple[float, float] | None:
        """Where the vehicle is, degrees; None if that is not known."""
        return None if self.lat is None or self.lon is None else (self.lat, self.lon)


def queue(connection: sa.Connection, actor: Actor, kind: Queue, tab: Tab) -> list[QueueRow]:
    """List the first `ROWS` of a tab of a queue in the order in which to take them."""
    k = t.task.c
    query = (
        _row_query()
        .where(k.queue == kind.value, seen_tasks(actor), _condition(tab, actor))
        .limit(ROWS)
    )
    if tab is Tab.SNOOZED:  # what one person put to sleep before what a fleet issue holds
        query = query.order_by(k.issue_id.is_not(None))
    return _rows(connection, TASKS.sort(query))


def find_row(connection: sa.Connection, task_id: str, actor: Actor) -> QueueRow | None:
    """Return one row of a queue; None for another desk's task and nobody's."""
    rows = _rows(connection, _row_query().where(t.task.c.task_id == task_id, seen_tasks(actor)))
    return rows[0] if rows else None


def row(connection: sa.Connection, task_id: str, actor: Actor) -> QueueRow:
    """Return one row of a queue. Raises `NotThere` for another desk's task and nobody's."""
    task = find_row(connection, task_id, actor)
    if task is None:
        raise NotThere("There is no task %(id)s.", {"id": task_id})
    return task


def customers(connection: sa.Connection, actor: Actor) -> list[QueueRow]:
    """List the dealers' open tasks by when the promise to call is due."""
    k = t.task.c
    due = sa.func.coalesce(k.next_attempt_at, k.appointment_at, k.contact_by)
    query = (
        _row_query()
        .where(k.queue == Queue.DEALER.value, OPEN, seen_tasks(actor))
        .where(k.issue_id.is_(None))  # a fleet issue would leave no room for the others
        .order_by(due, k.task_id)
        .limit(_CUSTOMERS)
    )
    return _rows(connection, query)


def open_rows(connection: sa.Connection, actor: Actor) -> list[QueueRow]:
    """List the open tasks of all queues, the most pressing first, without fleet issues."""
    query = _row_query().where(OPEN, t.task.c.issue_id.is_(None), seen_tasks(actor)).limit(_OPEN)
    return _rows(connection, TASKS.sort(query))


def muted(connection: sa.Connection, actor: Actor) -> list[QueueRow]:
    """List stop faults that are held back: by a silence first, then by a fleet issue."""
    k, f = t.task.c, t.fault.c
    stops = sa.select(f.case_id).where(
        f.severity == Severity.STOP.value,
        f.status.in_((Status.ACTIVE.value, Status.LAMP_ONLY.value)),
    )
    query = (
        _row_query()
        .where(OPEN, k.held_zh.is_not(None), seen_tasks(actor))
        .where(k.case_id.in_(stops))
        .order_by(k.issue_id.is_not(None), k.opened_at, k.task_id)
        .limit(_MUTED)
    )
    return _rows(connection, query)


def counts(connection: sa.Connection, actor: Actor, kind: Queue) -> dict[str, int]:
    """Count the rows of every tab, up to `COUNTED` each: a flood is not counted to its end."""
    k = t.task.c

    def counted(tab: Tab) -> sa.ColumnElement[int]:
        rows = sa.select(k.task_id).where(
            k.queue == kind.value, seen_tasks(actor), _condition(tab, actor)
        )
        many = sa.select(sa.func.count()).select_from(rows.limit(COUNTED).subquery())
        return many.scalar_subquery().label(tab.value)

    return dict(connection.execute(sa.select(*map(counted, Tab))).mappings().one())


def claimed_by(connection: sa.Connection, actor: Actor) -> Sequence[str]:
    """Return the tasks that somebody has in hand."""
    k = t.task.c
    query = sa.select(k.task_id).where(k.holder == actor.actor_id, OPEN)
    return connection.execute(query.order_by(k.task_id)).scalars().all()


def _condition(tab: Tab, actor: Actor) -> sa.ColumnElement[bool]:
    k = t.task.c
    conditions: Mapping[Tab, sa.ColumnElement[bool]] = {
        Tab.ALL: AWAKE,
        Tab.URGENT: sa.and_(k.priority_rank == PRIORITY_RANK[Priority.URGENT], AWAKE),
        Tab.HIGH: sa.and_(k.priority_rank == PRIORITY_RANK[Priority.HIGH], AWAKE),
        Tab.MINE: sa.and_(k.holder == actor.actor_id, OPEN),
        Tab.SNOOZED: ASLEEP,
        Tab.MISSED: MISSED,
    }
    return conditions[tab]


def _row_query() -> sa.Select[Any]:
    k, c, v, d = t.task.c, t.case.c, t.vehicle.c, t.desk.c
    joined = (
        t.task.join(t.case, c.case_id == k.case_id)
        .join(t.vehicle, v.vin == k.vin)
        .outerjoin(t.desk, d.desk_id == k.desk)
    )
    own = columns_of(QueueRow, t.task)
    known = {column.name for column in own} | {"cause", "model"}
    of_case = [column for column in columns_of(QueueRow, t.case) if column.name not in known]
    cause = sa.case((c.cause == "", c.root), else_=c.cause).label("cause")
    names = (d.name_zh, d.name_en)
    return sa.select(*own, cause, *of_case, v.plate, v.model, *names).select_from(joined)


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> list[QueueRow]:
    return [
        typed(
            QueueRow,
            task,
            desk_name={
                "zh": task["name_zh"] or task["desk"],
                "en": task["name_en"] or task["desk"],
            },
        )
        for task in connection.execute(query).mappings()
    ]
