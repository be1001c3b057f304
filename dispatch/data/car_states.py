"""What follows from the state of a car: the workshop holds its tasks, a sale ends consent."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa

from models import tables as t
from models.ids import digest
from models.sql import upsert, within
from models.words import CarState

_MASTER_DATA: Final = "master data"
# A file says that a car is in the workshop, and not since when.
_ALWAYS: Final = datetime(1970, 1, 1, tzinfo=UTC)


def follow_state(connection: sa.Connection, vins: Sequence[str]) -> None:
    """Bring silences and consent in line with the states of vehicles.

    A workshop is one idea, whoever says it: a silence of its kind, which a person may lift too. Of
    a car that was sold the former owner is called no more, whatever becomes of the car.
    """
    v, s, o = t.vehicle.c, t.silence.c, t.contact.c
    query = sa.select(v.vin, v.state, v.stands_at).where(within(connection, v.vin, vins))
    states = connection.execute(query).all()
    in_workshop = {row.vin: row.stands_at for row in states if row.state == CarState.WORKSHOP.value}
    sold = [row.vin for row in states if row.state == CarState.SOLD.value]
    others = [row.vin for row in states if row.vin not in in_workshop]
    left = sa.delete(t.silence).where(s.made_by == _MASTER_DATA, within(connection, s.vin, others))
    connection.execute(left)
    rows = [
        {
            "silence_id": digest("silence", vin, _MASTER_DATA),
            "vin": vin,
            "kind": "workshop",
            "starts_at": _ALWAYS,
            "ends_at": None,
            "reason": "主数据 master data",
            "made_by": _MASTER_DATA,
            "released_at": None,
            "desk": desk,
        }
        for vin, desk in in_workshop.items()
    ]
    upsert(connection, t.silence, ("silence_id",), rows)
    ended = sa.update(t.contact).where(within(connection, o.vin, sold), o.has_consent)
    connection.execute(ended.values(has_consent=False))
