"""Presence: who has the page of a task open just now."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from models import tables as t
from models.person import Actor
from models.sql import upsert

PRESENT: Final = timedelta(seconds=45)


def note_presence(connection: sa.Connection, task_id: str, actor: Actor, at: datetime) -> None:
    """Note that somebody has the page of a task open."""
    row = {
        "task_id": task_id,
        "person_id": actor.actor_id,
        "name": actor.name,
        "seen_at": at,
    }
    upsert(connection, t.presence, ("task_id", "person_id"), [row])


def others_present(
    connection: sa.Connection, task_ids: Sequence[str], actor: Actor, at: datetime
) -> dict[str, list[str]]:
    """Return the names of who else has the page of each of these tasks open."""
    p = t.presence.c
    query = (
        sa.select(p.task_id, p.name)
        .where(p.task_id.in_(task_ids), p.seen_at > at - PRESENT, p.person_id != actor.actor_id)
        .order_by(p.task_id, p.name)
    )
    names: dict[str, list[str]] = {}
    for task_id, name in connection.execute(query):
        names.setdefault(task_id, []).append(name)
    return names
