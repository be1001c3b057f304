"""Live pages: one look at the database per process, fanned out to every open page.

A page hears `moved` (tasks of its desks changed, with the number of the change as event id) and
`beat` (the time, how many urgent cases nobody has claimed, what the person has in hand).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import anyio.to_thread
import sqlalchemy as sa
import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from dispatch import store
from dispatch.auth import InOffice, Office
from dispatch.changes import Change, changes, horizon
from dispatch.console import view
from dispatch.console.door import AsVisitor, AsWriter, Fields, Visitor
from models import tables as t
from models.errors import Conflict
from models.person import Actor
from models.sql import upsert

LOOK_SECONDS: Final = 0.4
BEAT_SECONDS: Final = 5.0
_WAITING: Final = 200  # messages that a slow page may have waiting before it is cut off
_log = structlog.get_logger(__name__)
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Pulse:
    """What every page is told at each beat, before it is cut down to what a person may see."""

    at: datetime
    unclaimed: Mapping[str, int]  # desk → urgent tasks that nobody has claimed
    floods: Mapping[str, int]
    held: Mapping[str, Sequence[str]]  # person → tasks
    sessions: frozenset[str]


@dataclass(eq=False, slots=True)
class Listener:
    """One open page."""

    visitor: Visitor
    waiting: asyncio.Queue[ServerSentEvent | None] = field(
        default_factory=lambda: asyncio.Queue(_WAITING)
    )

    def tell(self, event: ServerSentEvent | None) -> None:
        """Send an event; a page that cannot follow is cut off, and comes back by itself."""
        if event is None or self.waiting.full():
            while not self.waiting.empty():
                self.waiting.get_nowait()
            event = None
        self.waiting.put_nowait(event)


class Hub:
    """Looks while anybody listens."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._listeners: set[Listener] = set()
        self._looking: asyncio.Task[None] | None = None
        self._at = 0

    async def listen(self, visitor: Visitor, last: int | None) -> AsyncIterator[ServerSentEvent]:
        """Give events from now on; after a break, what was missed since `last` comes first."""
        listener = Listener(visitor)
        first = await anyio.to_thread.run_sync(self._catch_up, last)
        self._listeners.add(listener)
        if self._looking is None or self._looking.done():
            self._at = first[0]
            self._looking = asyncio.create_task(self._look_on())
        self._send_changes([listener], first[1], first[0])
        listener.tell(_beat(visitor.actor, await anyio.to_thread.run_sync(self.pulse)))
        try:
            while (event := await listener.waiting.get()) is not None:
                yield event
        finally:
            self._listeners.discard(listener)

    async def close(self) -> None:
        """Send everybody away: the server stops."""
        if self._looking is not None:
            self._looking.cancel()
        for listener in self._listeners:
            listener.tell(None)

    async def _look_on(self) -> None:
        loop = asyncio.get_running_loop()
        next_beat = loop.time() + BEAT_SECONDS
        while self._listeners:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                end, found = await anyio.to_thread.run_sync(self._changes)
                is_beat = loop.time() >= next_beat
                pulse = await anyio.to_thread.run_sync(self.pulse) if is_beat else None
            except sa.exc.OperationalError as outage:
                _log.warning("live pages wait for the database", outage=str(outage.orig))
                continue
            self._at = end
            self._send_changes(list(self._listeners), found, end)
            if pulse is not None:
                next_beat = loop.time() + BEAT_SECONDS
                for listener in list(self._listeners):
                    is_in = listener.visitor.session.key in pulse.sessions
                    listener.tell(_beat(listener.visitor.actor, pulse) if is_in else None)

    def _send_changes(
        self, listeners: Sequence[Listener], found: Sequence[Change], end: int
    ) -> None:
        if not found:
            return
        for listener in listeners:
            own = [one for one in found if listener.visitor.actor.sees(one.desk)]
            if own:
                facts = [[one.task_id, one.what, one.priority, one.state] for one in own[:50]]
                listener.tell(_event("moved", {"tasks": facts, "count": len(own)}, end))

    def _catch_up(self, last: int | None) -> tuple[int, Sequence[Change]]:
        with self._office.engine.begin() as connection:
            end = horizon(connection)
            return end, ([] if last is None else changes(connection, last, end))

    def _changes(self) -> tuple[int, Sequence[Change]]:
        with self._office.engine.begin() as connection:
            end = horizon(connection)
            return end, (changes(connection, self._at, end) if end > self._at else [])

    def pulse(self) -> Pulse:
        """Look at what every page is told at a beat."""
        at = self._office.now()
        k, s = t.task.c, t.session.c
        keys = [one.visitor.session.key for one in self._listeners]
        with self._office.engine.begin() as connection:
            unclaimed = connection.execute(
                sa.select(k.desk, sa.func.count())
                .where(k.priority == "urgent", k.state == "queued", k.queue == "roadside")
                .where(k.paused_at.is_(None), k.held_zh.is_(None), k.holder.is_(None))
                .group_by(k.desk)
            )
            held: dict[str, list[str]] = {}
            for person, task in connection.execute(
                sa.select(k.holder, k.task_id).where(k.holder.is_not(None), k.state != "done")
            ):
                held.setdefault(str(person), []).append(task)
            valid = connection.execute(
                sa.select(s.session_sha256).where(
                    s.session_sha256.in_(keys), s.ended_at.is_(None), s.ends_at > at
                )
            ).scalars()
            return Pulse(
                at, dict(unclaimed.all()), view.floods(connection, at), held, frozenset(valid)
            )


