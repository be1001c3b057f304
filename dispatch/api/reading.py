"""The HTTP API of the people: looking at cases, tasks and silences."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from dispatch.access.api_auth import AsActor, InOffice
from dispatch.api import fleet, tasks
from dispatch.api import silences as silence_routes
from dispatch.api.answers import (
    CaseOut,
    CaseWhole,
    Me,
    Paged,
    Problem,
    SilenceOut,
    TaskOut,
    TaskWhole,
)
from dispatch.api.requests import Ident
from dispatch.read import cases, silences
from dispatch.read import tasks as task_rows
from models.alert import VIN_PATTERN
from models.words import CaseState, Priority, Queue, TaskState

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "content": {"application/problem+json": {}}}
    for status in (401, 403, 404, 409, 413, 422, 503)
}
After = Annotated[str | None, Query(max_length=500, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=500, description="At most so many.")]
CaseId = Annotated[Ident, Path(description="A case.")]
TaskId = Annotated[Ident, Path(description="A task.")]
VinFilter = Annotated[str | None, Query(pattern=VIN_PATTERN)]

router = APIRouter(prefix="/v1", responses=PROBLEMS)
router.include_router(tasks.router)
router.include_router(silence_routes.router)
router.include_router(fleet.router)


@router.get("/me", tags=["you"])
def me(actor: AsActor) -> Me:
    """Say whose key this is."""
    desk = next(iter(actor.desks), None) if actor.desks else None
    return Me(key_id=actor.actor_id, name=actor.name, role=actor.role, desk=desk)


@router.get("/cases", tags=["cases"])
def list_cases(
    office: InOffice,
    actor: AsActor,
    priority: Priority | None = None,
    vin: VinFilter = None,
    state: CaseState | None = None,
    after: After = None,
    limit: Limit = 100,
) -> Paged[CaseOut]:
    """List the cases of which your desk has, or had, a task; the most pressing first."""
    with office.engine.begin() as connection:
        page, following = cases.list_cases(
            connection, actor, priority=priority, vin=vin, state=state, after=after, limit=limit
        )
    return Paged[CaseOut](items=[CaseOut.model_validate(row) for row in page], next=following)


@router.get("/cases/{case_id}", tags=["cases"])
def show_case(office: InOffice, actor: AsActor, case_id: CaseId) -> CaseWhole:
    """Show a case with faults, tasks and timeline."""
    with office.engine.begin() as connection:
        return CaseWhole.model_validate(cases.show_case(connection, case_id, actor))


@router.get("/tasks", tags=["tasks"])
def list_tasks(
    office: InOffice,
    actor: AsActor,
    queue: Queue | None = None,
    desk: Ident | None = None,
    state: TaskState | None = None,
    after: After = None,
    limit: Limit = 100,
) -> Paged[TaskOut]:
    """List your desk's tasks in the order in which to take them; the done ones only if asked."""
    with office.engine.begin() as connection:
        page, following = task_rows.list_tasks(
            connection, actor, queue=queue, desk=desk, state=state, after=after, limit=limit
        )
    return Paged[TaskOut](items=[TaskOut.model_validate(row) for row in page], next=following)


@router.get("/tasks/{task_id}", tags=["tasks"])
def show_task(office: InOffice, actor: AsActor, task_id: TaskId) -> TaskWhole:
    """Show a task: whom to call, why, and what can be done next."""
    with office.engine.begin() as connection:
        return TaskWhole.model_validate(task_rows.show_task(connection, task_id, actor))


@router.get("/silences", tags=["silences"])
def list_silences(office: InOffice, actor: AsActor) -> list[SilenceOut]:
    """List the silences in force on vehicles that you may see."""
    with office.engine.begin() as connection:
        rows = silences.list_silences(connection, actor, office.now())
    return [SilenceOut.model_validate(row) for row in rows]
