"""Live pages: one poll of the database per process, fanned out to every open page.

A page hears `moved` (tasks of its desks changed, with the number of the change as event id) and
`beat` (the time, how many urgent cases nobody has claimed, what the person has in hand).
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import anyio.to_thread
import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from dispatch.access.api_auth import InOffice, WebContext
from dispatch.console.login.session import AsVisitor, AsWriter, Fields, Visitor
from dispatch.read.changes import Change, changes, horizon
from dispatch.read.load import Pulse
from dispatch.read.load import pulse as read_pulse
from dispatch.read.queue import claimed_by, find_row
from dispatch.shift.presence import note_presence
from dispatch.tasks import actions
from models.errors import Conflict
from models.person import Actor
from models.sql import OUTAGES

POLL_SECONDS: Final = 0.4
BEAT_SECONDS: Final = 5.0
_WAITING: Final = 200  # messages that a slow page may have waiting before it is cut off
_log = structlog.get_logger(__name__)
router = APIRouter(include_in_schema=False)


@dataclass(eq=False, slots=True)
class Listener:
    """One open page."""

    visitor: Visitor
    waiting: asyncio.Queue[ServerSentEvent | None] = field(
        default_factory=lambda: asyncio.Queue(_WAITING)
    )

    def send(self, event: ServerSentEvent | None) -> None:
        """Send an event; a page that cannot follow is cut off, and comes back by itself."""
        if event is None or self.waiting.full():
            while not self.waiting.empty():
                self.waiting.get_nowait()
            event = None
        self.waiting.put_nowait(event)


class Hub:
    """Polls the database while anybody listens, once for every open page of the process."""

    def __init__(self, office: WebContext) -> None:
        self._office = office
        self._listeners: set[Listener] = set()
        self._polling: asyncio.Task[None] | None = None
        self._at = 0

    async def listen(self, visitor: Visitor, last: int | None) -> AsyncIterator[ServerSentEvent]:
        """Yield events from now on; after a break, what was missed since `last` comes first."""
        listener = Listener(visitor)
        self._listeners.add(listener)  # first of all: what happens from here on is heard
        try:
            end, missed = await anyio.to_thread.run_sync(self._catch_up, last)
            if self._polling is None or self._polling.done():
                self._at = end
                self._polling = asyncio.create_task(self._poll_on())
            listener.send(_beat(visitor.actor, await self.pulse(), end, is_first=True))
            self._send_changes([listener], missed, end)
            while (event := await listener.waiting.get()) is not None:
                yield event
        finally:
            self._listeners.discard(listener)

    async def close(self) -> None:
        """Send everybody away: the server stops."""
        if self._polling is not None:
            self._polling.cancel()
        for listener in self._listeners:
            listener.send(None)

    async def _poll_on(self) -> None:
        """Poll until nobody listens. If that fails, pages are cut off: they come back anew."""
        next_beat = time.monotonic() + BEAT_SECONDS
        try:
            while self._listeners:
                await asyncio.sleep(POLL_SECONDS)
                is_beat = time.monotonic() >= next_beat
                await self._poll(is_beat=is_beat)
                if is_beat:
                    next_beat = time.monotonic() + BEAT_SECONDS
        finally:
            for listener in list(self._listeners):
                listener.send(None)

    async def _poll(self, *, is_beat: bool) -> None:
        try:
            end, moved = await anyio.to_thread.run_sync(self._changes)
            pulse = await self.pulse() if is_beat else None
        except OUTAGES as outage:
            _log.warning("live pages wait for the database", outage=str(outage.orig))
            return
        self._at = end
        self._send_changes(list(self._listeners), moved, end)
        if pulse is None:
            return
        for listener in list(self._listeners):
            has_ended = listener.visitor.session.key in pulse.ended
            listener.send(None if has_ended else _beat(listener.visitor.actor, pulse, end))

    def _send_changes(
        self, listeners: Sequence[Listener], moved: Sequence[Change], end: int
    ) -> None:
        if not moved:
            return
        for listener in listeners:
            own = [one for one in moved if listener.visitor.actor.sees(one.desk)]
            if own:
                facts = [[one.task_id, one.what, one.priority, one.state] for one in own[:50]]
                listener.send(_event("moved", {"tasks": facts, "count": len(own)}, end))

    def _catch_up(self, last: int | None) -> tuple[int, Sequence[Change]]:
        with self._office.engine.begin() as connection:
            end = horizon(connection)
            return end, ([] if last is None else changes(connection, last, end))

    def _changes(self) -> tuple[int, Sequence[Change]]:
        with self._office.engine.begin() as connection:
            end = horizon(connection)
            return end, (changes(connection, self._at, end) if end > self._at else [])

    async def pulse(self) -> Pulse:
        """Read what every page repeats at a beat."""
        keys = [one.visitor.session.key for one in self._listeners]
        return await anyio.to_thread.run_sync(self._pulse, keys)

    def _pulse(self, keys: Sequence[str]) -> Pulse:
        with self._office.engine.begin() as connection:
            return read_pulse(connection, keys, self._office.now())


def _event(name: str, facts: Mapping[str, Any], number: int) -> ServerSentEvent:
    text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
    return ServerSentEvent(text, event=name, id=str(number))


def _beat(actor: Actor, pulse: Pulse, number: int, *, is_first: bool = False) -> ServerSentEvent:
    facts = {
        "first": is_first,
        "now": int(pulse.at.timestamp() * 1000),
        "urgent": sum(count for desk, count in pulse.unclaimed.items() if actor.sees(desk)),
        "flood": sum(count for desk, count in pulse.floods.items() if actor.sees(desk)),
        "mine": pulse.claimed.get(actor.actor_id, []),
    }
    return _event("beat", facts, number)


@router.get("/live")
async def live(request: Request, visitor: AsVisitor) -> Response:
    """Open the stream of a page."""
    hub: Hub = request.app.state.hub
    last = request.headers.get("last-event-id", "")
    number = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else None  # noqa: PLR2004
    return EventSourceResponse(hub.listen(visitor, number), ping=15)


@router.get("/pulse")
async def pulse(request: Request, visitor: AsVisitor) -> Response:
    """Return the beat once: for a page whose stream is broken."""
    hub: Hub = request.app.state.hub
    beat = _beat(visitor.actor, await hub.pulse(), 0)
    return Response(str(beat.data), media_type="application/json")


@router.post("/here")
def here(office: InOffice, visitor: AsWriter, fields: Fields) -> Response:
    """Renew the claims of somebody who is there, and note which task they have open."""
    at = office.now()
    with office.engine.begin() as connection:
        claimed = claimed_by(connection, visitor.actor)
    for task_id in claimed:
        try:
            with office.engine.begin() as connection:
                actions.renew(office.acting(connection, visitor.actor), task_id)
        except Conflict:
            continue  # lost this very moment: the next beat says so
    open_task = fields.get("task", "")
    if open_task:
        with office.engine.begin() as connection:
            if find_row(connection, open_task, visitor.actor) is not None:
                note_presence(connection, open_task, visitor.actor, at)
    return Response(status_code=204)


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[None]:
    """Close the open streams when the server stops."""
    try:
        yield
    finally:
        hub: Hub = app.state.hub
        await hub.close()
