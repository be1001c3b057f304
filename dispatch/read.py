"""Pages of cases and tasks under the names of the command contract."""

from typing import Any

import sqlalchemy as sa

from models import tables as t
from models.errors import NotThere
from models.sql import within
from models.words import CaseState, Priority, Queue, TaskState

_CASE = (
    "case_id", "vin", "priority", "score", "action", "state", "opened_at", "closed_at", "reasons",
    "rules", "ranked_by", "rule_set", "previous_case", "is_repeat_repair", "defaulted",
)  # fmt: skip
_FAULT = (
    "code", "severity", "status", "count", "folded_under", "first_seen", "last_seen", "cleared_at",
    "cleared_by", "fold_zh", "fold_en",
)  # fmt: skip
_TASK = (
    "task_id", "case_id", "queue", "desk", "priority", "state", "claim_by", "contact_by",
    "opened_at", "closed_at", "disposition", "route_zh", "route_en", "held_zh", "held_en", "holder",
)  # fmt: skip


def list_cases(
    connection: sa.Connection,
    *,
    priority: Priority | None,
    vin: str | None,
    state: CaseState | None,
    limit: int,
) -> list[dict[str, Any]]:
    """List cases with faults and tasks, the most pressing first."""
    c = t.case.c
    query = sa.select(*(c[name] for name in _CASE)).order_by(
        c.priority_rank.desc(), c.score.desc(), c.case_id
    )
    for column, value in ((c.priority, priority), (c.vin, vin), (c.state, state)):
        if value is not None:
            query = query.where(column == str(value))
    return _whole(connection, query.limit(limit))


def show_case(connection: sa.Connection, case_id: str) -> dict[str, Any]:
    """Give one case with faults, tasks and timeline."""
    c = t.case.c
    query = sa.select(*(c[name] for name in _CASE)).where(c.case_id == case_id)
    found = _whole(connection, query)
    if not found:
        raise NotThere(f"There is no case {case_id}.")
    entries = sa.select(t.entry).where(t.entry.c.case_id == case_id)
    ordered = entries.order_by(t.entry.c.at, t.entry.c.entry_id)
    timeline = [dict(row) for row in connection.execute(ordered).mappings()]
    return {**found[0], "timeline": timeline}


def list_tasks(
    connection: sa.Connection,
    *,
    queue: Queue | None,
    desk: str | None,
    state: TaskState | None,
    limit: int,
) -> list[dict[str, Any]]:
    """List tasks in the order in which a person should take them; the done ones only if asked."""
    c = t.task.c
    query = sa.select(*(c[name] for name in _TASK)).order_by(
        c.priority_rank.desc(), c.score.desc(), c.contact_by, c.opened_at, c.task_id
    )
    if state is None:
        query = query.where(c.state != TaskState.DONE.value)
    for column, value in ((c.queue, queue), (c.desk, desk), (c.state, state)):
        if value is not None:
            query = query.where(column == str(value))
    return [dict(row) for row in connection.execute(query.limit(limit)).mappings()]


def _whole(connection: sa.Connection, query: sa.Select[Any]) -> list[dict[str, Any]]:
    cases = [dict(row) for row in connection.execute(query).mappings()]
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
        sa.select(*(k[name] for name in _TASK))
        .where(within(connection, k.case_id, ids))
        .order_by(k.case_id, k.opened_at, k.task_id),
    )
    return [
        {**row, "faults": faults.get(row["case_id"], []), "tasks": tasks.get(row["case_id"], [])}
        for row in cases
    ]


def _grouped(connection: sa.Connection, query: sa.Select[Any]) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in connection.execute(query).mappings():
        grouped.setdefault(row["case_id"], []).append(dict(row))
    return grouped
