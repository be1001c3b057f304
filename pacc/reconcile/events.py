"""The outbox: events without a case, events that are gone, and those that wait too long."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from models import tables as t
from models.sql import within
from pacc.reconcile.finding import Finding, findings_of_ids

# How many of the newest events are compared unless all are.
EVENTS: Final = 5000
# Sent events are kept for seven days: the events of a case since then are all there.
_KEPT: Final = timedelta(days=6)
_CHUNK: Final = 5000


def outbox(
    connection: sa.Connection, at: datetime, unsent_after: timedelta | None, *, is_full: bool
) -> list[Finding]:
    """Compare the outbox with the cases, and find events that wait too long at `at`."""
    o = t.outbox.c
    query = sa.select(o.case_id, sa.func.max(o.seq)).group_by(o.case_id)
    if not is_full:
        newest = connection.execute(sa.select(sa.func.max(o.seq))).scalar() or 0
        query = query.where(o.seq > newest - EVENTS)
    case_ids = [row.case_id for row in connection.execute(query.order_by(sa.func.max(o.seq)))]
    orphans: list[str] = []
    incomplete: list[str] = []
    for start in range(0, len(case_ids), _CHUNK):
        part = case_ids[start : start + _CHUNK]
        cases = _cases(connection, part)
        orphans += [case_id for case_id in part if case_id not in cases]
        incomplete += _incomplete(connection, cases, at)
    return [
        *findings_of_ids(
            "event_without_case",
            orphans,
            "Events tell of %d cases that are not there.",
            "the table `case`: rows are gone",
        ),
        *findings_of_ids(
            "events_missing",
            incomplete,
            "Events of %d cases are not in the outbox although they were never cleared from it: "
            "whoever follows the topics has not been told.",
            "`pacc case show ID` has what happened; the table `outbox`: rows are gone",
        ),
        *_unsent(connection, at, unsent_after),
    ]


def _cases(connection: sa.Connection, ids: Sequence[str]) -> dict[str, Any]:
    c = t.case.c
    query = sa.select(c.case_id, c.revision, c.opened_at)
    rows = connection.execute(query.where(within(connection, c.case_id, ids)))
    return {row.case_id: row for row in rows}


def _incomplete(connection: sa.Connection, cases: dict[str, Any], at: datetime) -> list[str]:
    """Return the cases whose events are not all there, from the oldest kept to the newest."""
    o = t.outbox.c
    query = (
        sa.select(
            o.case_id,
            sa.func.min(o.case_seq).label("first"),
            sa.func.max(o.case_seq).label("last"),
            sa.func.count().label("there"),
        )
        .where(within(connection, o.case_id, list(cases)))
        .group_by(o.case_id)
    )
    incomplete = []
    for row in connection.execute(query):
        case = cases[row.case_id]
        is_whole = row.there == row.last - row.first + 1 and row.last == case.revision
        is_young = case.opened_at > at - _KEPT
        if not is_whole or (is_young and row.first != 1):
            incomplete.append(row.case_id)
    return sorted(incomplete)


def _unsent(
    connection: sa.Connection, at: datetime, unsent_after: timedelta | None
) -> list[Finding]:
    """Find events that wait although the relay has sent nothing for as long as they may wait."""
    o = t.outbox.c
    waits = sa.select(sa.func.count(), sa.func.min(o.seq)).where(o.sent_at.is_(None))
    count, oldest = connection.execute(waits).one()
    if not count or unsent_after is None:
        return []
    since = connection.execute(sa.select(o.at).where(o.seq == oldest)).scalar_one()
    before = sa.select(o.sent_at).where(o.seq < oldest).order_by(o.seq.desc()).limit(1)
    age = at - max(since, connection.execute(before).scalar() or since)
    if age <= unsent_after:
        return []
    return [
        Finding(
            "unsent",
            count,
            f"{count} events wait to be sent, the oldest for {_age_text(age)}.",
            "is `pacc tend` running, with PACC_RELAY=true, and does Kafka take events? "
            "`pacc doctor`",
        )
    ]


def _age_text(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    hours, days = minutes // 60, minutes // (60 * 24)
    if days:
        return f"{days} days"
    return f"{hours} hours" if hours else f"{minutes} minutes"
