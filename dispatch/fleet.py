"""Finds fleet-wide matters and counts them: what `pacc tend` looks at now and then.

Time is stream time: the newest record, never later than now. Only cases whose model and software
are known are looked at: those of an hour, of the same hour a day before, and of known matters.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from dispatch.matter import turn
from dispatch.surge import IssueState, Surge, SurgeRule, issue_id
from models import tables as t
from models.canary import CANARY_VIN
from models.person import CLOCKWORK
from models.sql import insert_new

_RECENT: Final = timedelta(minutes=10)
_DAY: Final = timedelta(days=1)
_Group = tuple[str, str, str]


def look(connection: sa.Connection, at: datetime, surge: Surge) -> Counter[str]:
    """Find new matters, count those that are not over, and end or hold them by the rule."""
    now = _stream_time(connection, at)
    done: Counter[str] = Counter()
    if now is None:
        return done
    found = _surges(connection, now, surge)
    known = {row["issue_id"]: row for row in _matters(connection)}
    fresh = [one for key, one in found.items() if key not in known]
    usual = _a_day_before(connection, fresh, now, surge)
    for one in fresh:
        if one["vehicles"] >= surge.times * usual.get(_group(one), 0):
            _begin(connection, one, at)
            done["fleet_issue_found"] += 1
    for key in sorted(found.keys() & known.keys()):
        if known[key]["state"] == IssueState.OVER.value:
            back = _turned(connection, known[key], IssueState.WATCHED, at, "it came back")
            done["fleet_issue_found"] += back
    lately = _count(connection, now, surge)
    return done + _by_rule(connection, lately, at, surge)


def _stream_time(connection: sa.Connection, at: datetime) -> datetime | None:
    """Give the newest stream time; a record out of the future does not move it past now."""
    newest = connection.execute(sa.select(sa.func.max(t.position.c.watermark))).scalar()
    return None if newest is None else min(newest, at)


def _known() -> sa.ColumnElement[bool]:
    c = t.case.c
    return sa.and_(c.software.is_not(None), c.model.is_not(None), c.vin != CANARY_VIN)


def _group(row: Mapping[str, Any]) -> _Group:
    return row["code"], row["model"], row["software"]


def _counted(since: datetime, until: datetime) -> sa.Select[Any]:
    """Count the vehicles of each group whose case was opened after `since`."""
    c = t.case.c
    return (
        sa.select(
            c.root.label("code"), c.model, c.software,
            sa.func.count(c.vin.distinct()).label("vehicles"),
            sa.func.min(c.opened_at).label("first_seen"),
            sa.func.max(c.opened_at).label("last_seen"),
        )
        .where(_known(), c.opened_at > since, c.opened_at <= until)
        .group_by(c.root, c.model, c.software)
    )  # fmt: skip


def _surges(connection: sa.Connection, now: datetime, surge: Surge) -> dict[str, dict[str, Any]]:
    """Find the groups with enough vehicles within the window, by id."""
    query = _counted(now - surge.within, now)
    query = query.having(sa.func.count(t.case.c.vin.distinct()) >= surge.vehicles)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return {issue_id(*_group(row)): row for row in rows}


def _a_day_before(
    connection: sa.Connection, groups: Sequence[Mapping[str, Any]], now: datetime, surge: Surge
) -> dict[_Group, int]:
    """Count the same groups at the same time of the day before: what is usual at this hour."""
    if not groups:
        return {}
    then = now - max(_DAY, surge.within)
    query = _counted(then - surge.within, then)
    query = query.where(t.case.c.root.in_(sorted({one["code"] for one in groups})))
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return {_group(row): row["vehicles"] for row in rows}


def _matters(connection: sa.Connection) -> list[dict[str, Any]]:
    query = sa.select(t.fleet_issue).order_by(t.fleet_issue.c.issue_id)
    return [dict(row) for row in connection.execute(query).mappings()]


def _begin(connection: sa.Connection, group: Mapping[str, Any], at: datetime) -> None:
    """Write a new matter; two who find it at once write it once."""
    row = {
        **group, "issue_id": issue_id(*_group(group)), "state": IssueState.WATCHED.value,
        "recent": 0, "desks": {}, "changed_by": CLOCKWORK, "changed_at": at, "reason": "",
    }  # fmt: skip
    insert_new(connection, t.fleet_issue, [row])


def _of_it() -> sa.ColumnElement[bool]:
    """Say that a case is one of a matter."""
    i, c = t.fleet_issue.c, t.case.c
    return sa.and_(
        _known(), c.root == i.code, c.model == i.model, c.software == i.software,
        c.opened_at >= i.first_seen,
    )  # fmt: skip


def _count(connection: sa.Connection, now: datetime, surge: Surge) -> dict[str, int]:
    """Bring the numbers of every matter up to date; say how many vehicles joined it lately."""
    i, c = t.fleet_issue.c, t.case.c
    lately = now - max(surge.over_after, surge.within)
    query = (
        sa.select(
            i.issue_id,
            sa.func.count(c.vin.distinct()).label("vehicles"),
            sa.func.max(c.opened_at).label("last_seen"),
            sa.func.count().filter(c.opened_at > now - _RECENT).label("recent"),
            sa.func.count().filter(c.opened_at > lately).label("lately"),
        )
        .select_from(t.fleet_issue.join(t.case, _of_it()))
        .where(i.state != IssueState.OVER.value)
        .group_by(i.issue_id)
    )
    rows = connection.execute(query).mappings().all()
    desks = _at_desks(connection)
    for row in rows:
        values = {name: row[name] for name in ("vehicles", "last_seen", "recent")}
        connection.execute(
            sa.update(t.fleet_issue)
            .where(i.issue_id == row["issue_id"])
            .values(**values, desks=desks.get(row["issue_id"], {}))
        )
    return {row["issue_id"]: row["lately"] for row in rows}


def _at_desks(connection: sa.Connection) -> dict[str, dict[str, int]]:
    """Count the open tasks of every matter at each desk."""
    i, c, k = t.fleet_issue.c, t.case.c, t.task.c
    joined = t.fleet_issue.join(t.case, _of_it()).join(t.task, k.case_id == c.case_id)
    query = (
        sa.select(i.issue_id, k.desk, sa.func.count().label("tasks"))
        .select_from(joined)
        .where(i.state != IssueState.OVER.value, c.state == "open", k.state != "done")
        .group_by(i.issue_id, k.desk)
    )
    desks: dict[str, dict[str, int]] = {}
    for row in connection.execute(query):
        desks.setdefault(row.issue_id, {})[row.desk] = row.tasks
    return desks


def _by_rule(
    connection: sa.Connection, lately: Mapping[str, int], at: datetime, surge: Surge
) -> Counter[str]:
    """End what is quiet; hold what is new if the rule is to; let go if it is switched off."""
    done: Counter[str] = Counter()
    for row in _matters(connection):
        state = IssueState(row["state"])
        if state is IssueState.OVER:
            continue
        if lately.get(row["issue_id"], 0) < max(1, surge.vehicles / 10):
            done["fleet_issue_over"] += _turned(connection, row, IssueState.OVER, at, "quiet")
        elif state is IssueState.WATCHED and surge.rule is SurgeRule.HOLD:
            why = "PACC_SURGE=hold"
            done["fleet_issue_held"] += _turned(connection, row, IssueState.HOLDING, at, why)
        elif state is IssueState.HOLDING and surge.rule is SurgeRule.OFF:
            why = "PACC_SURGE=off"
            done["fleet_issue_released"] += _turned(connection, row, IssueState.RELEASED, at, why)
    return done


def _turned(
    connection: sa.Connection, row: Mapping[str, Any], to: IssueState, at: datetime, why: str
) -> bool:
    return turn(connection, row, to, CLOCKWORK, at, why)
