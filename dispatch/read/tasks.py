"""Tasks as far as the actor may see: in the order in which to take them, and one with its facts."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from dispatch.access.visibility import seen_tasks
from dispatch.read.open_tasks import AWAKE, OPEN
from dispatch.read.pagination import Order, page_of
from dispatch.read.typed_rows import columns_of, typed
from dispatch.read.vehicles import OwnerRow, VehicleRow, owners, vehicle
from dispatch.rules.lifecycle import endings, possible
from models import tables as t
from models.errors import NotThere
from models.person import Actor
from models.words import Action, Disposition, Priority, Queue, Step, TaskState

TASKS: Final = Order(
    (
        (t.task.c.priority_rank, True),
        (t.task.c.score, True),
        (t.task.c.opened_at, False),
        (t.task.c.task_id, False),
    )
)
_TRIED_AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task under the names of the API. `holder` is the name of who has it in hand."""

    task_id: str
    case_id: str
    vin: str
    queue: Queue
    desk: str
    priority: Priority
    score: float
    state: TaskState
    claim_by: datetime | None
    contact_by: datetime | None
    opened_at: datetime
    closed_at: datetime | None
    disposition: Disposition | None
    route_zh: str
    route_en: str
    held_zh: str | None
    held_en: str | None
    alarms: int
    version: int
    lease_until: datetime | None
    claimed_at: datetime | None
    contacted_at: datetime | None
    paused_at: datetime | None
    claim_missed_at: datetime | None
    contact_missed_at: datetime | None
    wake_at: datetime | None
    appointment_at: datetime | None
    is_pick_up: bool | None
    attempts: int
    next_attempt_at: datetime | None
    holder: str | None


@dataclass(frozen=True, slots=True)
class TaskDetail(TaskRow):
    """A task with what a caller needs: vehicle, owner, reasons, and what can be done next."""

    action: Action
    reasons: Sequence[dict[str, str]]
    lat: float | None
    lon: float | None
    place_at: datetime | None
    accuracy_m: float | None
    road: str | None
    vehicle: VehicleRow | None
    owner: OwnerRow | None
    steps: Sequence[Step]
    dispositions: Sequence[Disposition]


# of the case: what a task says beside its own columns
_WHY: Final = [
    field.name
    for field in fields(TaskDetail)
    if field.name in t.case.c and field.name not in {own.name for own in fields(TaskRow)}
]


def list_tasks(
    connection: sa.Connection,
    actor: Actor,
    *,
    queue: Queue | None = None,
    desk: str | None = None,
    state: TaskState | None = None,
    after: str | None = None,
    limit: int = 100,
) -> tuple[list[TaskRow], str | None]:
    """List tasks in the order in which a person should take them; the done ones only if asked.

    The second value is the cursor of the next page. Raises `Unusable` for a cursor of another list.
    """
    k = t.task.c
    query = task_query().where(seen_tasks(actor))
    if state is None:
        query = query.where(OPEN)
    for column, value in ((k.queue, queue), (k.desk, desk), (k.state, state)):
        if value is not None:
            query = query.where(column == str(value))
    page, following = page_of(connection, query, TASKS, after, limit)
    return [typed(TaskRow, row) for row in page], following


def candidates(connection: sa.Connection, actor: Actor, at: datetime) -> Sequence[str]:
    """Return the tasks that the actor should try to claim next, in the order of the list."""
    k = t.task.c
    query = (
        sa.select(k.task_id)
        .where(k.state == TaskState.QUEUED.value, AWAKE)
        .where(sa.or_(k.next_attempt_at.is_(None), k.next_attempt_at <= at))
        .where(seen_tasks(actor))
        .where(sa.or_(k.holder.is_(None), k.lease_until <= at))
        .limit(_TRIED_AT_ONCE)
    )
    return connection.execute(TASKS.sort(query)).scalars().all()


def show_task(connection: sa.Connection, task_id: str, actor: Actor) -> TaskDetail:
    """Return one task. Raises `NotThere` for another desk's task and for nobody's."""
    query = task_query().where(t.task.c.task_id == task_id, seen_tasks(actor))
    task = connection.execute(query).mappings().one_or_none()
    if task is None:
        raise NotThere("There is no task %(id)s.", {"id": task_id})
    queue, state = Queue(task["queue"]), TaskState(task["state"])
    c = t.case.c
    why = sa.select(*(c[name] for name in _WHY)).where(c.case_id == task["case_id"])
    return typed(
        TaskDetail,
        {**task, **connection.execute(why).mappings().one()},
        vehicle=vehicle(connection, task["vin"]),
        owner=owners(connection, [task["vin"]], actor).get(task["vin"]),
        steps=possible(queue, state),
        dispositions=sorted(endings(queue, state)),
    )


def task_query() -> sa.Select[Any]:
    """Select what a `TaskRow` is made of, and what lists are sorted by."""
    k = t.task.c
    own = [column for column in columns_of(TaskRow, t.task) if column is not k.holder]
    return sa.select(*own, k.priority_rank, k.holder_name.label("holder"))
