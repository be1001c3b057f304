"""The supervisor's board and the wall: load, missed promises, who has how much, what is muted."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from dispatch.access.api_auth import InOffice, WebContext
from dispatch.console.login.session import AsSupervisor, AsVisitor, Visitor
from dispatch.console.show.queue_rows import shown
from dispatch.console.show.refusals import Refused
from dispatch.console.show.templates import render
from dispatch.fleet.issues import list_issues, may_decide
from dispatch.read import queue
from dispatch.read.load import desk_loads, floods, person_loads, unclaimed
from dispatch.read.queue import Tab
from models.words import Queue

router = APIRouter(include_in_schema=False)
BUDGET: Final = 1  # urgent cases that one operator takes within ten minutes
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
    at, actor, house = office.now(), visitor.actor, office.house
    console = request.app.state.console
    with office.engine.begin() as connection:
        fleet_issues = list_issues(connection, actor)
        context = {
            "fleet_issues": [
                {**one, "title": console.codes(one["code"], None).title} for one in fleet_issues
            ],
            "can_decide": may_decide(actor),
            "surge": house.surge.rule.value,
            "wrong": wrong,
            "notice": wrong.says if wrong else "",
            "desks": desk_loads(connection, actor, house.directory),
            "operators": person_loads(connection, actor, at),
            "muted": [shown(row, actor, house, console) for row in queue.muted(connection, actor)],
            "budget": BUDGET,
            "floods": [
                (house.directory.desk(desk), count)
                for desk, count in floods(connection, at).items()
                if actor.sees(desk)
            ],
        }
    return render(visitor.reader, "board.html", context, status=status)


@router.get("/wall")
def wall(request: Request, office: InOffice, visitor: AsVisitor) -> Response:
    """Show the room what matters, readable from five metres; nothing personal."""
    return render(visitor.reader, "wall.html", _wall(request, office, visitor))


def _wall(request: Request, office: WebContext, visitor: Visitor) -> dict[str, Any]:
    actor, console = visitor.actor, request.app.state.console
    with office.engine.begin() as connection:
        rows = queue.queue(connection, actor, Queue.ROADSIDE, Tab.URGENT)
        counts = queue.counts(connection, actor, Queue.ROADSIDE)
        waiting, oldest = unclaimed(connection, actor, Queue.ROADSIDE)
    nearest = [shown(row, actor, office.house, console) for row in rows[:_WALL_ROWS]]
    return {"rows": nearest, "counts": counts, "waiting": waiting, "oldest": oldest}
