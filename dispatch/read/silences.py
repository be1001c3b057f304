"""Silences in force, of one vehicle or of all that the actor may see."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from dispatch.access.visibility import looked_after, seen_vehicles
from dispatch.read.typed_rows import columns_of, typed
from models import tables as t
from models.person import Actor

_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class SilenceRow:
    """What holds a vehicle's tasks back, from when, until when, why, and by whom."""

    silence_id: str
    vin: str
    kind: str
    starts_at: datetime
    ends_at: datetime | None
    reason: str
    made_by: str
    released_at: datetime | None


def in_force(at: datetime) -> sa.ColumnElement[bool]:
    """Return the condition that a silence holds back at `at`: begun, not over, not lifted."""
    s = t.silence.c
    ends_later = sa.or_(s.ends_at.is_(None), s.ends_at > at)
    return sa.and_(s.released_at.is_(None), s.starts_at <= at, ends_later)


def list_silences(connection: sa.Connection, actor: Actor, at: datetime) -> list[SilenceRow]:
    """List the silences in force that the actor may see, the newest first."""
    s = t.silence.c
    query = (
        sa.select(*columns_of(SilenceRow, t.silence))
        .where(in_force(at), sa.or_(seen_vehicles(s.vin, actor), looked_after(s.vin, actor)))
        .order_by(s.starts_at.desc())
        .limit(_MOST)
    )
    return [typed(SilenceRow, row) for row in connection.execute(query).mappings()]


def silences_of(connection: sa.Connection, vin: str, at: datetime) -> list[SilenceRow]:
    """List the silences in force on a vehicle, the oldest first."""
    s = t.silence.c
    query = sa.select(*columns_of(SilenceRow, t.silence)).where(s.vin == vin, in_force(at))
    rows = connection.execute(query.order_by(s.starts_at)).mappings()
    return [typed(SilenceRow, row) for row in rows]
