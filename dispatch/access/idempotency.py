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
    engine: sa.Engine,
    actor: Actor,
    request: Request,
    at: datetime,
    do: Callable[[sa.Connection], Answer],
) -> Answer:
    """Carry a request out in one transaction, unless it was before: then repeat the answer.

    Of two at the same moment the second fails on the primary key: begun again, it is a replay.
    Raises `Unusable` for a key that came with another request.
    """
    try:
        return _attempt(engine, actor, request, at, do)
    except sa.exc.IntegrityError:
        return _attempt(engine, actor, request, at, do)


def _attempt(
    engine: sa.Engine,
    actor: Actor,
    request: Request,
    at: datetime,
    do: Callable[[sa.Connection], Answer],
) -> Answer:
    with engine.begin() as connection:
        if request.key is None:
            return do(connection)
        answer = _answered(connection, actor, request)
        if answer is None:
            answer = do(connection)
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


def _answered(connection: sa.Connection, actor: Actor, request: Request) -> Answer | None:
    c = t.idempotency.c
    row = connection.execute(
        sa.select(c.request_sha256, c.status, c.body).where(
            c.key_id == actor.actor_id, c.idempotency_key == request.key
        )
    ).one_or_none()
    if row is None:
        return None
    if row.request_sha256 != request.sha256:
        raise Unusable("This Idempotency-Key was used for another request.")
    return Answer(row.status, row.body, is_replay=True)
