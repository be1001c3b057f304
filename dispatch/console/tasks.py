"""The case page, and everything that can be done on it; each answer is the page as it is then."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Final

import sqlalchemy as sa
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from dispatch import hold, outreach, store
from dispatch.auth import InOffice, Office
from dispatch.cadence import CADENCE, Channel, planned
from dispatch.console import forms, slots, view
from dispatch.console.casefile import casefile, save_sheet
from dispatch.console.door import AsVisitor, AsWriter, Fields, Visitor
from dispatch.console.page import render
from dispatch.console.refusals import said
from dispatch.sessions import at_work
from models import tables as t
from models.errors import Conflict, NotAllowed, NotThere, Unusable
from models.person import WORKERS
from models.words import Disposition, Step

router = APIRouter(prefix="/task/{task_id}", include_in_schema=False)
TaskId = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.\-]+$")]
_Do = Callable[[sa.Connection, datetime], None]
_SNOOZES: Final = (5, 10, 30, 60, 240)
_URGENT_SNOOZES: Final = (5, 10)


@router.get("")
def show(request: Request, office: InOffice, visitor: AsVisitor, task_id: TaskId) -> Response:
    """Show the case."""
    return _page(request, office, visitor, task_id)


@router.post("/claim")
def claim(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """Take the case in hand."""
    return _act(
        request, office, visitor, task_id, fields,
        lambda c, at: store.claim(c, task_id, visitor.actor, at, office.house),
    )  # fmt: skip


@router.post("/row/{what}")
def in_row(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, what: str
) -> Response:
    """Claim or release from the list: the answer is the row, also for who came second."""
    notice, status = "", 200
    try:
        with office.engine.begin() as connection:
            if what == "claim":
                store.claim(connection, task_id, visitor.actor, office.now(), office.house)
            elif what == "release":
                store.step(connection, task_id, visitor.actor, office.now(), office.house,
                           Step.RELEASE, None)  # fmt: skip
            else:
                raise NotThere(f"There is no {what}.")
    except Conflict as conflict:
        notice, status = said(visitor.reader.language, conflict), conflict.status
    with office.engine.begin() as connection:
        row = view.row(connection, task_id, visitor.actor, office.house)
    if row is None:
        raise NotThere(f"There is no task {task_id}.")
    codes = request.app.state.console.codes
    row |= {"title": codes(row["cause"]).title, "looking": []}
    context = {"row": row, "notice": notice}
    return render(visitor.reader, "queue_row.html", context, status=status)


@router.post("/step/{step}")
def take_step(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, step: Step,
    fields: Fields,
) -> Response:  # fmt: skip
    """Go one step of the state table."""
    return _act(
        request, office, visitor, task_id, fields,
        lambda c, at: store.step(c, task_id, visitor.actor, at, office.house, step, None),
    )  # fmt: skip


@router.post("/snooze")
def snooze(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """Wait for the customer; the case alarms again afterwards."""

    def do(connection: sa.Connection, at: datetime) -> None:
        more = store.Details(pause=timedelta(minutes=forms.number(fields, "minutes", 1, 24 * 60)))
        store.step(connection, task_id, visitor.actor, at, office.house, Step.PAUSE, None, more)

    return _act(request, office, visitor, task_id, fields, do)


@router.post("/attempt")
def attempt(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """Note that the customer was not reached."""

    def do(connection: sa.Connection, at: datetime) -> None:
        channel = forms.word(Channel, fields, "channel")
        outreach.attempt(connection, task_id, visitor.actor, at, office.house, channel,
                         _note(connection, task_id, visitor))  # fmt: skip

    return _act(request, office, visitor, task_id, fields, do)


@router.post("/book")
def book(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """Note the appointment."""

    def do(connection: sa.Connection, at: datetime) -> None:
        slot = slots.parse(fields.get("slot", ""), visitor.reader.zone, at)
        more = store.Details(appointment_at=slot, is_pick_up=fields.get("is_pick_up") == "on")
        store.step(connection, task_id, visitor.actor, at, office.house, Step.BOOK,
                   _note(connection, task_id, visitor), more)  # fmt: skip

    return _act(request, office, visitor, task_id, fields, do)


@router.post("/finish")
def finish(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """End the task with its disposition and what was written."""

    def do(connection: sa.Connection, at: datetime) -> None:
        disposition = forms.word(Disposition, fields, "disposition")
        store.complete(connection, task_id, visitor.actor, at, office.house, disposition,
                       _note(connection, task_id, visitor))  # fmt: skip
        if fields.get("never_again") == "on":
            _forget_consent(connection, task_id)

    return _act(request, office, visitor, task_id, fields, do)


@router.post("/take-over")
def take_over(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """Take the case out of another's hand."""

    def do(connection: sa.Connection, at: datetime) -> None:
        reason = forms.words(fields, "reason")
        store.take_over(connection, task_id, visitor.actor, at, office.house, reason)

    return _act(request, office, visitor, task_id, fields, do)


