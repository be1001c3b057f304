"""Fleet issues as people see them: the list, and holding their tasks back or releasing them."""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from dispatch.access.acting import Acting
from dispatch.access.visibility import seen, sees_any
from dispatch.read.open_tasks import OPEN
from dispatch.rules.fleet_issue import FleetIssue
from models import tables as t
from models.case import Build
from models.errors import Conflict, NotAllowed, NotThere
from models.person import Actor
from models.words import IssueState, Role, SurgeRule

# Who sees fleet issues; a supervisor of all desks decides on them.
VIEWERS: Final = (Role.SUPERVISOR, Role.ADMINISTRATOR, Role.ENGINEER)
_DONE: Final = {IssueState.HOLDING: "fleet_issue_held", IssueState.RELEASED: "fleet_issue_released"}
_MINUTES: Final = 10


def holding(connection: sa.Connection) -> dict[str, FleetIssue]:
    """Return the fleet issues whose tasks are held back, by id: for the pipeline, in one statement.

    The number of vehicles is that of the last count.
    """
    i = t.fleet_issue.c
    query = sa.select(i.issue_id, i.code, i.model, i.software, i.vehicles)
    rows = connection.execute(query.where(i.state == IssueState.HOLDING.value))
    return {
        row.issue_id: FleetIssue(
            row.issue_id, row.code, Build(row.model, row.software), row.vehicles
        )
        for row in rows
    }


def list_issues(
    connection: sa.Connection, actor: Actor, *, is_all: bool = False
) -> list[dict[str, Any]]:
    """Return the issues with tasks at the actor's desks, the largest first; ended ones if `is_all`.

    `vehicles` counts the whole fleet; `open` and `held` count tasks at the actor's desks.
    """
    i = t.fleet_issue.c
    query = sa.select(t.fleet_issue).order_by(i.vehicles.desc(), i.issue_id)
    if not is_all:
        query = query.where(
            sa.or_(i.state != IssueState.OVER.value, i.issue_id.in_(_holding_ids()))
        )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    counts = _held_back(connection, actor)
    return [_shown(row, actor, counts) for row in rows if sees_any(row["desks"], actor)]


def decide_on(acting: Acting, issue_id: str, to: IssueState, reason: str) -> None:
    """Hold an issue's tasks back, or release them; both are kept in the audit.

    Raises `NotAllowed` for anybody but a supervisor of all desks, whose tasks it touches;
    `NotThere` for an issue out of sight; `Conflict` where it is so already, or switched off.
    """
    actor = acting.actor
    if actor.role is not Role.SUPERVISOR:
        raise NotAllowed("Holding a fleet issue back takes a supervisor.")
    i = t.fleet_issue.c
    query = sa.select(t.fleet_issue).where(i.issue_id == issue_id).with_for_update()
    rows = [dict(row) for row in acting.connection.execute(query).mappings()]
    if not rows or not sees_any(rows[0]["desks"], actor):
        raise NotThere("There is no fleet issue %(id)s.", {"id": issue_id})
    if actor.desks is not None:
        raise NotAllowed("It touches the tasks of every desk: a supervisor of all desks decides.")
    if to is IssueState.HOLDING and acting.policy.surge.rule is SurgeRule.OFF:
        raise Conflict("Holding back is switched off by `PACC_SURGE`.")
    (row,) = rows
    is_held = row["state"] == IssueState.HOLDING.value
    if is_held and to is IssueState.HOLDING:
        raise Conflict("The tasks of this issue are held back already.")
    if not is_held and to is IssueState.RELEASED:
        raise Conflict("The tasks of this issue are not held back.")
    change_state(acting, row, to, reason)


def change_state(acting: Acting, row: Mapping[str, Any], to: IssueState, reason: str) -> bool:
    """Change an issue's state, with who, when and why; return whether nobody was faster."""
    i = t.fleet_issue.c
    connection, by, at = acting.connection, acting.actor.name, acting.at
    changes: dict[str, Any] = {
        "state": to.value,
        "changed_by": by,
        "changed_at": at,
        "reason": reason,
        "let_go_at": None if to is IssueState.HOLDING else at,
    }
    is_same = sa.and_(i.issue_id == row["issue_id"], i.state == row["state"])
    if connection.execute(sa.update(t.fleet_issue).where(is_same).values(changes)).rowcount != 1:
        return False
    detail = {name: row[name] for name in ("issue_id", "code", "model", "software")}
    act = _DONE.get(to, f"fleet_issue_{to.value}")
    connection.execute(
        sa.insert(t.audit).values(at=at, actor=by, act=act, detail={**detail, "reason": reason})
    )
    return True


def show_issue(connection: sa.Connection, issue_id: str, actor: Actor) -> dict[str, Any]:
    """Return one fleet issue. Raises `NotThere` if there is none, or none to see."""
    for row in list_issues(connection, actor, is_all=True):
        if row["issue_id"] == issue_id:
            return row
    raise NotThere("There is no fleet issue %(id)s.", {"id": issue_id})


def may_decide(actor: Actor) -> bool:
    """Return whether the actor may hold an issue's tasks back and release them."""
    return actor.role is Role.SUPERVISOR and actor.desks is None


def _holding_ids() -> sa.Select[tuple[str]]:
    k = t.task.c
    return sa.select(k.issue_id).where(k.issue_id.is_not(None), OPEN)


def _held_back(connection: sa.Connection, actor: Actor) -> dict[str, int]:
    k = t.task.c
    query = sa.select(k.issue_id, sa.func.count()).where(
        k.issue_id.is_not(None), OPEN, seen(k.desk, actor)
    )
    return dict(connection.execute(query.group_by(k.issue_id)).all())


def _shown(row: Mapping[str, Any], actor: Actor, held_back: Mapping[str, int]) -> dict[str, Any]:
    names = (
        "issue_id",
        "code",
        "model",
        "software",
        "state",
        "first_seen",
        "last_seen",
        "vehicles",
        "changed_by",
        "changed_at",
        "reason",
    )
    return {
        **{name: row[name] for name in names},
        "per_minute": row["recent"] / _MINUTES,
        "open": sum(count for desk, count in row["desks"].items() if actor.sees(desk)),
        "held": held_back.get(row["issue_id"], 0),
    }
