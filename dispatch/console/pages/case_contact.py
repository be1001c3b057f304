"""What is noted of a case's owner: tried in vain, asked, agreed or declined to be called."""

from fastapi import APIRouter, Request, Response

from dispatch.access.acting import Acting
from dispatch.access.api_auth import InOffice
from dispatch.console.login.session import AsWriter, Fields
from dispatch.console.pages.case_actions import TaskId, act, note_of
from dispatch.console.show import forms
from dispatch.tasks import customer_contact
from models.words import Channel

router = APIRouter(prefix="/task/{task_id}", include_in_schema=False)


@router.post("/attempt")
def attempt(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """Note that the customer was not reached."""

    def do(acting: Acting) -> None:
        channel = forms.word(Channel, fields, "channel")
        customer_contact.attempt(
            acting,
            task_id,
            channel,
            note_of(acting.connection, task_id, visitor),
        )

    return act(request, office, visitor, task_id, fields, do)


@router.post("/ask")
def ask(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """Note that the owner was asked in writing whether we may call."""

    def do(acting: Acting) -> None:
        customer_contact.ask(
            acting,
            task_id,
            note_of(acting.connection, task_id, visitor),
        )

    return act(request, office, visitor, task_id, fields, do)


@router.post("/agreed")
def agreed(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """Note that the owner agreed to be called."""
    return act(
        request,
        office,
        visitor,
        task_id,
        fields,
        lambda acting: customer_contact.agree(acting, task_id),
    )


@router.post("/declined")
def declined(
    request: Request, office: InOffice, visitor: AsWriter, task_id: TaskId, fields: Fields
) -> Response:
    """Note that the owner asked not to be called."""
    return act(
        request,
        office,
        visitor,
        task_id,
        fields,
        lambda acting: customer_contact.decline(acting, task_id),
    )
