"""The desks, read from the database."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from dispatch.rules.opening_hours import hours_of
from dispatch.rules.routing import Directory
from models import tables as t
from models.case import Desk, Text
from models.words import Queue


def load_directory(connection: sa.Connection) -> Directory:
    """Read all desks."""
    rows = connection.execute(sa.select(t.desk)).mappings()
    return Directory(desk_of(dict(row)) for row in rows)


def desk_of(row: Mapping[str, Any]) -> Desk:
    """Return the desk of a row, of older schemas too."""
    return Desk(
        desk_id=row["desk_id"],
        kind=Queue(row["kind"]),
        name=Text(row["name_zh"], row["name_en"]),
        market=row["market"],
        region=row["region"],
        lat=row["lat"],
        lon=row["lon"],
        timezone=row["timezone"],
        capabilities=frozenset(row["capabilities"]),
        hours=hours_of(row["hours"]),
        holidays=frozenset(row["holidays"]),
        is_open=row["is_open"],
    )
