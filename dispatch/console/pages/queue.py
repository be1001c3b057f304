"""The queue pages: the roadside list, its rows, and taking the next best case."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from dispatch.access.api_auth import InOffice, WebContext
from dispatch.console.login.session import AsVisitor, AsWriter, Visitor
from dispatch.console.show.languages import N_
from dispatch.console.show.queue_rows import ShownRow, shown
from dispatch.console.show.templates import render, translate
from dispatch.read import queue as queues
from dispatch.read.load import floods
from dispatch.read.queue import Tab
from dispatch.read.tasks import candidates
from dispatch.shift.presence import others_present
from dispatch.tasks import actions
from models.errors import Conflict
from models.sql import Connection
from models.words import Queue

router = APIRouter(include_in_schema=False)


@router.get("/queue")
def queue(
    request: Request,
    office: InOffice,
    visitor: AsVisitor,
    tab: Tab = Tab.ALL,
    said: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Show the roadside queue."""
    context = {**_list(request, office, visitor, tab), "said": _said(visitor, said)}
    return render(visitor.reader, "queue.html", context)


@router.get("/queue/rows")
def rows(request: Request, office: InOffice, visitor: AsVisitor, tab: Tab = Tab.ALL) -> Response:
    """Show the list alone, for a page that is open already."""
    return render(visitor.reader, "queue_list.html", _list(request, office, visitor, tab))


@router.post("/next")
def take_next(office: InOffice, visitor: AsWriter) -> Response:
    """Claim the most pressing case and go to it; say so if none waits."""
    with office.engine.begin() as connection:
        waiting = candidates(connection, visitor.actor, office.now())
    for task_id in waiting:
        try:
            with office.engine.begin() as connection:
                actions.claim(office.acting(connection, visitor.actor), task_id)
        except Conflict:
            continue  # somebody was faster: the next one
        return RedirectResponse(f"/task/{task_id}", 303)
    return RedirectResponse("/queue?said=nothing_waits", 303)


def _list(request: Request, office: WebContext, visitor: Visitor, tab: Tab) -> dict[str, Any]:
    at, actor = office.now(), visitor.actor
    console = request.app.state.console
    with office.engine.begin() as connection:
        listed = queues.queue(connection, actor, Queue.ROADSIDE, tab)
        counts = queues.counts(connection, actor, Queue.ROADSIDE)
        looking = others_present(connection, [row.task_id for row in listed], actor, at)
        flooded = _flooded(connection, office, visitor)
    rows = [
        shown(row, actor, office.house, console, looking.get(row.task_id, ())) for row in listed
    ]
    return {
        "rows": rows,
        "counts": counts,
        "tab": tab,
        "tabs": tuple(Tab),
        "groups": grouped(rows) if flooded else None,
        "flooded": flooded,
    }


def grouped(rows: Sequence[ShownRow]) -> list[tuple[str, list[ShownRow]]]:
    """Group rows by cause, in the order in which each cause first appears."""
    groups: dict[str, list[ShownRow]] = {}
    for row in rows:
        groups.setdefault(row.cause, []).append(row)
    return list(groups.items())


def _flooded(connection: Connection, office: WebContext, visitor: Visitor) -> int:
    """How many urgent cases came within ten minutes, if more than people can take."""
    by_desk = floods(connection, office.now())
    return sum(count for desk, count in by_desk.items() if visitor.actor.sees(desk))


def _said(visitor: Visitor, word: str) -> str:
    return translate(visitor.reader.language, _SAID[word]) if word in _SAID else ""


_SAID = {
    "nothing_waits": N_("No case waits at your desk."),
    "handed_on": N_("The case was handed to another desk."),
}
