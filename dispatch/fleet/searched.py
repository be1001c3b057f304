"""How far each partition has been searched for fleet issues, so that no hour is left out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from models import tables as t
from models.sql import upsert

_KEYS = ("feed", "topic", "part")


class Unsearched(Struct, frozen=True):
    """What no search has seen: stream time from `since` on (None: from the first case on).

    `until` is the newest stream time of any partition; `rows` are what is noted when it was
    searched. Without `rows` no partition has moved.
    """

    since: datetime | None
    until: datetime
    rows: tuple[Mapping[str, Any], ...]


def unsearched(connection: sa.Connection, at: datetime) -> Unsearched | None:
    """Return what came since the last search; None while nothing came at all.

    A partition that was read on is searched from where it stood, however far the others are ahead
    of it. A record out of the future moves no stream time past `at`.
    """
    moved = []
    since: list[datetime | None] = []
    newest: list[datetime] = []
    for row in _positions(connection):
        watermark, noted = row["watermark"], row["until"]
        until = min(watermark, at)
        newest.append(until)
        if noted is None or row["advanced"] != row["searched"] or noted < until:
            since.append(noted)
            key = {name: row[name] for name in _KEYS}
            moved.append({**key, "advanced": row["advanced"], "until": max(until, noted or until)})
    if not newest:
        return None
    times = [one for one in since if one is not None]
    return Unsearched(
        min(times) if times and len(times) == len(since) else None, max(newest), tuple(moved)
    )


def note_searched(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note how far the partitions that moved have been searched."""
    upsert(connection, t.fleet_search, _KEYS, rows)


def _positions(connection: sa.Connection) -> list[dict[str, Any]]:
    p, s = t.position.c, t.fleet_search.c
    is_same = sa.and_(*(p[name] == s[name] for name in _KEYS))
    query = (
        sa.select(*(p[name] for name in _KEYS), p.watermark, p.advanced, s.until)
        .add_columns(s.advanced.label("searched"))
        .select_from(t.position.outerjoin(t.fleet_search, is_same))
        .where(p.watermark.is_not(None))
        .order_by(*(p[name] for name in _KEYS))
    )
    return [dict(row) for row in connection.execute(query).mappings()]
