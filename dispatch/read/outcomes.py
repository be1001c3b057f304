"""What people found: how each case ended, and when its vehicle stood. The teacher of the model."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import sqlalchemy as sa

from dispatch.access.visibility import seen_cases
from models import tables as t
from models.canary import CANARY_VIN
from models.person import Actor
from models.words import REPAIRS, CaseState, Disposition

# How a task ends when another one tells how the case ended.
_TELLS_NOTHING: Final = (Disposition.SUPERSEDED, Disposition.RETURNED, Disposition.CASE_CLOSED)
_STOOD: Final = (Disposition.TOWED, Disposition.FIXED_ON_SITE)
_EARLIER: Final = 10


@dataclass(frozen=True, slots=True)
class TaskEnding:
    """How a task ended; nothing of one that has not, and in the place of a case's missing tasks.

    `reached_at` is the first contact, else the claim.
    """

    task_id: str | None
    disposition: Disposition | None
    closed_at: datetime | None
    reached_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a case ended, as far as it has: a tow tells before the case is closed.

    `stood_at` is when we heard that the vehicle stood: the first contact, else the claim;
    `repaired_at` when the last repair was recorded.
    `closed_by_people_at` is None for a case that is open or that healed.
    """

    case_id: str
    vin: str
    disposition: Disposition
    stood_at: datetime | None
    closed_at: datetime | None
    closed_by_people_at: datetime | None
    repaired_at: datetime | None


@dataclass(frozen=True, slots=True)
class EarlierCase:
    """An earlier case of a vehicle; `disposition` None while nothing tells how it ended."""

    case_id: str
    opened_at: datetime
    reasons: Sequence[dict[str, str]]
    disposition: Disposition | None


def ending_of(state: CaseState, tasks: Iterable[TaskEnding]) -> TaskEnding | None:
    """Return the ending that tells how a case ended; None while nothing does.

    A tow or help on the spot tells most, also of an open case; else the task that ended last.
    """
    telling = []
    for task in tasks:
        if task.disposition is None and state is CaseState.HEALED:
            telling.append(replace(task, disposition=Disposition.HEALED))
        elif task.disposition in _STOOD or (
            task.disposition not in (None, *_TELLS_NOTHING) and state is not CaseState.OPEN
        ):
            telling.append(task)
    return max(telling, key=_weight, default=None)


def repair_of(tasks: Iterable[TaskEnding]) -> datetime | None:
    """Return when the last repair of a case was recorded; None if none was."""
    repairs = [task.closed_at for task in tasks if task.disposition in REPAIRS and task.closed_at]
    return max(repairs, default=None)


def _weight(task: TaskEnding) -> tuple[bool, bool, float, str]:
    closed_at = task.closed_at
    seconds = closed_at.timestamp() if closed_at else 0.0
    return task.disposition in _STOOD, closed_at is None, seconds, task.task_id or ""


def endings(connection: sa.Connection) -> Iterator[Ending]:
    """Return the ending of every case that has one."""
    c, k = t.case.c, t.task.c
    query = (
        sa.select(c.case_id, c.vin, c.state, c.closed_at.label("ended_at"), *_TASK)
        .select_from(t.case.join(t.task, c.case_id == k.case_id, isouter=True))
        .where(c.vin != CANARY_VIN)
        .where(sa.or_(c.state != CaseState.OPEN.value, k.disposition.is_not(None)))
        .order_by(c.case_id)
    )
    for case, rows in _by_case(connection, query):
        state = CaseState(case.state)
        tasks = [_task_ending(row) for row in rows]
        task = ending_of(state, tasks)
        if task is None or task.disposition is None:
            continue
        yield Ending(
            case.case_id,
            case.vin,
            task.disposition,
            task.reached_at if task.disposition in _STOOD else None,
            case.ended_at,
            case.ended_at if state is CaseState.CLOSED else None,
            repair_of(tasks),
        )


def earlier_cases(
    connection: sa.Connection, vin: str, case_id: str, actor: Actor
) -> list[EarlierCase]:
    """Return the vehicle's newest cases beside `case_id`, with how they ended."""
    c, k = t.case.c, t.task.c
    newest = (
        sa.select(c.case_id, c.opened_at, c.state, c.reasons)
        .where(c.vin == vin, c.case_id != case_id, seen_cases(actor))
        .order_by(c.opened_at.desc())
        .limit(_EARLIER)
    )
    cases = newest.subquery()
    query = (
        sa.select(cases.c.case_id, cases.c.opened_at, cases.c.state, cases.c.reasons, *_TASK)
        .select_from(cases.join(t.task, cases.c.case_id == k.case_id, isouter=True))
        .order_by(cases.c.opened_at.desc(), cases.c.case_id)
    )
    earlier = []
    for case, rows in _by_case(connection, query):
        task = ending_of(CaseState(case.state), map(_task_ending, rows))
        disposition = task.disposition if task else None
        earlier.append(EarlierCase(case.case_id, case.opened_at, case.reasons, disposition))
    return earlier


_TASK: Final = (
    t.task.c.task_id,
    t.task.c.disposition,
    t.task.c.closed_at,
    sa.func.coalesce(t.task.c.contacted_at, t.task.c.claimed_at, t.task.c.opened_at).label(
        "reached_at"
    ),
)


def _by_case(
    connection: sa.Connection, query: sa.Select[Any]
) -> Iterator[tuple[sa.Row[Any], list[sa.Row[Any]]]]:
    """Return each case's rows, one for each of its tasks, and the first of them."""
    for _, group in groupby(connection.execute(query), lambda row: row.case_id):
        rows = list(group)
        yield rows[0], rows


def _task_ending(row: sa.Row[Any]) -> TaskEnding:
    disposition = None if row.disposition is None else Disposition(row.disposition)
    return TaskEnding(row.task_id, disposition, row.closed_at, row.reached_at)
