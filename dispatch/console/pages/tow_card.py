"""The hand-over card for the tow partner: one printable page behind a link that expires."""

import hashlib
import secrets
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from dispatch.access.api_auth import InOffice
from dispatch.console.login.session import AsWriter, reader_of
from dispatch.console.pages.case_data import casefile
from dispatch.console.show import queue_rows
from dispatch.console.show.settings import Console
from dispatch.console.show.templates import render
from models import tables as t
from models.errors import NotAllowed, NotThere
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
    secret = secrets.token_urlsafe(24)
    with office.engine.begin() as connection:
        if queue_rows.row(connection, task_id, visitor.actor, office.house) is None:
            raise NotThere("There is no task %(id)s.", {"id": task_id})
        connection.execute(
            sa.insert(t.card).values(
                card_sha256=_hash(secret),
                task_id=task_id,
                made_by=visitor.actor.name,
                made_at=at,
                ends_at=at + console.card_lifetime,
            )
        )
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
    c = t.card.c
    with office.engine.begin() as connection:
        found = connection.execute(
            sa.select(t.card).where(c.card_sha256 == _hash(secret), c.ends_at > at)
        ).one_or_none()
        if found is None:
            raise NotThere("There is no such card, or it has expired.")
        context = casefile(
            connection, found.task_id, _PARTNER, at, office.house, request.app.state.console
        )
    sheets = context["sheets"]
    return render(reader, "card.html", {**context, "answers": sheets["answers"], "card": found})


# Sees the one task that the card was made for, and nothing else is asked for.
_PARTNER = Actor("partner", CLOCKWORK, Role.OPERATOR, None)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
