"""The queue pages: the roadside list, its rows, and taking the next best case."""

from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from dispatch.access.api_auth import InOffice, WebContext
from dispatch.console.login.session import AsVisitor, AsWriter, Visitor
from dispatch.console.show import queue_rows
from dispatch.console.show.languages import N_
from dispatch.console.show.templates import render, translate
from dispatch.read import cases_and_tasks
from dispatch.tasks import actions
from models.errors import Conflict
from models.words import Queue

router = APIRouter(include_in_schema=False)
Tab = Literal["all", "urgent", "high", "mine", "snoozed", "missed"]


@router.get("/queue")
def queue(
    request: Request,
    office: InOffice,
    visitor: AsVisitor,
    tab: Tab = "all",
    said: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Show the roadside queue."""
    context = {**_list(request, office, visitor, tab), "said": _said(visitor, said)}
    return render(visitor.reader, "queue.html", context)


@router.get("/queue/rows")
def rows(request: Request, office: InOffice, visitor: AsVisitor, tab: Tab = "all") -> Response:
    """Show the list alone, for a page that is open already."""
    return render(visitor.reader, "queue_list.html", _list(request, office, visitor, tab))


@router.post("/next")
def take_next(office: InOffice, visitor: AsWriter) -> Response:
    """Claim the most pressing case and go to it; say so if none waits."""
    with office.engine.begin() as connection:
        waiting = cases_and_tasks.candidates(connection, visitor.actor, office.now())
    for task_id in waiting:
        try:
            with office.engine.begin() as connection:
                actions.claim(office.acting(connection, visitor.actor), task_id)
        except Conflict:
            continue  # somebody was faster: the next one
        return RedirectResponse(f"/task/{task_id}", 303)
    return RedirectResponse("/queue?said=nothing_waits", 303)


def _list(request: Request, office: WebContext, visitor: Visitor, tab: str) -> dict[str, Any]:
    at = office.now()
    codes = request.app.state.console.codes
    with office.engine.begin() as connection:
        listed = queue_rows.queue(connection, visitor.actor, office.house, Queue.ROADSIDE, tab)
        counts = queue_rows.counts(connection, visitor.actor, Queue.ROADSIDE)
        looking = queue_rows.present(
            connection, [row["task_id"] for row in listed], visitor.actor, at
        )
        flooded = _flooded(connection, office, visitor)
    shown = [
        {**row, "title": codes(row["cause"]).title, "looking": looking.get(row["task_id"], [])}
        for row in listed
    ]
    return {
        "rows": shown,
        "counts": counts,
        "tab": tab,
        "tabs": queue_rows.TABS,
        "groups": grouped(shown) if flooded else None,
        "flooded": flooded,
    }


def grouped(rows: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Group rows by cause, in the order in which each cause first appears."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["cause"], []).append(row)
    return list(groups.items())


def _flooded(connection: sa.Connection, office: WebContext, visitor: Visitor) -> int:
    """How many urgent cases came within ten minutes, if more than people can take."""
    found = queue_rows.floods(connection, office.now())
    return sum(count for desk, count in found.items() if visitor.actor.sees(desk))


def _said(visitor: Visitor, word: str) -> str:
    return translate(visitor.reader.language, _SAID[word]) if word in _SAID else ""


_SAID = {
    "nothing_waits": N_("No case waits at your desk."),
    "handed_on": N_("The case was handed to another desk."),
}
