"""Alerts against the cases that they opened or joined, and cases against their tasks."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

import sqlalchemy as sa

from models import tables as t
from models.ids import digest
from models.sql import within
from models.words import CaseState, Outcome
from pacc.reconcile.finding import Finding, findings_of_ids
from pacc.reconcile.ledger_pages import Page, alerts_of

# How many of the newest alerts of a page, and of their vehicles, are followed unless all are.
ALERTS: Final = 500
VEHICLES: Final = 300
_CHUNK: Final = 5000
_COUNTED: Final = (Outcome.OPENED, Outcome.JOINED, Outcome.REPEATED)


def alerts_against_cases(
    connection: sa.Connection, pages: Sequence[Page], *, is_full: bool
) -> list[Finding]:
    """Find alerts without their case: the one that they opened, or one of their vehicle."""
    limit = None if is_full else ALERTS
    orphans: list[str] = []
    for part in _chunks(alerts_of(connection, page, [Outcome.OPENED], limit) for page in pages):
        alert_by_case = {digest("case", fingerprint): fingerprint for fingerprint, _ in part}
        existing = _existing(connection, t.case.c.case_id, list(alert_by_case))
        missing = sorted(alert_by_case.keys() - existing)
        orphans += [alert_by_case[case_id] for case_id in missing]
    stray: set[str] = set()
    joined = (Outcome.JOINED, Outcome.REPEATED)
    for part in _chunks(alerts_of(connection, page, joined, limit) for page in pages):
        vins = sorted({vin for _, vin in part})
        stray |= set(vins) - _existing(connection, t.case.c.vin, vins)
    return [
        *findings_of_ids(
            "alert_without_case",
            orphans,
            "%d alerts opened a case that is not there.",
            "the table `case`: rows are gone; the examples are fingerprints of alerts",
        ),
        *findings_of_ids(
            "vehicle_without_case",
            _example_alerts(connection, sorted(stray)),
            "The alerts of %d vehicles joined a case, and those vehicles have none.",
            "the table `case`: rows are gone; the examples are fingerprints of alerts",
        ),
    ]


def faults_against_alerts(
    connection: sa.Connection, pages: Sequence[Page], *, is_full: bool
) -> list[Finding]:
    """Compare what the faults of a vehicle's cases count with the alerts that are filed of it.

    A pending report counts from when its code is confirmed, so the faults may count as many more
    as are pending, and never less.
    """
    limit = None if is_full else ALERTS
    vins: dict[str, None] = {}
    for page in pages:
        vins.update((vin, None) for _, vin in alerts_of(connection, page, _COUNTED, limit))
    newest = list(vins) if is_full else list(vins)[-VEHICLES:]
    wrong = []
    for part in _parts(newest, VEHICLES):
        filed, pending, examples = _alert_counts(connection, part)
        faults = _fault_counts(connection, part)
        for vin in part:
            least = filed.get(vin, 0)
            if not least <= faults.get(vin, 0) <= least + pending.get(vin, 0):
                wrong.append(examples[vin])
    return findings_of_ids(
        "counts_differ",
        wrong,
        "The faults of %d vehicles count another number of reports than alerts are filed of them.",
        "rows of `alert` or `fault` were changed; the examples are fingerprints of their alerts",
    )


def cases_against_tasks(connection: sa.Connection) -> list[Finding]:
    """Check the open cases: one of each vehicle, one open task a queue, none without a task."""
    c, k = t.case.c, t.task.c
    is_open, is_live = c.state == CaseState.OPEN.value, t.OPEN_TASK
    task = sa.select(k.task_id).where(k.case_id == c.case_id, is_live)
    forgotten = sa.select(c.case_id).where(is_open, c.needs_task, ~task.exists())
    twice = sa.select(k.case_id).where(is_live).group_by(k.case_id, k.queue)
    rivals = sa.select(sa.func.min(c.case_id)).where(is_open).group_by(c.vin)
    case = sa.select(c.case_id).where(c.case_id == k.case_id, is_open)
    stray = sa.select(k.task_id).where(is_live, ~case.exists())
    more = sa.func.count() > 1
    return [
        *findings_of_ids(
            "case_without_task",
            _ids(connection, forgotten),
            "%d open cases need a task and have none that is open: nobody will call.",
            "`pacc case show ID`; the table `task`: rows are gone",
        ),
        *findings_of_ids(
            "tasks_beside",
            _ids(connection, twice.having(more)),
            "%d cases have more than one open task in one queue: two people may call one driver.",
            "the index uq_task_open_case_queue: is it there?",
        ),
        *findings_of_ids(
            "cases_beside",
            _ids(connection, rivals.having(more)),
            "%d vehicles have more than one open case.",
            "the index uq_case_open_vin: is it there?",
        ),
        *findings_of_ids(
            "task_without_case",
            _ids(connection, stray),
            "%d tasks are open and their case is not: it has ended or is gone.",
            "`pacc task list`; the table `case`",
        ),
    ]


def tasks_made(connection: sa.Connection, *, is_full: bool) -> list[Finding]:
    """Compare how many tasks a case has with how many it says that it made."""
    c, k = t.case.c, t.task.c
    count = sa.select(sa.func.count()).where(k.vin == c.vin, k.case_id == c.case_id)
    query = sa.select(c.case_id, c.tasks_made, count.scalar_subquery().label("there"))
    if not is_full:
        o = t.outbox.c
        recent = sa.select(o.case_id).order_by(o.seq.desc()).limit(_CHUNK).subquery()
        query = query.where(c.case_id.in_(sa.select(recent.c.case_id)))
    rows = sa.select(query.subquery())
    wrong = rows.where(rows.selected_columns.there != rows.selected_columns.tasks_made)
    return findings_of_ids(
        "tasks_differ",
        _ids(connection, wrong),
        "%d cases say that they made another number of tasks than there are of them.",
        "`pacc case show ID`; the table `task`: rows are gone or were added",
    )


def _ids(connection: sa.Connection, query: sa.Select[Any]) -> Sequence[str]:
    return sorted(connection.execute(query).scalars())


def _existing(connection: sa.Connection, column: sa.Column[Any], values: Sequence[str]) -> set[str]:
    query = sa.select(column).where(within(connection, column, values))
    return set(connection.execute(query).scalars())


def _example_alerts(connection: sa.Connection, vins: Sequence[str]) -> list[str]:
    """Return an alert of each vehicle, to be named instead of the VIN, which never leaves here."""
    a = t.alert.c
    query = sa.select(sa.func.max(a.fingerprint)).where(within(connection, a.vin, vins))
    return list(connection.execute(query.group_by(a.vin)).scalars())


def _alert_counts(
    connection: sa.Connection, vins: Sequence[str]
) -> tuple[dict[str, int], dict[str, int], dict[str, str]]:
    """Count by vehicle the alerts that a fault counts and those that are pending; name one each."""
    a = t.alert.c
    counts = a.outcome.in_([outcome.value for outcome in _COUNTED])
    query = (
        sa.select(
            a.vin,
            sa.func.max(a.fingerprint).label("one"),
            sa.func.count().filter(counts).label("filed"),
            sa.func.count().filter(a.outcome == Outcome.HELD.value).label("held"),
        )
        .where(within(connection, a.vin, vins))
        .group_by(a.vin)
    )
    rows = connection.execute(query).all()
    return (
        {row.vin: row.filed for row in rows},
        {row.vin: row.held for row in rows},
        {row.vin: row.one for row in rows},
    )


def _fault_counts(connection: sa.Connection, vins: Sequence[str]) -> dict[str, int]:
    c, f = t.case.c, t.fault.c
    query = (
        sa.select(c.vin, sa.func.sum(f.count))
        .select_from(t.case.join(t.fault, f.case_id == c.case_id))
        .where(within(connection, c.vin, vins))
        .group_by(c.vin)
    )
    return {vin: int(count) for vin, count in connection.execute(query)}


def _chunks(
    streams: Iterable[Iterator[tuple[str, str]]],
) -> Iterator[list[tuple[str, str]]]:
    rows = (row for stream in streams for row in stream)
    while part := list(islice(rows, _CHUNK)):
        yield part


def _parts(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
