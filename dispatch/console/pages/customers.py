"""The dealer's list: customers worth calling today, by when the promise to call is due."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from dispatch.access.api_auth import InOffice
from dispatch.console.login.session import AsVisitor
from dispatch.console.show import call_script
from dispatch.console.show.consent import Asking, asking
from dispatch.console.show.queue_rows import ShownRow, shown
from dispatch.console.show.settings import Console, own_advice
from dispatch.console.show.templates import render
from dispatch.read import queue
from dispatch.read.typed_rows import values_of
from dispatch.read.vehicles import OwnerRow, owners
from dispatch.rules.call_cadence import planned
from models.case import Text
from models.words import Channel, TaskState

router = APIRouter(include_in_schema=False)
_PARTS: Final = ("call", "booked", "later")
_BOOKED: Final = (TaskState.BOOKED, TaskState.ARRIVED, TaskState.REPAIRED)


@dataclass(frozen=True, slots=True)
class CustomerCard(ShownRow):
    """A task with whom to call, how, and what the workshop should have ready."""

    owner: OwnerRow | None
    planned: Channel
    hints: Mapping[str, Any]
    ask: Asking | None
    advice: Text


@router.get("/customers")
def customers(request: Request, office: InOffice, visitor: AsVisitor) -> Response:
    """Show whom to call, who is booked, and whom to try again later."""
    at, actor = office.now(), visitor.actor
    console: Console = request.app.state.console
    with office.engine.begin() as connection:
        rows = queue.customers(connection, actor)
        owner_of = owners(connection, [row.vin for row in rows], actor)
    cards = []
    for row in rows:
        task, owner = shown(row, actor, office.house, console), owner_of.get(row.vin)
        cards.append(
            CustomerCard(
                **values_of(task),
                owner=owner,
                planned=planned(task.attempts),
                hints=call_script.hints(task.code.system),
                ask=asking(visitor.reader, actor, owner, task),
                advice=console.advise(task.action, own_advice([task.code])),
            )
        )
    parts = {name: [card for card in cards if _part(card, at) == name] for name in _PARTS}
    return render(visitor.reader, "customers.html", {"parts": parts, "at": at})


def _part(card: CustomerCard, at: datetime) -> str:
    if card.state in _BOOKED:
        return "booked"
    is_later = card.next_attempt_at is not None and card.next_attempt_at > at
    return "later" if is_later or card.is_snoozed or card.held_zh else "call"
