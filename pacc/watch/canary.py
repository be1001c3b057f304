"""The canary: sends its fault, waits until it is in a queue, and deletes its rows again."""

import json
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

import sqlalchemy as sa
import structlog

from ingest.store.ledger import remove_alerts
from models import tables as t
from models.batch import Message
from models.canary import CANARY_DESK, CANARY_VIN
from models.errors import Unreachable
from models.ids import digest
from models.sql import OUTAGES, insert_new
from pacc.process.database import snapshot
from pacc.watch.canary_status import PULSE, CanaryStatus, read_canary_status

_log = structlog.get_logger(__name__)
_SOURCE: Final = "pacc canary"
_POLL_EVERY: Final = timedelta(milliseconds=50)  # how exact the measured time is
_FORGOTTEN_AFTER: Final = timedelta(hours=1)


class Sender(Protocol):
    """Sends messages over a connection."""

    def send(self, messages: Sequence[Message]) -> None:
        """Send them all. Raises `Unreachable` if one did not get through."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


def message(topic: str, at: datetime) -> tuple[str, Message]:
    """Return the fault that is sent at `at`: its fingerprint and its message."""
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
    """Return whether the next one is due and ours to send: of many callers one gets True."""
    p = t.pulse.c
    first = {"name": PULSE, "at": datetime.fromtimestamp(0, tz=at.tzinfo), "detail": {}}
    insert_new(connection, t.pulse, [first])
    due = sa.update(t.pulse).where(p.name == PULSE, p.at <= at - every).values(at=at)
    return connection.execute(due).rowcount == 1


def is_in_queue(connection: sa.Connection, fingerprint: str) -> bool:
    """Return whether the fault is stored and has an open task at its desk, with its event."""
    a, k, o = t.alert.c, t.task.c, t.outbox.c
    event = sa.select(o.seq).where(o.case_id == k.case_id, o.kind == "pacc.task.opened.v1")
    task = sa.select(k.task_id).where(
        k.vin == CANARY_VIN, k.desk == CANARY_DESK, t.OPEN_TASK, event.exists()
    )
    stored = sa.select(a.fingerprint).where(a.fingerprint == fingerprint, task.exists())
    return connection.execute(stored).first() is not None


def clear(connection: sa.Connection) -> int:
    """Delete every row of the canary and uncount its alerts; return the number of cases.

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


def clear_forgotten(connection: sa.Connection, at: datetime) -> int:
    """Clear a canary that nobody waits for any more: of a tape, or of a `tend` that ended."""
    c = t.case.c
    old = sa.select(c.case_id).where(c.vin == CANARY_VIN, c.opened_at < at - _FORGOTTEN_AFTER)
    return clear(connection) if connection.execute(old).first() else 0


class Canary:
    """Sends one each interval and waits for it, in a thread of its own next to `pacc tend`."""

    def __init__(
        self,
        engine: sa.Engine,
        make_sender: Callable[[], Sender],
        topic: str,
        every: timedelta,
        now: Callable[[], datetime],
        notify: Callable[[CanaryStatus], None],
    ) -> None:
        self._engine = engine
        self._make_sender = make_sender
        self._topic = topic
        self._every = every
        self._now = now
        self._notify = notify
        self._sender: Sender | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="canary", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread, which closes its connection."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def tick(self) -> None:
        """Send one if it is due and ours, and wait for it until the next one is due.

        Raises `Unreachable` when Kafka does not take it.
        """
        sent_at = self._now()
        with self._engine.begin() as connection:
            if not may_send(connection, sent_at, self._every):
                return
            before = read_canary_status(connection)
            clear(connection)
        new = CanaryStatus(
            self._every.total_seconds(),
            sent_at,
            before.seen_at if before else None,
            before.took_seconds if before else None,
            before.missed if before else 0,
            (before.began_at if before else None) or sent_at,
        )
        self._save(new)
        fingerprint, fault = message(self._topic, sent_at)
        self._send(fault)
        seen_at = self._wait_until_seen(fingerprint, sent_at + self._every)
        if seen_at is None:
            self._save(replace(new, missed=new.missed + 1))
        else:
            took = round((seen_at - sent_at).total_seconds(), 3)
            self._save(replace(new, seen_at=seen_at, took_seconds=took))

    def _wait_until_seen(self, fingerprint: str, until: datetime) -> datetime | None:
        """Poll until the fault is in a queue, clear it and return when; None if it is late."""
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
            self._stopped.wait(_POLL_EVERY.total_seconds())
        return None

    def _save(self, new: CanaryStatus) -> None:
        detail = {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(new).items()
        }
        p = t.pulse.c
        with self._engine.begin() as connection:
            connection.execute(sa.update(t.pulse).where(p.name == PULSE).values(detail=detail))
        self._notify(new)

    def _send(self, fault: Message) -> None:
        try:
            if self._sender is None:
                self._sender = self._make_sender()
            self._sender.send([fault])
        except Unreachable:
            self._close_sender()
            raise

    def _close_sender(self) -> None:
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.close()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.tick()
            except (Unreachable, *OUTAGES) as outage:
                _log.warning("the canary could not be sent", outage=str(outage))
            self._stopped.wait(min(1.0, self._every.total_seconds() / 4))
        with suppress(Unreachable):
            self._close_sender()
