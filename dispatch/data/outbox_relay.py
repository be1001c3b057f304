"""The outbox, sent: decided once, delivered at least once under one stable id, in case order."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import orjson
import sqlalchemy as sa

from models import tables as t
from models.batch import Message
from models.canary import CANARY_VIN
from models.sql import within

_HEADERS = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)


class Sender(Protocol):
    """Sends messages in this order; returns when all are durable, raises if one is not."""

    def send(self, messages: Sequence[Message]) -> None:
        """Send them all."""
        ...


def relay(engine: sa.Engine, sender: Sender, at: datetime, limit: int = 500) -> int:
    """Send the oldest unsent events and mark them; count them.

    The rows stay locked while they are sent: a second relay waits, so that order holds. If we die
    between sending and marking, they are sent again under the same ids. What the canary causes
    goes no further than here.
    """
    o = t.outbox.c
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("select pg_advisory_xact_lock(7221)"))
        query = sa.select(t.outbox).where(o.sent_at.is_(None)).order_by(o.seq).limit(limit)
        waiting = [dict(row) for row in connection.execute(query).mappings().all()]
        if not waiting:
            return 0
        leaving = [row for row in waiting if row["data"].get("vin") != CANARY_VIN]
        if leaving:
            sender.send([message_of(row) for row in leaving])
        sent = sa.update(t.outbox).where(within(connection, o.seq, [row["seq"] for row in waiting]))
        connection.execute(sent.values(sent_at=at))
    return len(waiting)


def message_of(row: Mapping[str, Any]) -> Message:
    """Spell an event of the outbox as a CloudEvent 1.0."""
    event = {
        "specversion": "1.0",
        "id": row["event_id"],
        "source": "/pacc",
        "type": row["kind"],
        "subject": row["case_id"],
        "time": row["at"].isoformat(),
        "datacontenttype": "application/json",
        "sequence": f"{row['case_seq']:010d}",
        "data": row["data"],
    }
    return Message(row["topic"], row["case_id"].encode(), orjson.dumps(event), _HEADERS)
