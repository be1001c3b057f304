"""The HTTP API of fleet issues: the list, and holding their tasks back or letting go."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response

from dispatch.access import idempotency
from dispatch.access.acting import Acting
from dispatch.access.api_auth import InOffice, WebContext, require
from dispatch.api.answers import FleetIssueOut
from dispatch.api.requests import Ident, Reason
from dispatch.api.writing import Asked, act
from dispatch.fleet import issues
from models.person import Actor
from models.words import IssueState

router = APIRouter(prefix="/fleet-issues", tags=["fleet"])
AsLooker = Annotated[Actor, Depends(require(*issues.VIEWERS))]
IssueId = Annotated[Ident, Path(description="A fleet issue.")]


@router.get("")
def list_fleet_issues(
    office: InOffice,
    actor: AsLooker,
    *,
    over: Annotated[bool, Query(description="Also those that are over.")] = False,
) -> list[FleetIssueOut]:
    """List the fleet issues with tasks at your desks, the largest first."""
    with office.engine.begin() as connection:
        rows = issues.list_issues(connection, actor, is_all=over)
    return [FleetIssueOut(**row) for row in rows]


@router.post("/{issue_id}/hold", response_model=FleetIssueOut)
def hold_fleet_issue(
    office: InOffice, actor: AsLooker, asked: Asked, issue_id: IssueId, body: Reason
) -> Response:
    """Hold the tasks of an issue back, those that wait and those to come, never urgent ones."""
    return _decide(office, actor, asked, issue_id, IssueState.HOLDING, body.reason)


@router.post("/{issue_id}/release", response_model=FleetIssueOut)
def release_fleet_issue(
    office: InOffice, actor: AsLooker, asked: Asked, issue_id: IssueId, body: Reason
) -> Response:
    """Let the tasks of a fleet issue go again, at the pace of `PACC_SURGE_RELEASE`."""
    return _decide(office, actor, asked, issue_id, IssueState.RELEASED, body.reason)


def _decide(
    office: WebContext,
    actor: Actor,
    asked: idempotency.Request,
    issue_id: str,
    to: IssueState,
    reason: str,
) -> Response:
    def do(acting: Acting) -> dict[str, Any]:
        issues.decide_on(acting, issue_id, to, reason)
        return issues.show_issue(acting.connection, issue_id, actor)

    return act(office, actor, asked, do)
