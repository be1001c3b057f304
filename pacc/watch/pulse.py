"""How those who run all day are: each writes one row over and over, and others read it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from models import tables as t
from models.sql import upsert


def beat(connection: sa.Connection, name: str, at: datetime, detail: Mapping[str, Any]) -> None:
    """Say how `name` is."""
    upsert(connection, t.pulse, ("name",), [{"name": name, "at": at, "detail": dict(detail)}])


def pulses(connection: sa.Connection, kind: str, since: datetime) -> list[dict[str, Any]]:
    """Give the pulses of a kind (the first word of a name) that are not older, by name."""
    c = t.pulse.c
    query = sa.select(t.pulse).where(c.name.startswith(kind, autoescape=True), c.at >= since)
    return [dict(row) for row in connection.execute(query.order_by(c.name)).mappings()]
