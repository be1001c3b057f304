"""The case page, the steps of its task and its silences; each answer is the page as it is then."""

from datetime import timedelta

from fastapi import APIRouter, Request, Response

from dispatch.access.acting import Acting
from dispatch.access.api_auth import InOffice
from dispatch.console.login.session import AsVisitor, AsWriter, Fields
from dispatch.console.pages.case_actions import TaskId, act, keep_sheet, note_of, page
from dispatch.console.show import appointments, forms
from dispatch.console.show.queue_rows import shown
from dispatch.console.show.refusals import explain
from dispatch.console.show.templates import render
from dispatch.read import queue
from dispatch.rules.snooze import LONGEST
from dispatch.tasks import actions, customer_contact, silences
from models.errors import Conflict, NotAllowed, NotThere
from models.person import WORKERS
from models.words import Disposition, Step

router = APIRouter(prefix="/task/{task_id}", include_in_schema=False)


@router.get("")
def show(request: Request, office: InOffice, visitor: AsVisitor, task_id: TaskId) -> Response:
    """Show the case."""
    return page(request, office, visitor, task_id)


@router.post("/claim")
def claim(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """Take the case in hand."""
    return act(
        request,
        office,
        visitor,
        task_id,
        fields,
        lambda acting: actions.claim(acting, task_id),
    )


@router.post("/row/{what}")
def in_row(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, what: str
) -> Response:
    """Claim or release from the list: the answer is the row, also for who came second."""
    notice, status = "", 200
    try:
        with office.engine.begin() as connection:
            acting = office.acting(connection, visitor.actor)
            if what == "claim":
                actions.claim(acting, task_id)
            elif what == "release":
                actions.step(
                    acting,
                    task_id,
                    Step.RELEASE,
                    None,
                )
            else:
                raise NotThere("There is no %(id)s.", {"id": what})
    except Conflict as conflict:
        notice, status = explain(visitor.reader.language, conflict), conflict.status
    with office.engine.begin() as connection:
        row = queue.row(connection, task_id, visitor.actor)
    task = shown(row, visitor.actor, office.house, request.app.state.console)
    context = {"row": task, "notice": notice}
    return render(visitor.reader, "queue_row.html", context, status=status)


@router.post("/step/{step}")
def take_step(
    request: Request,
    office: InOffice,
    visitor: AsWriter,
    task_id: TaskId,
    step: Step,
    fields: Fields,
) -> Response:
    """Go one step of the state table."""
    return act(
        request,
        office,
        visitor,
        task_id,
        fields,
        lambda acting: actions.step(acting, task_id, step, None),
    )


@router.post("/snooze")
def snooze(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """Wait for the customer; the case alarms again afterwards."""

    def do(acting: Acting) -> None:
        minutes = forms.number(fields, "minutes", 1, LONGEST)
        more = actions.Details(pause=timedelta(minutes=minutes))
        actions.step(acting, task_id, Step.PAUSE, None, more)

    return act(request, office, visitor, task_id, fields, do)


@router.post("/book")
def book(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """Note the appointment."""

    def do(acting: Acting) -> None:
        slot = appointments.parse(fields.get("slot", ""), visitor.reader.zone, acting.at)
        more = actions.Details(appointment_at=slot, is_pick_up=fields.get("is_pick_up") == "on")
        actions.step(
            acting,
            task_id,
            Step.BOOK,
            note_of(acting.connection, task_id, visitor),
            more,
        )

    return act(request, office, visitor, task_id, fields, do)


@router.post("/finish")
def finish(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """End the task with its disposition and what was written."""

    def do(acting: Acting) -> None:
        disposition = forms.word(Disposition, fields, "disposition")
        if fields.get("never_again") == "on":
            customer_contact.decline(acting, task_id)
        actions.complete(
            acting,
            task_id,
            disposition,
            note_of(acting.connection, task_id, visitor),
        )

    return act(request, office, visitor, task_id, fields, do)


@router.post("/silence")
def silence(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """Hold the vehicle's waiting tasks back: in the workshop, or for some hours."""

    def do(acting: Acting) -> None:
        vin = queue.row(acting.connection, task_id, visitor.actor).vin
        kind = "workshop" if fields.get("kind") == "workshop" else "silence"
        ends = acting.at + timedelta(hours=forms.number(fields, "hours", 1, 24 * 60))
        silences.silence(
            acting,
            vin,
            kind,
            ends,
            forms.words(fields, "reason"),
        )

    return act(request, office, visitor, task_id, fields, do)


@router.post("/lift")
def lift(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """End what holds the vehicle back: a silence, or that it is in the workshop."""
    return act(
        request,
        office,
        visitor,
        task_id,
        fields,
        lambda acting: silences.lift(acting, fields.get("silence_id", "")),
    )


@router.post("/sheet")
def sheet(office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields) -> Response:
    """Save what is being written; it is kept for whoever wrote it, also if the case is lost."""
    if visitor.actor.role not in WORKERS:
        raise NotAllowed("Your role looks, and writes no notes.")
    with office.engine.begin() as connection:
        keep_sheet(connection, office, visitor, task_id, fields)
    return Response(status_code=204)
