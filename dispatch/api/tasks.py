"""The HTTP API of tasks: everything that people do with them."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Path, Response

from dispatch.access import idempotency
from dispatch.access.acting import Acting
from dispatch.access.api_auth import AsActor, InOffice, WebContext
from dispatch.api.answers import TaskWhole
from dispatch.api.requests import (
    Attempted,
    Book,
    Claim,
    Complete,
    Ident,
    Note,
    Pause,
    TakeOver,
    Transfer,
)
from dispatch.api.writing import Asked, act, on_task
from dispatch.read.tasks import candidates
from dispatch.tasks import actions, customer_contact
from models.errors import Conflict, NotThere
from models.person import Actor
from models.words import Step

router = APIRouter()
TaskId = Annotated[Ident, Path(description="A task.")]


@router.post("/tasks/next", tags=["tasks"], response_model=TaskWhole)
def claim_next(office: InOffice, actor: AsActor, asked: Asked) -> Response:
    """Claim the most pressing task that waits at your desk."""
    with office.engine.begin() as connection:
        waiting = candidates(connection, actor, office.now())

    def claim_one(task_id: str) -> Response:
        return on_task(
            office,
            actor,
            asked,
            task_id,
            lambda acting: actions.claim(acting, task_id),
        )

    for task_id in waiting:
        try:
            return claim_one(task_id)
        except Conflict:
            continue  # somebody was faster: the next one
    return act(office, actor, asked, _nothing_waits)


def _nothing_waits(_acting: Acting) -> None:
    raise NotThere("No task waits at your desk.")


@router.post("/tasks/{task_id}/claim", tags=["tasks"], response_model=TaskWhole)
def claim(
    office: InOffice,
    actor: AsActor,
    asked: Asked,
    task_id: TaskId,
    body: Annotated[Claim | None, Body()] = None,
) -> Response:
    """Take a task in hand. 409 says who has it, and until when."""
    version = body.version if body else None
    return on_task(
        office,
        actor,
        asked,
        task_id,
        lambda acting: actions.claim(acting, task_id, version),
    )


@router.post("/tasks/{task_id}/renew", tags=["tasks"], response_model=TaskWhole)
def renew(office: InOffice, actor: AsActor, asked: Asked, task_id: TaskId) -> Response:
    """Make your claim live on; the open page does this every 20 s."""
    return on_task(
        office,
        actor,
        asked,
        task_id,
        lambda acting: actions.renew(acting, task_id),
    )


@router.post("/tasks/{task_id}/take-over", tags=["tasks"], response_model=TaskWhole)
def take_over(
    office: InOffice, actor: AsActor, asked: Asked, task_id: TaskId, body: TakeOver
) -> Response:
    """Take a task out of another's hand: for supervisors, with a reason."""
    return on_task(
        office,
        actor,
        asked,
        task_id,
        lambda acting: actions.take_over(acting, task_id, body.reason),
    )


@router.post("/tasks/{task_id}/transfer", tags=["tasks"], status_code=204)
def transfer(
    office: InOffice, actor: AsActor, asked: Asked, task_id: TaskId, body: Transfer
) -> Response:
    """Hand a task to another desk of the same kind. You may not see it any more afterwards."""
    act(
        office,
        actor,
        asked,
        lambda acting: actions.transfer(acting, task_id, body.desk, body.reason),
    )
    return Response(status_code=204)


@router.post("/tasks/{task_id}/complete", tags=["tasks"], response_model=TaskWhole)
def complete(
    office: InOffice, actor: AsActor, asked: Asked, task_id: TaskId, body: Complete
) -> Response:
    """End a task with one of its possible dispositions."""
    return on_task(
        office,
        actor,
        asked,
        task_id,
        lambda acting: actions.complete(acting, task_id, body.disposition, body.note),
    )


@router.post("/tasks/{task_id}/attempt", tags=["tasks"], response_model=TaskWhole)
def attempt(
    office: InOffice, actor: AsActor, asked: Asked, task_id: TaskId, body: Attempted
) -> Response:
    """Note that the customer was not reached; the task waits for the next attempt."""
    return on_task(
        office,
        actor,
        asked,
        task_id,
        lambda acting: customer_contact.attempt(acting, task_id, body.channel, body.note),
    )


@router.post("/tasks/{task_id}/pause", tags=["tasks"], response_model=TaskWhole)
def pause(
    office: InOffice,
    actor: AsActor,
    asked: Asked,
    task_id: TaskId,
    body: Annotated[Pause | None, Body()] = None,
) -> Response:
    """Wait for the customer: deadlines stand still until the pause ends."""
    body = body or Pause()
    wanted = None if body.minutes is None else timedelta(minutes=body.minutes)
    more = actions.Details(pause=wanted)
    return _step(office, actor, asked, task_id, Step.PAUSE, body.note, more)


@router.post("/tasks/{task_id}/book", tags=["tasks"], response_model=TaskWhole)
def book(
    office: InOffice,
    actor: AsActor,
    asked: Asked,
    task_id: TaskId,
    body: Annotated[Book | None, Body()] = None,
) -> Response:
    """The customer has an appointment."""
    body = body or Book()
    more = actions.Details(appointment_at=body.appointment_at, is_pick_up=body.is_pick_up)
    return _step(office, actor, asked, task_id, Step.BOOK, body.note, more)


def _step(
    office: WebContext,
    actor: Actor,
    asked: idempotency.Request,
    task_id: str,
    step: Step,
    note: str | None,
    more: actions.Details | None = None,
) -> Response:
    return on_task(
        office,
        actor,
        asked,
        task_id,
        lambda acting: actions.step(acting, task_id, step, note, more),
    )


def _add_step(step: Step, summary: str) -> None:
    def take_step(
        office: InOffice,
        actor: AsActor,
        asked: Asked,
        task_id: TaskId,
        body: Annotated[Note | None, Body()] = None,
    ) -> Response:
        return _step(office, actor, asked, task_id, step, body.note if body else None)

    name = step.value.replace("_", "-")
    router.add_api_route(
        f"/tasks/{{task_id}}/{name}",
        take_step,
        methods=["POST"],
        tags=["tasks"],
        response_model=TaskWhole,
        summary=summary,
        name=step.value,
        operation_id=step.value,
    )


for _one, _summary in (
    (Step.CONTACT, "The customer has been reached"),
    (Step.SET_OUT, "Help is on its way"),
    (Step.ARRIVE, "Help is with the vehicle"),
    (Step.TOW, "The vehicle is being towed"),
    (Step.CHECK_IN, "The vehicle is in the workshop"),
    (Step.REPAIR, "The vehicle is repaired"),
    (Step.RESUME, "Go on after a pause"),
    (Step.RELEASE, "Give the task back"),
):
    _add_step(_one, _summary)
