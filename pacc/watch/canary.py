"""Sends the canary's fault, sees it arrive in a queue, and takes its rows away again."""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import sqlalchemy as sa
import structlog

from ingest.store.ledger import remove_alerts
from models import tables as t
from models.batch import Message
from models.canary import CANARY_DESK, CANARY_VIN
from models.errors import Unreachable
from models.ids import digest
from models.sql import OUTAGES, insert_new
from models.words import TaskState
from pacc.process.database import snapshot
from pacc.watch.canary_status import PULSE, CanaryStatus, flight

_log = structlog.get_logger(__name__)
_SOURCE: Final = "pacc canary"
_LOOK_EVERY: Final = timedelta(milliseconds=50)
_FORGOTTEN: Final = timedelta(hours=1)


class Sender(Protocol):
    """Sends messages; raises `Unreachable` if one did not get through."""

    def send(self, messages: list[Message]) -> None:
        """Send them all."""
        ...


def message(topic: str, at: datetime) -> tuple[str, Message]:
    """Make the fault that is sent at `at`: its fingerprint, and what goes to the topic."""
    ident = f"canary {at.isoformat()}"
    document = {
        "id": ident,
        "source": _SOURCE,
        "vin": CANARY_VIN,
        "observed_at": at.isoformat(),
        "code": "canary:1",
        "severity": "stop",
        "motion": "moving",
    }
    headers = (("pacc-format", b"canonical"),)
    value = json.dumps(document).encode()
    return digest(_SOURCE, ident), Message(topic, CANARY_VIN.encode(), value, headers)


def may_send(connection: sa.Connection, at: datetime, every: timedelta) -> bool:
    """Say whether the next one is due, and if so that it is ours to send: of any number who ask."""
    p = t.pulse.c
    first = {"name": PULSE, "at": datetime.fromtimestamp(0, tz=at.tzinfo), "detail": {}}
    insert_new(connection, t.pulse, [first])
    due = sa.update(t.pulse).where(p.name == PULSE, p.at <= at - every).values(at=at)
    return connection.execute(due).rowcount == 1


def is_in_queue(connection: sa.Connection, fingerprint: str) -> bool:
    """Whether this fault is filed, its case has an open task at the desk, and the event is out."""
    a, k, o = t.alert.c, t.task.c, t.outbox.c
    event = sa.select(o.seq).where(o.case_id == k.case_id, o.kind == "pacc.task.opened.v1")
    task = sa.select(k.task_id).where(
        k.vin == CANARY_VIN, k.desk == CANARY_DESK, k.state != TaskState.DONE.value, event.exists()
    )
    filed = sa.select(a.fingerprint).where(a.fingerprint == fingerprint, task.exists())
    return connection.execute(filed).first() is not None


def clear(connection: sa.Connection) -> int:
    """Take every row of the canary away, and its alerts out of the ledger's count; count cases.

    The lock on its vehicle keeps the pipeline out meanwhile. The ledger's outcomes stay: the
    records were read.
    """
    v, c = t.vehicle.c, t.case.c
    connection.execute(sa.select(v.vin).where(v.vin == CANARY_VIN).with_for_update())
    ids = list(connection.execute(sa.select(c.case_id).where(c.vin == CANARY_VIN)).scalars())
    for table in (t.outbox, t.entry, t.fault, t.task, t.case):
        connection.execute(sa.delete(table).where(table.c.case_id.in_(ids)))
    remove_alerts(connection, t.alert.c.vin == CANARY_VIN)
    return len(ids)


def sweep(connection: sa.Connection, at: datetime) -> int:
    """Clear a canary that nobody waits for any more: of a tape, or of a `tend` that ended."""
    c = t.case.c
    old = sa.select(c.case_id).where(c.vin == CANARY_VIN, c.opened_at < at - _FORGOTTEN)
    return clear(connection) if connection.execute(old).first() else 0


class Canary:
    """Sends one each interval and waits for it, in a thread of its own beside `pacc tend`."""

    def __init__(
        self,
        engine: sa.Engine,
        make_sender: Callable[[], Any],
        topic: str,
        every: timedelta,
        now: Callable[[], datetime],
        tell: Callable[[CanaryStatus], None],
    ) -> None:
        self._engine = engine
        self._make_sender = make_sender
        self._topic = topic
        self._every = every
        self._now = now
        self._tell = tell
        self._sender: Any = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._fly, name="canary", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more, and let the connection go."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def round(self) -> None:
        """Send one if it is due and ours, and wait for it at most until the next one is due."""
        sent_at = self._now()
        with self._engine.begin() as connection:
            if not may_send(connection, sent_at, self._every):
                return
            before = flight(connection)
            clear(connection)
        new = CanaryStatus(
            self._every.total_seconds(),
            sent_at,
            before.seen_at if before else None,
            before.took_seconds if before else None,
            before.missed if before else 0,
            (before.began_at if before else None) or sent_at,
        )
        self._note(new)
        fingerprint, sent = message(self._topic, sent_at)
        self._send(sent)
        seen_at = self._seen(fingerprint, sent_at + self._every)
        if seen_at is None:
            self._note(replace(new, missed=new.missed + 1))
        else:
            took = round((seen_at - sent_at).total_seconds(), 3)
            self._note(replace(new, seen_at=seen_at, took_seconds=took))

    def _seen(self, fingerprint: str, until: datetime) -> datetime | None:
        """Look until the fault is in a queue, and clear it away; None if it did not come in time.

        A millisecond after the commit the row is visible: a look every 50 ms is as exact as that.
        """
        while not self._stopped.is_set():
            at = self._now()
            with snapshot(self._engine) as connection:
                is_there = is_in_queue(connection, fingerprint)
            if is_there:
                with self._engine.begin() as connection:
                    clear(connection)
                return at
            if at >= until:
                return None
            self._stopped.wait(_LOOK_EVERY.total_seconds())
        return None

    def _note(self, new: CanaryStatus) -> None:
        detail = {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(new).items()
        }
        p = t.pulse.c
        with self._engine.begin() as connection:
            noted = sa.update(t.pulse).where(p.name == PULSE).values(detail=detail)
            connection.execute(noted)
        self._tell(new)

    def _send(self, sent: Message) -> None:
        try:
            if self._sender is None:
                self._sender = self._make_sender()
            self._sender.send([sent])
        except Unreachable:
            self._forget()
            raise

    def _forget(self) -> None:
        close = getattr(self._sender, "close", None)
        self._sender = None
        if close is not None:
            close()

    def _fly(self) -> None:
        while not self._stopped.is_set():
            try:
                self.round()
            except (Unreachable, *OUTAGES) as outage:
                _log.warning("the canary could not be sent", outage=str(outage))
            self._stopped.wait(min(1.0, self._every.total_seconds() / 4))
        with suppress(Unreachable):
            self._forget()
