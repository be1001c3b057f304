"""Finds fleet issues and counts them, for `pacc tend`.

Only cases whose model and software are known count, by when they were opened. Every hour of stream
time is searched, whenever `pacc tend` looks: looks after each hour, or one look after a replay of
weeks at full speed, find the same issues with the same beginning.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from dispatch.access.acting import Acting
from dispatch.fleet.issues import change_state
from dispatch.fleet.searched import Unsearched, note_searched, unsearched
from dispatch.fleet.slots import Group, Slot, count_slots, known_build, slot_of, surges, windows
from dispatch.read.open_tasks import OPEN
from dispatch.rules.fleet_issue import Surge, issue_id
from models import tables as t
from models.sql import insert_new
from models.words import CaseState, IssueState, SurgeRule

_RECENT: Final = timedelta(minutes=10)
_DAY: Final = timedelta(days=1)
_BEGINNING: Final = datetime(2010, 1, 1, tzinfo=UTC)


def update_issues(acting: Acting) -> Counter[str]:
    """Find new issues, count those that are not over, and end or hold them by the rule."""
    unseen = unsearched(acting.connection, acting.at)
    if unseen is None:
        return Counter()
    done = _search(acting, unseen) if unseen.rows else Counter[str]()
    _count(acting, unseen.until)
    return done + _by_rule(acting, unseen.until)


def _search(acting: Acting, unseen: Unsearched) -> Counter[str]:
    """Search the hours that no look has seen, and a day before them, for floods."""
    connection, surge = acting.connection, acting.policy.surge
    done: Counter[str] = Counter()
    since = unseen.since - _overlap(surge) if unseen.since else _BEGINNING
    known = {row["issue_id"]: row for row in _issues(connection)}
    for group, slots in sorted(count_slots(connection, since, unseen.until, surge).items()):
        issue = known.get(issue_id(*group))
        window = next(surges(slots, since, surge), None)
        if issue is None and window is not None:
            _begin(acting, group, window, unseen.until)
            done["fleet_issue_found"] += 1
        elif issue is None:
            continue
        elif issue["state"] == IssueState.OVER.value and _is_back(issue, slots, surge):
            why = "it came back"
            done["fleet_issue_found"] += change_state(acting, issue, IssueState.WATCHED, why)
        elif window is not None and window[0].first_seen < issue["first_seen"]:
            _begin_earlier(connection, issue["issue_id"], window[0].first_seen)
    note_searched(connection, unseen.rows)
    return done


def _overlap(surge: Surge) -> timedelta:
    """Return how far before its newest time a partition may still bring a record."""
    return max(_DAY, 2 * surge.within)


def _begin_earlier(connection: sa.Connection, issue_id_: str, first_seen: datetime) -> None:
    """Set back the beginning of an issue: a partition that is behind brought what was before."""
    i = t.fleet_issue.c
    update = sa.update(t.fleet_issue).where(i.issue_id == issue_id_)
    connection.execute(update.values(first_seen=first_seen))


def _is_back(issue: Mapping[str, Any], slots: Mapping[int, Slot], surge: Surge) -> bool:
    """Return whether an issue that was over is one again by what came after it alone."""
    last = slot_of(issue["last_seen"], surge)
    later = {number: one for number, one in slots.items() if number > last}
    return any(
        sum(one.vehicles for one in window) >= surge.vehicles for _, window in windows(later)
    )


def _issues(connection: sa.Connection) -> list[dict[str, Any]]:
    query = sa.select(t.fleet_issue).order_by(t.fleet_issue.c.issue_id)
    return [dict(row) for row in connection.execute(query).mappings()]


def _begin(acting: Acting, group: Group, window: list[Slot], now: datetime) -> None:
    """Insert a new issue; two who find it at once write it once."""
    code, model, software = group
    row = {
        "issue_id": issue_id(*group),
        "code": code,
        "model": model,
        "software": software,
        "state": IssueState.WATCHED.value,
        "vehicles": sum(one.vehicles for one in window),
        "first_seen": window[0].first_seen,
        "last_seen": window[-1].last_seen,
        "recent": 0,
        "grew_at": acting.at,
        "grew_stream": now,
        "grew_from": 0,
        "desks": {},
        "changed_by": acting.actor.name,
        "changed_at": acting.at,
        "reason": "",
    }
    insert_new(acting.connection, t.fleet_issue, [row])


def _of_it() -> sa.ColumnElement[bool]:
    """Return the condition that a case is one of an issue."""
    i, c = t.fleet_issue.c, t.case.c
    return sa.and_(
        known_build(),
        c.root == i.code,
        c.model == i.model,
        c.software == i.software,
        c.opened_at >= i.first_seen,
    )


def _count(acting: Acting, now: datetime) -> None:
    """Bring the numbers of every issue that is not over up to date."""
    connection, at, surge = acting.connection, acting.at, acting.policy.surge
    i, c = t.fleet_issue.c, t.case.c
    query = (
        sa.select(
            i.issue_id,
            sa.func.count(c.vin.distinct()).label("vehicles"),
            sa.func.max(c.opened_at).label("last_seen"),
        )
        .select_from(t.fleet_issue.join(t.case, _of_it()))
        .where(i.state != IssueState.OVER.value)
        .group_by(i.issue_id)
    )
    numbers = {row.issue_id: row for row in connection.execute(query)}
    desks = _at_desks(connection)
    for issue in _issues(connection):
        count = numbers.get(issue["issue_id"])
        if count is None:
            continue
        values = {"vehicles": count.vehicles, "last_seen": count.last_seen}
        if count.vehicles - issue["grew_from"] >= _growth(surge):
            values |= {"grew_at": at, "grew_stream": now, "grew_from": count.vehicles}
        is_growing = at - values.get("grew_at", issue["grew_at"]) < _RECENT
        values["recent"] = _recent(connection, issue["issue_id"], count.last_seen, is_growing)
        values["desks"] = desks.get(issue["issue_id"], {})
        update = sa.update(t.fleet_issue).where(i.issue_id == issue["issue_id"])
        connection.execute(update.values(**values))


def _growth(surge: Surge) -> float:
    """Return how many vehicles are growth: an issue that gets fewer is quiet."""
    return max(1, surge.vehicles / 10)


def _recent(
    connection: sa.Connection,
    issue_id_: str,
    last_seen: datetime,
    is_growing: bool,  # noqa: FBT001 - named at its only call
) -> int:
    """Count the vehicles of its newest ten minutes: how fast it comes, however late we are."""
    if not is_growing:
        return 0
    query = (
        sa.select(sa.func.count())
        .select_from(t.fleet_issue.join(t.case, _of_it()))
        .where(t.fleet_issue.c.issue_id == issue_id_, t.case.c.opened_at > last_seen - _RECENT)
    )
    return int(connection.execute(query).scalar_one())


def _at_desks(connection: sa.Connection) -> dict[str, dict[str, int]]:
    """Count the open tasks of every issue at each desk."""
    i, c, k = t.fleet_issue.c, t.case.c, t.task.c
    joined = t.fleet_issue.join(t.case, _of_it()).join(t.task, k.case_id == c.case_id)
    query = (
        sa.select(i.issue_id, k.desk, sa.func.count().label("tasks"))
        .select_from(joined)
        .where(i.state != IssueState.OVER.value, c.state == CaseState.OPEN.value, OPEN)
        .group_by(i.issue_id, k.desk)
    )
    desks: dict[str, dict[str, int]] = {}
    for row in connection.execute(query):
        desks.setdefault(row.issue_id, {})[row.desk] = row.tasks
    return desks


def _by_rule(acting: Acting, now: datetime) -> Counter[str]:
    """End what is quiet; hold what is new if the rule says so; release if it is switched off.

    Quiet is what has not grown by our clock and by stream time: while the pipeline stands still, or
    works off what has piled up, nothing is over.
    """
    at, surge = acting.at, acting.policy.surge
    done: Counter[str] = Counter()
    for row in _issues(acting.connection):
        state = IssueState(row["state"])
        if state is IssueState.OVER:
            continue
        quiet = min(at - row["grew_at"], now - row["grew_stream"])
        if quiet >= surge.over_after:
            done["fleet_issue_over"] += change_state(acting, row, IssueState.OVER, "quiet")
        elif state is IssueState.WATCHED and surge.rule is SurgeRule.HOLD:
            why = "PACC_SURGE=hold"
            done["fleet_issue_held"] += change_state(acting, row, IssueState.HOLDING, why)
        elif state is IssueState.HOLDING and surge.rule is SurgeRule.OFF:
            why = "PACC_SURGE=off"
            done["fleet_issue_released"] += change_state(acting, row, IssueState.RELEASED, why)
    return done
