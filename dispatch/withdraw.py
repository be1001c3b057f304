"""Takes a case back that should never have been: its tasks end, and the vehicle is as before it."""

from dataclasses import replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from dispatch.bench import Bench
from dispatch.events import Topics, case_event
from dispatch.store import end
from models import memory, rows
from models import tables as t
from models.case import REMEMBERED, WITHDRAWN, Closed, Entry
from models.ids import digest
from models.person import CLOCKWORK, PIPELINE
from models.sql import insert_new
from models.words import CaseState, Disposition

_OURS: Final = (PIPELINE, CLOCKWORK)


def is_worked(connection: sa.Connection, case_id: str) -> bool:
    """Whether a person has done anything with a case: a step, a note, a claim."""
    k, e = t.task.c, t.entry.c
    tasks = sa.select(k.task_id).where(k.case_id == case_id)
    asked = (
        sa.select(e.entry_id).where(e.case_id == case_id, e.actor.not_in(_OURS)),
        tasks.where(sa.or_(k.touched, k.holder.is_not(None), k.attempts > 0)),
        sa.select(t.worksheet.c.task_id).where(t.worksheet.c.task_id.in_(tasks)),
    )
    return any(connection.execute(query.limit(1)).first() is not None for query in asked)


def withdraw(
    connection: sa.Connection, case_id: str, actor: str, at: datetime, topics: Topics
) -> None:
    """End an open case and its tasks as withdrawn. The caller holds the vehicle's lock."""
    k = t.task.c
    query = sa.select(k.task_id).where(k.case_id == case_id, k.state != "done")
    for task_id in connection.execute(query.order_by(k.task_id)).scalars().all():
        end(Bench(connection, task_id, topics, actor, at), Disposition.CASE_CLOSED, at)
    row = connection.execute(sa.select(t.case).where(t.case.c.case_id == case_id)).mappings().one()
    case = rows.case(dict(row))
    case = replace(case, state=CaseState.CLOSED, revision=case.revision + 1, closed_at=at)
    connection.execute(
        sa.update(t.case)
        .where(t.case.c.case_id == case_id)
        .values(state=case.state.value, revision=case.revision, closed_at=at, updated_at=at,
                heal_at=None, outcome_note="withdrawn")
    )  # fmt: skip
    _remember(connection, case.vin, Closed(case_id, case.opened_at, at, WITHDRAWN))
    entry_id = digest("entry", case_id, f"revision {case.revision}", "case_closed")
    told = Entry(entry_id, case_id, at, actor, "case_closed", {"because": "withdrawn"})
    insert_new(connection, t.entry, [rows.entry_row(told)])
    event = case_event(topics, "pacc.case.closed.v1", case, at)
    insert_new(connection, t.outbox, [rows.event_row(event)])


def _remember(connection: sa.Connection, vin: str, ended: Closed) -> None:
    v = t.vehicle.c
    row = connection.execute(sa.select(t.vehicle).where(v.vin == vin)).mappings().one()
    history = (*memory.vehicle(dict(row), None, {}, (), ()).history, ended)[-REMEMBERED:]
    connection.execute(
        sa.update(t.vehicle).where(v.vin == vin).values(history=memory.history_column(history))
    )
