"""The supervisor's board and the wall: load, missed promises, who has how much, what is muted."""

from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from dispatch.access.api_auth import InOffice, WebContext
from dispatch.access.visibility import seen
from dispatch.console.login.session import AsSupervisor, AsVisitor, Visitor
from dispatch.console.show import queue_rows
from dispatch.console.show.refusals import Refused
from dispatch.console.show.templates import render
from dispatch.fleet.issues import list_matters, may_decide
from dispatch.read.open_tasks import MISSED, OPEN
from dispatch.rules.policy import DispatchPolicy
from models import tables as t
from models.person import Actor
from models.words import Queue

router = APIRouter(include_in_schema=False)
BUDGET: Final = 1  # urgent cases that one operator takes within ten minutes
_WINDOW: Final = timedelta(minutes=10)
_WALL_ROWS: Final = 8


@router.get("/board")
def board(request: Request, office: InOffice, visitor: AsSupervisor) -> Response:
    """Show all desks that the supervisor answers for."""
    return page(request, office, visitor)


def page(
    request: Request,
    office: WebContext,
    visitor: Visitor,
    wrong: Refused | None = None,
    status: int = 200,
) -> Response:
    """Show the board as it is now, and what was wrong with the form that was sent, if it was."""
    at = office.now()
    codes = request.app.state.console.codes
    with office.engine.begin() as connection:
        matters = list_matters(connection, visitor.actor)
        context = {
            "matters": [{**one, "title": codes(one["code"]).title} for one in matters],
            "can_decide": may_decide(visitor.actor),
            "surge": office.house.surge.rule.value,
            "wrong": wrong,
            "notice": wrong.says if wrong else "",
            "desks": _desks(connection, visitor.actor, at, office.house),
            "operators": _operators(connection, visitor.actor, at),
            "muted": _muted(connection, visitor.actor, office.house),
            "budget": BUDGET,
            "floods": [
                (office.house.directory.desk(desk), count)
                for desk, count in queue_rows.floods(connection, at).items()
                if visitor.actor.sees(desk)
            ],
        }
    return render(visitor.reader, "board.html", context, status=status)


@router.get("/wall")
def wall(request: Request, office: InOffice, visitor: AsVisitor) -> Response:
    """Show the room what matters, readable from five metres; nothing personal."""
    return render(visitor.reader, "wall.html", _wall(request, office, visitor))


def _wall(request: Request, office: WebContext, visitor: Visitor) -> dict[str, Any]:
    codes = request.app.state.console.codes
    with office.engine.begin() as connection:
        rows = queue_rows.queue(connection, visitor.actor, office.house, Queue.ROADSIDE, "urgent")
        counts = queue_rows.counts(connection, visitor.actor, Queue.ROADSIDE)
        waiting, oldest = queue_rows.unclaimed(connection, visitor.actor, Queue.ROADSIDE)
    shown = [{**row, "title": codes(row["cause"]).title} for row in rows[:_WALL_ROWS]]
    return {"rows": shown, "counts": counts, "waiting": waiting, "oldest": oldest}


def _desks(
    connection: sa.Connection, actor: Actor, at: datetime, house: DispatchPolicy
) -> list[dict[str, Any]]:
    """Open work per desk: how much, how much of it late, and the oldest that nobody has.

    What a fleet-wide matter holds back is counted there.
    """
    k = t.task.c
    is_unclaimed = sa.and_(k.holder.is_(None), k.state == "queued", k.paused_at.is_(None))

    def counted(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)

    query = (
        sa.select(
            k.desk,
            k.queue,
            sa.func.count().label("open"),
            counted(k.priority == "urgent").label("urgent"),
            counted(k.priority == "high").label("high"),
            counted(k.holder.is_not(None)).label("in_hand"),
            counted(MISSED).label("missed"),
            sa.func.min(sa.case((is_unclaimed, k.opened_at))).label("oldest"),
        )
        .where(OPEN, k.issue_id.is_(None), seen(k.desk, actor))
        .group_by(k.desk, k.queue)
        .order_by(sa.desc("urgent"), sa.desc("missed"), sa.desc("high"), k.desk)
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    for row in rows:
        found = house.directory.desk(row["desk"])
        row["name"] = found.name if found else {"zh": row["desk"], "en": row["desk"]}
        row["age"] = at - row["oldest"] if row["oldest"] else None
    return rows


def _operators(connection: sa.Connection, actor: Actor, at: datetime) -> list[dict[str, Any]]:
    """What each person has in hand, and how many urgent cases they took within ten minutes."""
    k, e = t.task.c, t.entry.c
    held = sa.select(k.holder_name, sa.func.count()).where(
        k.holder.is_not(None), OPEN, seen(k.desk, actor)
    )
    took = (
        sa.select(e.actor, sa.func.count())
        .join(t.task, k.task_id == e.task_id)
        .where(e.kind == "task_claimed", e.at > at - _WINDOW, k.priority == "urgent")
        .where(seen(k.desk, actor))
    )
    people: dict[str, dict[str, Any]] = {}
    for name, count in connection.execute(held.group_by(k.holder_name)):
        people.setdefault(str(name), {"held": 0, "urgent": 0})["held"] = count
    for name, count in connection.execute(took.group_by(e.actor)):
        people.setdefault(str(name), {"held": 0, "urgent": 0})["urgent"] = count
    return [{"name": name, **one} for name, one in sorted(people.items())]


def _muted(connection: sa.Connection, actor: Actor, house: DispatchPolicy) -> list[dict[str, Any]]:
    """Stop faults that are kept quiet, by a silence before by a matter: shown, never hidden."""
    k, f = t.task.c, t.fault.c
    stops = sa.select(f.case_id).where(f.severity == "stop", f.status.in_(("active", "lamp_only")))
    query = (
        queue_rows.row_query()
        .where(OPEN, k.held_zh.is_not(None), seen(k.desk, actor))
        .where(k.case_id.in_(stops))
        .order_by(k.issue_id.is_not(None), k.opened_at, k.task_id)
        .limit(50)
    )
    found = connection.execute(query).mappings()
    return [queue_rows.shown(dict(row), actor, house) for row in found]
