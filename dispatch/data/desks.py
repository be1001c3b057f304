"""The desks, read from the database."""

from typing import Any

import sqlalchemy as sa

from dispatch.rules.routing import Directory
from models import tables as t
from models.case import Desk, Text
from models.words import Queue


def load_directory(connection: sa.Connection) -> Directory:
    """Read all desks."""
    rows = connection.execute(sa.select(t.desk)).mappings()
    return Directory(_desk(dict(row)) for row in rows)


def _desk(row: dict[str, Any]) -> Desk:
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
        hours={int(day): (hours[0], hours[1]) for day, hours in row["hours"].items()},
        holidays=frozenset(row["holidays"]),
        is_open=row["is_open"],
    )
