"""Worksheets: what each person writes on a task, theirs alone, whoever has the task in hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from dispatch.read.typed_rows import columns_of, typed
from models import tables as t
from models.person import Actor
from models.sql import upsert

_LONGEST_NOTE: Final = 4000  # characters


@dataclass(frozen=True, slots=True)
class Worksheet:
    """What one person wrote on a task."""

    person_id: str
    name: str
    answers: Mapping[str, str]
    note: str
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class Worksheets:
    """What somebody wrote on a task, what others wrote before, and the newest answers of all."""

    note: str
    answers: Mapping[str, str]
    others: Sequence[Worksheet]


def worksheets(connection: sa.Connection, task_id: str, actor: Actor) -> Worksheets:
    """Return what was written on a task; the actor's own answers go before the others'."""
    w = t.worksheet.c
    query = sa.select(*columns_of(Worksheet, t.worksheet)).where(w.task_id == task_id)
    rows = connection.execute(query.order_by(w.saved_at)).mappings()
    sheets = [typed(Worksheet, row) for row in rows]
    own = next((sheet for sheet in sheets if sheet.person_id == actor.actor_id), None)
    others = [sheet for sheet in sheets if sheet is not own and (sheet.note or sheet.answers)]
    answers: dict[str, str] = {}
    for sheet in others:
        answers.update(sheet.answers)
    answers.update(own.answers if own else {})
    return Worksheets(own.note if own else "", answers, others)


def save_worksheet(
    connection: sa.Connection,
    task_id: str,
    actor: Actor,
    at: datetime,
    note: str,
    answers: Mapping[str, str],
) -> None:
    """Save what somebody wrote on a task."""
    row = {
        "task_id": task_id,
        "person_id": actor.actor_id,
        "name": actor.name,
        "answers": answers,
        "note": note[:_LONGEST_NOTE],
        "saved_at": at,
    }
    upsert(connection, t.worksheet, ("task_id", "person_id"), [row])


def note_of(connection: sa.Connection, task_id: str, actor: Actor) -> str | None:
    """Return the note that somebody wrote on a task; None for an empty one."""
    w = t.worksheet.c
    query = sa.select(w.note).where(w.task_id == task_id, w.person_id == actor.actor_id)
    return connection.execute(query).scalar() or None
