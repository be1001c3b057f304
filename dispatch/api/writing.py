"""How the HTTP API writes: one request is one transaction, and safe to send twice."""

import hashlib
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from dispatch.access import idempotency
from dispatch.access.acting import Acting
from dispatch.access.api_auth import WebContext
from dispatch.access.idempotency import Answer
from dispatch.read.tasks import TaskDetail, show_task
from models.person import Actor
from models.sql import Connection

_Do = Callable[[Acting], Any]


async def request_of(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            max_length=128,
            pattern=r"^[\x21-\x7e]+$",
            description="Send the same key again to repeat a request safely.",
        ),
    ] = None,
) -> idempotency.Request:
    """Hash what is asked, so that a reused key is told from a repeated request."""
    body = await request.body()
    asked = f"{request.method} {request.url.path}\n".encode() + body
    return idempotency.Request(idempotency_key, hashlib.sha256(asked).hexdigest())


Asked = Annotated[idempotency.Request, Depends(request_of)]


def act(
    office: WebContext, actor: Actor, asked: idempotency.Request, do: _Do, status: int = 200
) -> Response:
    """Do something in one transaction, once, and answer with what it gives."""
    at = office.now()

    def answer_of(connection: Connection) -> Answer:
        acting = Acting(connection, actor, at, office.house)
        return Answer(status, jsonable_encoder(do(acting)))

    answer = idempotency.once(office.engine, actor, asked, at, answer_of)
    headers = {"Idempotency-Replayed": "true"} if answer.is_replay else None
    return JSONResponse(answer.body, answer.status, headers)


def on_task(
    office: WebContext, actor: Actor, asked: idempotency.Request, task_id: str, do: _Do
) -> Response:
    """Do something with a task, and answer with the task as it is then."""

    def and_show(acting: Acting) -> TaskDetail:
        do(acting)
        return show_task(acting.connection, task_id, actor)

    return act(office, actor, asked, and_show)
