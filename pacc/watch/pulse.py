"""Pulses: the row that a process which runs all day writes over and over, for health checks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from models import tables as t
from models.sql import upsert


def write_pulse(
    connection: sa.Connection, name: str, at: datetime, detail: Mapping[str, Any]
) -> None:
    """Write the state of `name` over the last one."""
    upsert(connection, t.pulse, ("name",), [{"name": name, "at": at, "detail": dict(detail)}])


def read_pulses(connection: sa.Connection, kind: str, since: datetime) -> list[dict[str, Any]]:
    """Return the pulses since then of a kind (the first word of a name), by name."""
    c = t.pulse.c
    query = sa.select(t.pulse).where(c.name.startswith(kind, autoescape=True), c.at >= since)
    return [dict(row) for row in connection.execute(query.order_by(c.name)).mappings()]
