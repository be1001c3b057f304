"""One act on a case from its page: done in one transaction, and answered with the page after it."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import Path, Request, Response
from fastapi.responses import RedirectResponse

from dispatch.access.acting import Acting
from dispatch.access.api_auth import WebContext
from dispatch.console.login.session import Visitor
from dispatch.console.pages.case_data import casefile
from dispatch.console.show import appointments, call_script
from dispatch.console.show.consent import asking
from dispatch.console.show.refusals import Refused, refused
from dispatch.console.show.templates import render
from dispatch.read import queue
from dispatch.rules.call_cadence import CADENCE, planned
from dispatch.rules.snooze import SNOOZES
from dispatch.shift import worksheets
from models.errors import Conflict, NotAllowed, Unusable
from models.person import WORKERS
from models.sql import Connection

TaskId = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.\-]+$")]
Do = Callable[[Acting], None]


def act(
    request: Request,
    office: WebContext,
    visitor: Visitor,
    task_id: str,
    fields: Mapping[str, str],
    do: Do,
    gone: str | None = None,
) -> Response:
    """Do something in one transaction; whatever comes of it, show the case as it is now.

    What was written is kept first and by itself: a refusal takes no word of it away. A form that
    could not be accepted comes back as it was sent, with the reason beside the field.
    """
    wrong, status = None, 200
    if "note" in fields and visitor.actor.role in WORKERS:
        with office.engine.begin() as connection:
            keep_sheet(connection, office, visitor, task_id, fields)
    try:
        with office.engine.begin() as connection:
            do(office.acting(connection, visitor.actor))
    except (Conflict, Unusable, NotAllowed) as error:
        wrong = refused(visitor.reader.language, error, request.url.path)
        status = error.status
    else:
        if gone is not None:
            return RedirectResponse(gone, 303)
    return page(request, office, visitor, task_id, wrong=wrong, status=status, fields=fields)


def page(
    request: Request,
    office: WebContext,
    visitor: Visitor,
    task_id: str,
    *,
    wrong: Refused | None = None,
    status: int = 200,
    fields: Mapping[str, str] | None = None,
) -> Response:
    """Show the case as it is now, and what was wrong with the form that was sent, if it was."""
    at = office.now()
    with office.engine.begin() as connection:
        facts = casefile(
            connection, task_id, visitor.actor, at, office.house, request.app.state.console
        )
    task = facts["task"]
    desk = office.house.directory.desk(task.desk)
    context: dict[str, Any] = {
        **facts,
        "wrong": wrong,
        "notice": wrong.says if wrong else "",
        "fields": dict(fields or {}),
        "snoozes": SNOOZES[task.priority],
        "slots": appointments.offered(desk, at),
        "planned": planned(task.attempts),
        "cadence": CADENCE,
        "ask": asking(visitor.reader, visitor.actor, facts["owner"], task),
    }
    headers = {"HX-Push-Url": f"/task/{task_id}"}
    return render(visitor.reader, "task.html", context, status=status, headers=headers)


def keep_sheet(
    connection: Connection,
    office: WebContext,
    visitor: Visitor,
    task_id: str,
    fields: Mapping[str, str],
) -> None:
    """Save what somebody is writing. Raises `NotThere` for another desk's task."""
    at = office.now()
    queue.row(connection, task_id, visitor.actor)
    answers = call_script.answers_in(fields)
    worksheets.save_worksheet(
        connection, task_id, visitor.actor, at, fields.get("note", ""), answers
    )


def note_of(connection: Connection, task_id: str, visitor: Visitor) -> str | None:
    """What the person wrote on their sheet goes into the timeline with the step."""
    return worksheets.note_of(connection, task_id, visitor.actor)
