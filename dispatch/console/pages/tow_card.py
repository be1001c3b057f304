"""The hand-over card for the tow partner: one printable page behind a link that expires."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from dispatch.access.api_auth import InOffice
from dispatch.console.login.session import AsWriter, reader_of
from dispatch.console.pages.case_data import casefile
from dispatch.console.show.settings import Console
from dispatch.console.show.templates import render
from dispatch.shift.tow_cards import find_card, make_card
from models.errors import NotAllowed
from models.person import CLOCKWORK, WORKERS, Actor
from models.words import Role

router = APIRouter(include_in_schema=False)


@router.post("/task/{task_id}/card")
def make(
    request: Request,
    office: InOffice,
    visitor: AsWriter,
    task_id: Annotated[str, Path(max_length=64)],
) -> Response:
    """Make a card and go to it: its address is what the partner gets."""
    if visitor.actor.role not in WORKERS:
        raise NotAllowed("Your role makes no cards.")
    at = office.now()
    console: Console = request.app.state.console
    with office.engine.begin() as connection:
        secret = make_card(connection, task_id, visitor.actor, at, at + console.card_lifetime)
    return RedirectResponse(f"/card/{secret}", 303, {"HX-Redirect": f"/card/{secret}"})


@router.get("/card/{secret}")
def card(
    request: Request,
    office: InOffice,
    secret: Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9_\-]+$")],
) -> Response:
    """Show a card to whoever has its address, until it expires."""
    at = office.now()
    reader = reader_of(request, office)
    with office.engine.begin() as connection:
        shown = find_card(connection, secret, at)
        context = casefile(
            connection, shown.task_id, _PARTNER, at, office.house, request.app.state.console
        )
    answers = context["sheets"].answers
    return render(reader, "card.html", {**context, "answers": answers, "card": shown})


# Sees the one task that the card was made for, and nothing else is asked for.
_PARTNER = Actor("partner", CLOCKWORK, Role.OPERATOR, None)
