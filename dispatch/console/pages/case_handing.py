"""Whose a case is: taken over, given to a colleague, or handed to another desk."""

from fastapi import APIRouter, Request, Response

from dispatch.access.acting import Acting
from dispatch.access.api_auth import InOffice
from dispatch.access.sessions import at_work
from dispatch.console.login.session import AsWriter, Fields
from dispatch.console.pages.case_actions import TaskId, act
from dispatch.console.show import forms
from dispatch.tasks import actions
from models.errors import Unusable

router = APIRouter(prefix="/task/{task_id}", include_in_schema=False)


@router.post("/take-over")
def take_over(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """Take the case out of another's hand."""

    def do(acting: Acting) -> None:
        reason = forms.words(fields, "reason")
        actions.take_over(acting, task_id, reason)

    return act(request, office, visitor, task_id, fields, do)


@router.post("/reassign")
def reassign(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """Put the case into a colleague's hand."""

    def do(acting: Acting) -> None:
        reason = forms.words(fields, "reason")
        people = {one.actor.actor_id: one.actor for one in at_work(acting.connection, acting.at)}
        to = people.get(fields.get("person", ""))
        if to is None:
            raise Unusable("Choose somebody who is at work.", field="person")
        actions.reassign(acting, task_id, to, reason)

    return act(request, office, visitor, task_id, fields, do)


@router.post("/hand-on")
def hand_on(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """Hand the case to another desk; then it may be out of sight here."""

    def do(acting: Acting) -> None:
        reason = forms.words(fields, "reason")
        actions.transfer(acting, task_id, fields.get("desk", ""), reason)

    return act(request, office, visitor, task_id, fields, do, gone="/queue?said=handed_on")
