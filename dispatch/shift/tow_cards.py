"""Cards for tow partners: a secret address that shows one task until it expires."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from dispatch.read import queue
from dispatch.read.typed_rows import columns_of, typed
from models import tables as t
from models.errors import NotThere
from models.person import Actor


@dataclass(frozen=True, slots=True)
class TowCard:
    """A card: which task it shows, who made it, and until when."""

    task_id: str
    made_by: str
    made_at: datetime
    ends_at: datetime


def make_card(
    connection: sa.Connection, task_id: str, actor: Actor, at: datetime, ends_at: datetime
) -> str:
    """Make a card and return its secret. Raises `NotThere` for another desk's task."""
    queue.row(connection, task_id, actor)
    secret = secrets.token_urlsafe(24)
    connection.execute(
        sa.insert(t.card).values(
            card_sha256=_hash(secret),
            task_id=task_id,
            made_by=actor.name,
            made_at=at,
            ends_at=ends_at,
        )
    )
    return secret


def find_card(connection: sa.Connection, secret: str, at: datetime) -> TowCard:
    """Return the card of a secret. Raises `NotThere` for one that expired, and for nobody's."""
    c = t.card.c
    query = sa.select(*columns_of(TowCard, t.card))
    row = (
        connection.execute(query.where(c.card_sha256 == _hash(secret), c.ends_at > at))
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotThere("There is no such card, or it has expired.")
    return typed(TowCard, row)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
