"""Pages of cases and tasks under the names of the command contract, as far as the actor may see."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from dispatch.access.visibility import callable_owner, seen
from dispatch.read.open_tasks import AWAKE, OPEN
from dispatch.read.pagination import Order, Page, page_of
from dispatch.rules.lifecycle import endings, possible
from models import tables as t
from models.canary import CANARY_VIN
from models.errors import NotThere
from models.person import Actor
from models.sql import within
from models.words import CaseState, Priority, Queue, Role, TaskState

_CASE: Final = (
    "case_id",
    "vin",
    "priority",
    "score",
    "action",
    "state",
    "opened_at",
    "closed_at",
    "reasons",
    "rules",
    "ranked_by",
    "probability",
    "fallback",
    "challenger",
    "challenger_probability",
    "rule_set",
    "previous_case",
    "is_repeat_repair",
    "defaulted",
)
_FAULT: Final = (
    "code",
    "severity",
    "status",
    "count",
    "folded_under",
    "first_seen",
    "last_seen",
    "cleared_at",
    "cleared_by",
    "fold_zh",
    "fold_en",
)
_TASK: Final = (
    "task_id",
    "case_id",
    "vin",
    "queue",
    "desk",
    "priority",
    "score",
    "state",
    "claim_by",
    "contact_by",
    "opened_at",
    "closed_at",
    "disposition",
    "route_zh",
    "route_en",
    "held_zh",
    "held_en",
    "alarms",
    "version",
    "lease_until",
    "claimed_at",
    "contacted_at",
    "paused_at",
    "claim_missed_at",
    "contact_missed_at",
    "wake_at",
    "appointment_at",
    "is_pick_up",
    "attempts",
    "next_attempt_at",
)
_CASES: Final = Order(
    ((t.case.c.priority_rank, True), (t.case.c.score, True), (t.case.c.case_id, False))
)
TASKS: Final = Order(
    (
        (t.task.c.priority_rank, True),
        (t.task.c.score, True),
        (t.task.c.opened_at, False),
        (t.task.c.task_id, False),
    )
)
_TRIED_AT_ONCE: Final = 20


def list_cases(
    connection: sa.Connection,
    actor: Actor,
    *,
    priority: Priority | None = None,
    vin: str | None = None,
    state: CaseState | None = None,
    after: str | None = None,
    limit: int = 100,
) -> Page:
    """List cases with faults and tasks, the most pressing first, and the next cursor."""
    c = t.case.c
    query = _visible_cases(sa.select(*(c[name] for name in _CASE), c.priority_rank), actor)
    for column, value in ((c.priority, priority), (c.vin, vin), (c.state, state)):
        if value is not None:
            query = query.where(column == str(value))
    page, following = page_of(connection, query, _CASES, after, limit)
    return _whole(connection, page, actor), following


def show_case(connection: sa.Connection, case_id: str, actor: Actor) -> dict[str, Any]:
    """Give one case with faults, tasks and timeline, as far as the actor sees them."""
    c = t.case.c
    query = sa.select(*(c[name] for name in _CASE)).where(c.case_id == case_id)
    found = connection.execute(_visible_cases(query, actor)).mappings().one_or_none()
    if found is None:
        raise NotThere("There is no case %(id)s.", {"id": case_id})
    (whole,) = _whole(connection, [dict(found)], actor)
    return {**whole, "timeline": _timeline(connection, case_id, actor)}


def list_tasks(
    connection: sa.Connection,
    actor: Actor,
    *,
    queue: Queue | None = None,
    desk: str | None = None,
    state: TaskState | None = None,
    after: str | None = None,
    limit: int = 100,
) -> Page:
    """List tasks in the order in which a person should take them; the done ones only if asked."""
    c = t.task.c
    query = _visible_tasks(_task_query(), actor)
    if state is None:
        query = query.where(OPEN)
    for column, value in ((c.queue, queue), (c.desk, desk), (c.state, state)):
        if value is not None:
            query = query.where(column == str(value))
    page, following = page_of(connection, query, TASKS, after, limit)
    return [_shown(row) for row in page], following


def candidates(connection: sa.Connection, actor: Actor, at: datetime) -> Sequence[str]:
    """Give the tasks that the actor should try to claim next, in the order of the list."""
    c = t.task.c
    query = (
        sa.select(c.task_id)
        .where(c.state == TaskState.QUEUED.value, AWAKE)
        .where(sa.or_(c.next_attempt_at.is_(None), c.next_attempt_at <= at))
        .where(seen(c.desk, actor))
        .where(sa.or_(c.holder.is_(None), c.lease_until <= at))
        .limit(_TRIED_AT_ONCE)
    )
    return connection.execute(TASKS.sort(query)).scalars().all()


def show_task(connection: sa.Connection, task_id: str, actor: Actor) -> dict[str, Any]:
    """Give one task with what a caller needs: vehicle, owner, reasons, and what can be done."""
    query = _visible_tasks(_task_query().where(t.task.c.task_id == task_id), actor)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotThere("There is no task %(id)s.", {"id": task_id})
    queue, state = Queue(row["queue"]), TaskState(row["state"])
    v, o, c = t.vehicle.c, t.contact.c, t.case.c
    car = sa.select(v.plate, v.model, v.powertrain, v.region).where(v.vin == row["vin"])
    owner = sa.select(o.name, o.phone, o.language, o.has_consent).where(o.vin == row["vin"])
    why = sa.select(c.action, c.reasons, c.lat, c.lon, c.place_at, c.accuracy_m, c.road).where(
        c.case_id == row["case_id"]
    )
    is_engineer = actor.role is Role.ENGINEER
    return {
        **_shown(dict(row)),
        **dict(connection.execute(why).mappings().one()),
        "vehicle": _maybe(connection, car),
        "owner": None if is_engineer else _owner(connection, owner),
        "steps": [step.value for step in possible(queue, state)],
        "dispositions": sorted(one.value for one in endings(queue, state)),
    }


def _task_query() -> sa.Select[Any]:
    c = t.task.c
    columns = [*(c[name] for name in _TASK), c.priority_rank, c.holder_name.label("holder")]
    return sa.select(*columns)


def _visible_tasks(query: sa.Select[Any], actor: Actor) -> sa.Select[Any]:
    return query.where(seen(t.task.c.desk, actor))


def _visible_cases(query: sa.Select[Any], actor: Actor) -> sa.Select[Any]:
    """A case is there for a desk that has, or had, a task of it."""
    if actor.desks is None:
        return query.where(t.case.c.vin != CANARY_VIN)
    own = sa.select(t.task.c.case_id).where(seen(t.task.c.desk, actor))
    return query.where(t.case.c.case_id.in_(own))


def _timeline(connection: sa.Connection, case_id: str, actor: Actor) -> list[dict[str, Any]]:
    e = t.entry.c
    query = sa.select(t.entry).where(e.case_id == case_id).order_by(e.at, e.entry_id)
    if actor.desks is not None:
        own = sa.select(t.task.c.task_id).where(seen(t.task.c.desk, actor))
        query = query.where(sa.or_(e.task_id.is_(None), e.task_id.in_(own)))
    return [dict(row) for row in connection.execute(query).mappings()]


def _whole(
    connection: sa.Connection, cases: list[dict[str, Any]], actor: Actor
) -> list[dict[str, Any]]:
    ids = [row["case_id"] for row in cases]
    f, k = t.fault.c, t.task.c
    faults = _grouped(
        connection,
        sa.select(f.case_id, *(f[name] for name in _FAULT))
        .where(within(connection, f.case_id, ids))
        .order_by(f.case_id, f.first_seen, f.code),
    )
    tasks = _grouped(
        connection,
        _visible_tasks(_task_query().where(within(connection, k.case_id, ids)), actor).order_by(
            k.case_id, k.opened_at, k.task_id
        ),
    )
    return [
        {
            **{name: row[name] for name in _CASE},
            "faults": [
                {name: value for name, value in one.items() if name != "case_id"}
                for one in faults.get(row["case_id"], [])
            ],
            "tasks": [_shown(one) for one in tasks.get(row["case_id"], [])],
        }
        for row in cases
    ]


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "priority_rank"}


def _maybe(connection: sa.Connection, query: sa.Select[Any]) -> dict[str, Any] | None:
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else dict(row)


def _owner(connection: sa.Connection, query: sa.Select[Any]) -> dict[str, Any] | None:
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else callable_owner(row)


def _grouped(connection: sa.Connection, query: sa.Select[Any]) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in connection.execute(query).mappings():
        grouped.setdefault(row["case_id"], []).append(dict(row))
    return grouped