@router.post("/reassign")
def reassign(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """Put the case into a colleague's hand."""

    def do(connection: sa.Connection, at: datetime) -> None:
        reason = forms.words(fields, "reason")
        people = {one.actor.actor_id: one.actor for one in at_work(connection, at)}
        to = people.get(fields.get("person", ""))
        if to is None:
            raise Unusable("Choose somebody who is at work.", field="person")
        store.reassign(connection, task_id, visitor.actor, at, office.house, to, reason)

    return _act(request, office, visitor, task_id, fields, do)


@router.post("/hand-on")
def hand_on(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """Hand the case to another desk; then it may be out of sight here."""

    def do(connection: sa.Connection, at: datetime) -> None:
        reason = forms.words(fields, "reason")
        store.transfer(connection, task_id, visitor.actor, at, office.house,
                       fields.get("desk", ""), reason)  # fmt: skip

    return _act(request, office, visitor, task_id, fields, do, gone="/queue?said=handed_on")


@router.post("/silence")
def silence(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """Hold the vehicle's waiting tasks back: in the workshop, or for some hours."""

    def do(connection: sa.Connection, at: datetime) -> None:
        row = view.row(connection, task_id, visitor.actor, office.house)
        if row is None:
            raise NotThere(f"There is no task {task_id}.")
        kind = "workshop" if fields.get("kind") == "workshop" else "silence"
        ends = at + timedelta(hours=forms.number(fields, "hours", 1, 24 * 60))
        hold.silence(connection, row["vin"], visitor.actor, at, office.house, kind, ends,
                     forms.words(fields, "reason"))  # fmt: skip

    return _act(request, office, visitor, task_id, fields, do)


@router.post("/sheet")
def sheet(office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields) -> Response:
    """Save what is being written; it is kept for whoever wrote it, also if the case is lost."""
    if visitor.actor.role not in WORKERS:
        raise NotAllowed("Your role looks, and writes no notes.")
    with office.engine.begin() as connection:
        _keep_sheet(connection, office, visitor, task_id, fields)
    return Response(status_code=204)


def _keep_sheet(
    connection: sa.Connection, office: Office, visitor: Visitor, task_id: str,
    fields: Mapping[str, str],
) -> None:  # fmt: skip
    at = office.now()
    if view.row(connection, task_id, visitor.actor, office.house) is None:
        raise NotThere(f"There is no task {task_id}.")
    save_sheet(connection, task_id, visitor.actor, at, fields)


def _act(
    request: Request,
    office: Office,
    visitor: Visitor,
    task_id: str,
    fields: Mapping[str, str],
    do: _Do,
    gone: str | None = None,
) -> Response:
    """Do something in one transaction; whatever comes of it, show the case as it is now.

    What was written is kept first and by itself: a refusal takes no word of it away.
    """
    notice, status = "", 200
    if "note" in fields and visitor.actor.role in WORKERS:
        with office.engine.begin() as connection:
            _keep_sheet(connection, office, visitor, task_id, fields)
    try:
        with office.engine.begin() as connection:
            do(connection, office.now())
    except (Conflict, Unusable, NotAllowed) as refused:
        notice, status = said(visitor.reader.language, refused), refused.status
    else:
        if gone is not None:
            return RedirectResponse(gone, 303)
    return _page(request, office, visitor, task_id, notice=notice, status=status, fields=fields)


def _page(
    request: Request, office: Office, visitor: Visitor, task_id: str, *,
    notice: str = "", status: int = 200, fields: Mapping[str, str] | None = None,
) -> Response:  # fmt: skip
    at = office.now()
    with office.engine.begin() as connection:
        found = casefile(
            connection, task_id, visitor.actor, at, office.house, request.app.state.console
        )
    task = found["task"]
    desk = office.house.directory.desk(task["desk"])
    context = {
        **found,
        "notice": notice,
        "fields": dict(fields or {}) if notice else {},
        "snoozes": _URGENT_SNOOZES if task["priority"] == "urgent" else _SNOOZES,
        "slots": slots.offered(desk, at),
        "planned": planned(task["attempts"]),
        "cadence": CADENCE,
    }
    headers = {"HX-Push-Url": f"/task/{task_id}"}
    return render(visitor.reader, "task.html", context, status=status, headers=headers)


def _note(connection: sa.Connection, task_id: str, visitor: Visitor) -> str | None:
    """What the person wrote on their sheet goes into the timeline with the step."""
    w = t.worksheet.c
    query = sa.select(w.note).where(w.task_id == task_id, w.person_id == visitor.actor.actor_id)
    return connection.execute(query).scalar() or None


def _forget_consent(connection: sa.Connection, task_id: str) -> None:
    vin = sa.select(t.task.c.vin).where(t.task.c.task_id == task_id).scalar_subquery()
    connection.execute(sa.update(t.contact).where(t.contact.c.vin == vin).values(has_consent=False))
