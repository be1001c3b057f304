"""The change of shift: what is open, what was promised; the next person confirms each urgent."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from dispatch.access.api_auth import InOffice
from dispatch.access.visibility import seen
from dispatch.console.login.session import AsVisitor, AsWriter, Fields, Visitor
from dispatch.console.show import forms, queue_rows
from dispatch.console.show.refusals import Refused, refused
from dispatch.console.show.templates import render
from dispatch.read.open_tasks import OPEN
from dispatch.rules.policy import DispatchPolicy
from models import tables as t
from models.errors import Conflict, NotAllowed, NotThere, Unusable
from models.ids import digest
from models.person import Actor
from models.words import PRIORITY_RANK, Priority, Role

router = APIRouter(include_in_schema=False)
HandoverId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_ROWS = 100
_LONGEST_NOTE = 4000  # characters
_GIVERS = (Role.OPERATOR, Role.SUPERVISOR, Role.DEALER)


@router.get("/handover")
def show(request: Request, office: InOffice, visitor: AsVisitor) -> Response:
    """Show the sheet of the desk, and a shift that waits to be taken."""
    return _page(request, office, visitor)


@router.post("/handover")
def give(request: Request, office: InOffice, visitor: AsWriter, fields: Fields) -> Response:
    """Give the shift away; not with a driver in hand."""
    at = office.now()
    desk = _desk(visitor.actor)
    try:
        note = forms.text(fields, "note", _LONGEST_NOTE)
    except Unusable as error:
        wrong = refused(visitor.reader.language, error, request.url.path)
        return _page(request, office, visitor, wrong, error.status, fields)
    with office.engine.begin() as connection:
        held = queue_rows.held_by(connection, visitor.actor)
        if not held:
            _write(connection, visitor.actor, desk, note, at)
    if held:
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
    """Say that one urgent case is understood; the last one takes the shift."""
    try:
        with office.engine.begin() as connection:
            _confirm(connection, handover_id, task_id, visitor.actor, office.now())
    except Conflict as error:
        wrong = refused(visitor.reader.language, error, request.url.path)
        return _page(request, office, visitor, wrong, error.status)
    return RedirectResponse("/handover", 303)


def _confirm(
    connection: sa.Connection, handover_id: str, task_id: str, actor: Actor, at: datetime
) -> None:
    h = t.handover.c
    query = sa.select(t.handover).where(h.handover_id == handover_id).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None or not actor.sees(row.desk) or task_id not in row.urgent:
        raise NotThere("There is no such case on a hand-over of yours.")
    if row.given_by == actor.actor_id:
        raise Conflict("The next person confirms, not the one who goes.")
    stamp = {"name": actor.name, "at": at.isoformat()}
    urgent = {**row.urgent, task_id: stamp}
    is_taken = all(urgent.values())
    connection.execute(
        sa.update(t.handover)
        .where(h.handover_id == handover_id)
        .values(urgent=urgent, taken_at=at if is_taken else None)
    )


def _page(
    request: Request,
    office: InOffice,
    visitor: Visitor,
    wrong: Refused | None = None,
    status: int = 200,
    fields: Mapping[str, str] | None = None,
) -> Response:
    codes = request.app.state.console.codes
    with office.engine.begin() as connection:
        rows = _open(connection, visitor.actor, office.house)
        pending = _pending(connection, visitor.actor)
        held = queue_rows.held_by(connection, visitor.actor)
    shown = [{**row, "title": codes(row["cause"]).title} for row in rows]
    context = {
        "pressing": [row for row in shown if row["priority"] != "normal" and not _waits(row)],
        "promises": [row for row in shown if row["appointment_at"] or row["next_attempt_at"]],
        "snoozed": [row for row in shown if _waits(row)],
        "can_give": visitor.actor.role in _GIVERS and bool(visitor.actor.desks),
        "pending": pending,
        "held": held,
        "wrong": wrong,
        "notice": wrong.says if wrong else "",
        "note": (fields or {}).get("note", ""),
        "by_id": {row["task_id"]: row for row in shown},
    }
    return render(visitor.reader, "handover.html", context, status=status)


def _waits(row: dict[str, Any]) -> bool:
    return bool(row["is_snoozed"] or row["held_zh"])


def _desk(actor: Actor) -> str:
    if actor.role not in _GIVERS or not actor.desks:
        raise NotAllowed("A shift is handed over by who belongs to a desk.")
    return min(actor.desks)


def _write(connection: sa.Connection, actor: Actor, desk: str, note: str, at: datetime) -> None:
    k = t.task.c
    query = sa.select(k.task_id).where(
        k.priority_rank == PRIORITY_RANK[Priority.URGENT], OPEN, seen(k.desk, actor)
    )
    urgent: dict[str, dict[str, str]] = {
        task_id: {} for task_id in connection.execute(query).scalars()
    }
    connection.execute(
        sa.insert(t.handover).values(
            handover_id=digest("handover", actor.actor_id, at.isoformat()),
            desk=desk,
            given_by=actor.actor_id,
            given_by_name=actor.name,
            given_at=at,
            note=note,
            urgent=urgent,
            taken_at=None if urgent else at,
        )
    )


def _open(connection: sa.Connection, actor: Actor, house: DispatchPolicy) -> list[dict[str, Any]]:
    k = t.task.c
    query = (
        queue_rows.row_query()
        .where(OPEN, k.issue_id.is_(None), seen(k.desk, actor))
        .order_by(k.priority_rank.desc(), k.score.desc(), k.opened_at, k.task_id)
        .limit(_ROWS)
    )
    found = connection.execute(query).mappings()
    return [queue_rows.shown(dict(row), actor, house) for row in found]


def _pending(connection: sa.Connection, actor: Actor) -> list[dict[str, Any]]:
    """The newest hand-overs of the person's desks that nobody has taken whole."""
    h = t.handover.c
    query = (
        sa.select(t.handover)
        .where(h.taken_at.is_(None), seen(h.desk, actor))
        .order_by(h.given_at.desc())
        .limit(3)
    )
    return [dict(row) for row in connection.execute(query).mappings()]
