"""Idempotency keys: the same request twice is carried out once, and answered the same."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from models import tables as t
from models.errors import Unusable
from models.person import Actor


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON answer; `is_replay` when it is the one that was given before."""

    status: int
    body: Any
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked: the client's key for it (None: not wanted) and a hash of all of it."""

    key: str | None
    sha256: str


def once(
    connection: sa.Connection,
    actor: Actor,
    request: Request,
    at: datetime,
    do: Callable[[], Answer],
) -> Answer:
    """Carry a request out unless it was before, in the transaction that does what it asks.

    Of two at the same moment the second fails on the primary key: begin again, and it is a replay.
    """
    if request.key is None:
        return do()
    c = t.idempotency.c
    row = connection.execute(
        sa.select(c.request_sha256, c.status, c.body).where(
            c.key_id == actor.actor_id, c.idempotency_key == request.key
        )
    ).one_or_none()
    if row is not None:
        if row.request_sha256 != request.sha256:
            raise Unusable("This Idempotency-Key was used for another request.")
        return Answer(row.status, row.body, is_replay=True)
    answer = do()
    connection.execute(
        sa.insert(t.idempotency).values(
            key_id=actor.actor_id,
            idempotency_key=request.key,
            request_sha256=request.sha256,
            status=answer.status,
            body=answer.body,
            at=at,
        )
    )
    return answer
