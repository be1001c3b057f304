"""The dealer's list: customers worth calling today, by when the promise to call is due."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from dispatch.access.api_auth import InOffice
from dispatch.access.visibility import callable_owner, seen
from dispatch.console.login.session import AsVisitor
from dispatch.console.pages.consent import asking
from dispatch.console.show import call_script, queue_rows
from dispatch.console.show.settings import Console
from dispatch.console.show.templates import render
from dispatch.read.open_tasks import OPEN
from dispatch.rules.call_cadence import planned
from dispatch.rules.policy import DispatchPolicy
from models import tables as t
from models.person import Actor
from models.sql import within
from models.words import Role

router = APIRouter(include_in_schema=False)
_CUSTOMERS = 60


@router.get("/customers")
def customers(request: Request, office: InOffice, visitor: AsVisitor) -> Response:
    """Show whom to call, who is booked, and whom to try again later."""
    at = office.now()
    console: Console = request.app.state.console
    with office.engine.begin() as connection:
        rows = _rows(connection, visitor.actor, office.house)
        owners = _owners(connection, visitor.actor, [row["vin"] for row in rows])
    shown = [
        {
            **row,
            "title": (code := console.codes(row["cause"])).title,
            "advice": code.advice,
            "hints": call_script.hints(code.system),
            "owner": owners.get(row["vin"]),
            "planned": planned(row["attempts"]),
            "ask": asking(visitor, owners.get(row["vin"]), row, code.title),
        }
        for row in rows
    ]
    parts = {name: [row for row in shown if _part(row, at) == name] for name in _PARTS}
    return render(visitor.reader, "customers.html", {"parts": parts, "at": at})


_PARTS = ("call", "booked", "later")


def _part(row: dict[str, Any], at: datetime) -> str:
    if row["state"] in ("booked", "arrived", "repaired"):
        return "booked"
    is_later = row["next_attempt_at"] is not None and row["next_attempt_at"] > at
    return "later" if is_later or row["is_snoozed"] or row["held_zh"] else "call"


def _rows(connection: sa.Connection, actor: Actor, house: DispatchPolicy) -> list[dict[str, Any]]:
    k = t.task.c
    due = sa.func.coalesce(k.next_attempt_at, k.appointment_at, k.contact_by)
    query = (
        queue_rows.row_query()
        .where(k.queue == "dealer", OPEN, seen(k.desk, actor))
        .where(k.issue_id.is_(None))  # a fleet-wide matter would leave no room for the others
        .order_by(due, k.task_id)
        .limit(_CUSTOMERS)
    )
    found = connection.execute(query).mappings()
    return [queue_rows.shown(dict(row), actor, house) for row in found]


def _owners(connection: sa.Connection, actor: Actor, vins: list[str]) -> dict[str, dict[str, Any]]:
    """Whom to call; a number is given only with its owner's consent."""
    if actor.role is Role.ENGINEER:
        return {}
    query = sa.select(t.contact).where(within(connection, t.contact.c.vin, vins))
    return {row["vin"]: callable_owner(row) for row in connection.execute(query).mappings()}
