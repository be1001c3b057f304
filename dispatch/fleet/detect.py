"""Finds fleet issues and counts them, for `pacc tend`.

Only cases whose model and software are known count, by when they were opened: a day of them, so
that a flood is found also where the pipeline, or `pacc tend`, comes hours behind it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from dispatch.access.acting import Acting
from dispatch.fleet.issues import change_state
from dispatch.read.open_tasks import OPEN
from dispatch.rules.fleet_issue import Surge, issue_id
from models import tables as t
from models.canary import CANARY_VIN
from models.sql import insert_new
from models.words import CaseState, IssueState, SurgeRule

_RECENT: Final = timedelta(minutes=10)
_DAY: Final = timedelta(days=1)
_Group = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Slot:
    """Half a window of one group: its number, how many vehicles, the first and the newest case."""

    number: int
    vehicles: int
    first_seen: datetime
    last_seen: datetime


def update_issues(acting: Acting) -> Counter[str]:
    """Find new issues, count those that are not over, and end or hold them by the rule."""
    connection, at, surge = acting.connection, acting.at, acting.policy.surge
    now = _stream_time(connection, at)
    done: Counter[str] = Counter()
    if now is None:
        return done
    known = {row["issue_id"]: row for row in _issues(connection)}
    for group, slots in sorted(_slots(connection, now, surge).items()):
        issue = known.get(issue_id(*group))
        if issue is None:
            window = next(_surges(slots, now, surge), None)
            if window is not None:
                _begin(acting, group, window, now)
                done["fleet_issue_found"] += 1
        elif issue["state"] == IssueState.OVER.value and _is_back(issue, slots, surge):
            why = "it came back"
            done["fleet_issue_found"] += change_state(acting, issue, IssueState.WATCHED, why)
    _count(acting, now)
    return done + _by_rule(acting, now)


def _stream_time(connection: sa.Connection, at: datetime) -> datetime | None:
    """Return the newest stream time; a record out of the future does not move it past now."""
    newest = connection.execute(sa.select(sa.func.max(t.position.c.watermark))).scalar()
    return None if newest is None else min(newest, at)


def _known() -> sa.ColumnElement[bool]:
    c = t.case.c
    return sa.and_(c.software.is_not(None), c.model.is_not(None), c.vin != CANARY_VIN)


def _half(surge: Surge) -> int:
    """Return half a window in whole seconds: any two slots side by side are one window."""
    return max(1, int(surge.within.total_seconds() / 2))


def _back(surge: Surge) -> timedelta:
    """Return how far back floods are searched for."""
    return max(_DAY, 2 * surge.within)


def _slots(connection: sa.Connection, now: datetime, surge: Surge) -> dict[_Group, dict[int, Slot]]:
    """Count the vehicles of the groups that may be an issue, in slots, twice as far back."""
    c = t.case.c
    of = (c.root, c.model, c.software)
    half = sa.literal_column(str(_half(surge)), sa.BigInteger)
    slot = sa.cast(sa.extract("epoch", c.opened_at), sa.BigInteger) // half
    since = now - _back(surge)
    many = sa.select(*of).where(_known(), c.opened_at > since, c.opened_at <= now)
    many = many.group_by(*of, slot).having(sa.func.count() * 2 >= surge.vehicles).distinct()
    groups: dict[_Group, dict[int, Slot]] = {
        (row.root, row.model, row.software): {} for row in connection.execute(many)
    }
    if not groups:
        return {}
    query = (
        sa.select(
            *of,
            slot.label("slot"),
            sa.func.count(c.vin.distinct()).label("vehicles"),
            sa.func.min(c.opened_at).label("first_seen"),
            sa.func.max(c.opened_at).label("last_seen"),
        )
        .where(_known(), c.opened_at > since - _before(surge) - surge.within)
        .where(c.opened_at <= now)
        .where(c.root.in_(sorted({root for root, _, _ in groups})))
        .group_by(*of, slot)
    )
    for row in connection.execute(query):
        slots = groups.get((row.root, row.model, row.software))
        if slots is not None:
            slots[row.slot] = Slot(row.slot, row.vehicles, row.first_seen, row.last_seen)
    return groups


def _before(surge: Surge) -> timedelta:
    """Return how much earlier lies what is usual: a day, or the window before if it is longer."""
    return max(_DAY, surge.within)


def _windows(slots: Mapping[int, Slot]) -> Iterator[tuple[int, list[Slot]]]:
    """Yield the windows that end with a slot in which something was."""
    for number in sorted(slots):
        yield number, [slots[one] for one in (number - 1, number) if one in slots]


def _surges(slots: Mapping[int, Slot], now: datetime, surge: Surge) -> Iterator[list[Slot]]:
    """Yield the windows that are far above the same time of the day before, the first one first."""
    day = round(_before(surge).total_seconds() / _half(surge))
    since = (now - _back(surge)).timestamp() // _half(surge)
    for number, window in _windows(slots):
        if number <= since:
            continue
        vehicles = sum(one.vehicles for one in window)
        usual = sum(slots[one].vehicles for one in (number - 1 - day, number - day) if one in slots)
        if vehicles >= surge.vehicles and vehicles >= surge.times * usual:
            yield window


def _is_back(issue: Mapping[str, Any], slots: Mapping[int, Slot], surge: Surge) -> bool:
    """Return whether an issue that was over is one again by what came after it alone."""
    last = issue["last_seen"].timestamp() // _half(surge)
    later = {number: one for number, one in slots.items() if number > last}
    return any(
        sum(one.vehicles for one in window) >= surge.vehicles for _, window in _windows(later)
    )


def _issues(connection: sa.Connection) -> list[dict[str, Any]]:
    query = sa.select(t.fleet_issue).order_by(t.fleet_issue.c.issue_id)
    return [dict(row) for row in connection.execute(query).mappings()]


def _begin(acting: Acting, group: _Group, window: list[Slot], now: datetime) -> None:
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
        _known(),
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