def _event(name: str, facts: Mapping[str, Any], number: int | None = None) -> ServerSentEvent:
    text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
    return ServerSentEvent(text, event=name, id=None if number is None else str(number))


def _beat(actor: Actor, pulse: Pulse) -> ServerSentEvent:
    facts = {
        "now": int(pulse.at.timestamp() * 1000),
        "urgent": sum(count for desk, count in pulse.unclaimed.items() if actor.sees(desk)),
        "flood": sum(count for desk, count in pulse.floods.items() if actor.sees(desk)),
        "mine": pulse.held.get(actor.actor_id, []),
    }
    return _event("beat", facts)


@router.get("/live")
async def live(request: Request, visitor: AsVisitor) -> Response:
    """Open the stream of a page."""
    hub: Hub = request.app.state.hub
    last = request.headers.get("last-event-id", "")
    number = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else None  # noqa: PLR2004
    return EventSourceResponse(hub.listen(visitor, number), ping=15)


@router.get("/pulse")
async def pulse(request: Request, visitor: AsVisitor) -> Response:
    """Say the beat once: for a page whose stream is broken."""
    hub: Hub = request.app.state.hub
    beat = _beat(visitor.actor, await anyio.to_thread.run_sync(hub.pulse))
    return Response(str(beat.data), media_type="application/json")


@router.post("/here")
def here(office: InOffice, visitor: AsWriter, fields: Fields) -> Response:
    """Say that somebody is there: their claims live on, and others see what they look at."""
    at = office.now()
    with office.engine.begin() as connection:
        held = view.held_by(connection, visitor.actor)
    for task_id in held:
        try:
            with office.engine.begin() as connection:
                store.renew(connection, task_id, visitor.actor, at, office.house)
        except Conflict:
            continue  # lost this very moment: the next beat says so
    looked_at = fields.get("task", "")
    if looked_at:
        with office.engine.begin() as connection:
            if view.row(connection, looked_at, visitor.actor, at, office.house) is not None:
                row = {"task_id": looked_at, "person_id": visitor.actor.actor_id,
                       "name": visitor.actor.name, "seen_at": at}  # fmt: skip
                upsert(connection, t.presence, ("task_id", "person_id"), [row])
    return Response(status_code=204)


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[None]:
    """Let the open streams go when the server stops."""
    try:
        yield
    finally:
        hub: Hub = app.state.hub
        await hub.close()
