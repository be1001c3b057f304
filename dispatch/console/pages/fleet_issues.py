"""Fleet issues on the board: holding their tasks back, and letting them go."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from dispatch.access.api_auth import InOffice, WebContext
from dispatch.console.login.session import AsWriter, Fields, Visitor
from dispatch.console.pages import board
from dispatch.console.show import forms
from dispatch.console.show.refusals import refused
from dispatch.fleet.issues import decide_on
from models.errors import Conflict, Unusable
from models.words import IssueState

router = APIRouter(prefix="/board", include_in_schema=False)
IssueId = Annotated[str, Path(max_length=64)]


@router.post("/hold/{issue_id}")
def hold(
    request: Request, office: InOffice, visitor: AsWriter, issue_id: IssueId, fields: Fields
) -> Response:
    """Hold a fleet issue's tasks back."""
    return _decide(request, office, visitor, issue_id, fields, IssueState.HOLDING)


@router.post("/release/{issue_id}")
def release(
    request: Request, office: InOffice, visitor: AsWriter, issue_id: IssueId, fields: Fields
) -> Response:
    """Let a fleet issue's tasks go again."""
    return _decide(request, office, visitor, issue_id, fields, IssueState.RELEASED)


def _decide(
    request: Request,
    office: WebContext,
    visitor: Visitor,
    issue_id: str,
    fields: dict[str, str],
    to: IssueState,
) -> Response:
    try:
        with office.engine.begin() as connection:
            reason = forms.words(fields, "reason")
            decide_on(office.acting(connection, visitor.actor), issue_id, to, reason)
    except (Conflict, Unusable) as error:
        wrong = refused(visitor.reader.language, error, request.url.path)
        return board.page(request, office, visitor, wrong, error.status)
    return RedirectResponse("/board", 303)
