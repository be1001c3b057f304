"""The change of shift: what is open, what was promised; the next person confirms each urgent."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from dispatch.access.api_auth import InOffice
from dispatch.console.login.session import AsVisitor, AsWriter, Fields, Visitor
from dispatch.console.show import forms
from dispatch.console.show.queue_rows import ShownRow, shown
from dispatch.console.show.refusals import Refused, refused
from dispatch.console.show.templates import render
from dispatch.read import queue
from dispatch.shift import handovers
from models.errors import Conflict, Unusable
from models.words import Priority

router = APIRouter(include_in_schema=False)
HandoverId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_LONGEST_NOTE = 4000  # characters


@router.get("/handover")
def show(request: Request, office: InOffice, visitor: AsVisitor) -> Response:
    """Show the sheet of the desk, and a shift that waits to be taken."""
    return _page(request, office, visitor)


@router.post("/handover")
def give(request: Request, office: InOffice, visitor: AsWriter, fields: Fields) -> Response:
    """Give the shift away; not with a driver in hand."""
    at = office.now()
    desk = handovers.desk_of(visitor.actor)
    try:
        note = forms.text(fields, "note", _LONGEST_NOTE)
    except Unusable as error:
        wrong = refused(visitor.reader.language, error, request.url.path)
        return _page(request, office, visitor, wrong, error.status, fields)
    with office.engine.begin() as connection:
        claimed = queue.claimed_by(connection, visitor.actor)
        if not claimed:
            handovers.give(connection, visitor.actor, desk, note, at)
    if claimed:
        holding = Conflict(
            "You still have a case in hand: finish it, release it or hand it on first."
        )
        wrong = refused(visitor.reader.language, holding, request.url.path)
        return _page(request, office, visitor, wrong, holding.status, fields)
    return RedirectResponse("/handover", 303)


@router.post("/handover/{handover_id}/confirm/{task_id}")
def confirm(
    request: Request,
    office: InOffice,
    visitor: AsWriter,
    handover_id: HandoverId,
    task_id: Annotated[str, Path(max_length=64)],
) -> Response:
    """Confirm that one urgent case is understood; the last one takes the shift."""
    try:
        with office.engine.begin() as connection:
            handovers.confirm(connection, handover_id, task_id, visitor.actor, office.now())
    except Conflict as error:
        wrong = refused(visitor.reader.language, error, request.url.path)
        return _page(request, office, visitor, wrong, error.status)
    return RedirectResponse("/handover", 303)


def _page(
    request: Request,
    office: InOffice,
    visitor: Visitor,
    wrong: Refused | None = None,
    status: int = 200,
    fields: Mapping[str, str] | None = None,
) -> Response:
    console, actor = request.app.state.console, visitor.actor
    with office.engine.begin() as connection:
        listed = queue.open_rows(connection, actor)
        pending = handovers.pending(connection, actor)
        claimed = queue.claimed_by(connection, actor)
    rows = [shown(row, actor, office.house, console) for row in listed]
    context = {
        "pressing": [
            row for row in rows if row.priority is not Priority.NORMAL and not _waits(row)
        ],
        "promises": [row for row in rows if row.appointment_at or row.next_attempt_at],
        "snoozed": [row for row in rows if _waits(row)],
        "can_give": handovers.can_give(actor),
        "pending": pending,
        "held": claimed,
        "wrong": wrong,
        "notice": wrong.says if wrong else "",
        "note": (fields or {}).get("note", ""),
        "by_id": {row.task_id: row for row in rows},
    }
    return render(visitor.reader, "handover.html", context, status=status)


def _waits(row: ShownRow) -> bool:
    return row.is_snoozed or row.held_zh is not None
