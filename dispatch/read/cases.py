"""Cases as far as the actor may see: listed, and one with faults, tasks and timeline."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from dispatch.access.visibility import seen_cases, seen_entries, seen_tasks
from dispatch.read.pagination import Order, page_of
from dispatch.read.tasks import TaskRow, task_query
from dispatch.read.typed_rows import columns_of, typed
from models import tables as t
from models.errors import NotThere
from models.person import Actor
from models.sql import within
from models.words import Action, CaseState, Priority, Severity, Status

_CASES: Final = Order(
    ((t.case.c.priority_rank, True), (t.case.c.score, True), (t.case.c.case_id, False))
)
_Grouped = TypeVar("_Grouped")


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case under the names of the API."""

    case_id: str
    vin: str
    priority: Priority
    score: float
    action: Action
    state: CaseState
    opened_at: datetime
    closed_at: datetime | None
    reasons: Sequence[dict[str, str]]
    rules: Sequence[str]
    ranked_by: str
    probability: float | None
    fallback: str | None
    challenger: str | None
    challenger_probability: float | None
    rule_set: str
    previous_case: str | None
    is_repeat_repair: bool
    defaulted: Sequence[str]


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One code on the vehicle."""

    code: str
    severity: Severity
    status: Status
    count: int
    folded_under: str | None
    first_seen: datetime
    last_seen: datetime
    cleared_at: datetime | None
    cleared_by: str | None
    fold_zh: str | None
    fold_en: str | None


@dataclass(frozen=True, slots=True)
class MeasuredFault(FaultRow):
    """A fault with the last readings that came with it."""

    readings: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One line of a case's timeline."""

    entry_id: str
    case_id: str
    task_id: str | None
    at: datetime
    actor: str
    kind: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CaseSummary(CaseRow):
    """A case with its faults, and the tasks of it that the actor may see."""

    faults: Sequence[FaultRow]
    tasks: Sequence[TaskRow]


@dataclass(frozen=True, slots=True)
class CaseDetail(CaseSummary):
    """A case with its timeline."""

    timeline: Sequence[EntryRow]


def list_cases(
    connection: sa.Connection,
    actor: Actor,
    *,
    priority: Priority | None = None,
    vin: str | None = None,
    state: CaseState | None = None,
    after: str | None = None,
    limit: int = 100,
) -> tuple[list[CaseSummary], str | None]:
    """List cases with faults and tasks, the most pressing first, and the next page's cursor.

    Raises `Unusable` for a cursor of another list.
    """
    c = t.case.c
    query = sa.select(*columns_of(CaseRow, t.case), c.priority_rank).where(seen_cases(actor))
    for column, value in ((c.priority, priority), (c.vin, vin), (c.state, state)):
        if value is not None:
            query = query.where(column == str(value))
    page, following = page_of(connection, query, _CASES, after, limit)
    ids = [row["case_id"] for row in page]
    faults, tasks = _faults(connection, ids), _tasks(connection, ids, actor)
    summaries = [
        typed(
            CaseSummary,
            row,
            faults=faults.get(row["case_id"], []),
            tasks=tasks.get(row["case_id"], []),
        )
        for row in page
    ]
    return summaries, following


def show_case(connection: sa.Connection, case_id: str, actor: Actor) -> CaseDetail:
    """Return a case with faults, tasks and timeline. Raises `NotThere` if it is not to be seen."""
    return typed(
        CaseDetail,
        _row(connection, case_id, actor),
        faults=_faults(connection, [case_id]).get(case_id, []),
        tasks=_tasks(connection, [case_id], actor).get(case_id, []),
        timeline=timeline(connection, case_id, actor),
    )


def case_alone(connection: sa.Connection, case_id: str, actor: Actor) -> CaseRow:
    """Return a case without what belongs to it. Raises `NotThere` if it is not to be seen."""
    return typed(CaseRow, _row(connection, case_id, actor))


def measured_faults(connection: sa.Connection, case_id: str) -> list[MeasuredFault]:
    """Return the faults of a case with their readings, the oldest first."""
    f = t.fault.c
    query = sa.select(*columns_of(MeasuredFault, t.fault)).where(f.case_id == case_id)
    rows = connection.execute(query.order_by(f.first_seen, f.code)).mappings()
    return [typed(MeasuredFault, row) for row in rows]


def timeline(connection: sa.Connection, case_id: str, actor: Actor) -> list[EntryRow]:
    """Return what happened to a case, the oldest first."""
    e = t.entry.c
    return _entries(connection, case_id, actor, _entry_query().order_by(e.at, e.entry_id))


def newest_entries(
    connection: sa.Connection, case_id: str, actor: Actor, limit: int
) -> list[EntryRow]:
    """Return what happened to a case of late, the newest first."""
    e = t.entry.c
    query = _entry_query().order_by(e.at.desc(), e.entry_id).limit(limit)
    return _entries(connection, case_id, actor, query)


def _entry_query() -> sa.Select[Any]:
    return sa.select(*columns_of(EntryRow, t.entry))


def _entries(
    connection: sa.Connection, case_id: str, actor: Actor, query: sa.Select[Any]
) -> list[EntryRow]:
    own = query.where(t.entry.c.case_id == case_id, seen_entries(actor))
    return [typed(EntryRow, row) for row in connection.execute(own).mappings()]


def _row(connection: sa.Connection, case_id: str, actor: Actor) -> sa.RowMapping:
    columns = columns_of(CaseRow, t.case)
    query = sa.select(*columns).where(t.case.c.case_id == case_id, seen_cases(actor))
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotThere("There is no case %(id)s.", {"id": case_id})
    return row


def _faults(connection: sa.Connection, case_ids: Sequence[str]) -> dict[str, list[FaultRow]]:
    f = t.fault.c
    query = (
        sa.select(f.case_id, *columns_of(FaultRow, t.fault))
        .where(within(connection, f.case_id, case_ids))
        .order_by(f.case_id, f.first_seen, f.code)
    )
    rows = connection.execute(query).mappings()
    return _grouped((row["case_id"], typed(FaultRow, row)) for row in rows)


def _tasks(
    connection: sa.Connection, case_ids: Sequence[str], actor: Actor
) -> dict[str, list[TaskRow]]:
    k = t.task.c
    query = (
        task_query()
        .where(within(connection, k.case_id, case_ids), seen_tasks(actor))
        .order_by(k.case_id, k.opened_at, k.task_id)
    )
    rows = connection.execute(query).mappings()
    return _grouped((row["case_id"], typed(TaskRow, row)) for row in rows)


def _grouped(rows: Iterable[tuple[str, _Grouped]]) -> dict[str, list[_Grouped]]:
    grouped: dict[str, list[_Grouped]] = {}
    for case_id, row in rows:
        grouped.setdefault(case_id, []).append(row)
    return grouped
