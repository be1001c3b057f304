"""Takes a case back that should never have been: its tasks end, and the vehicle is as before it."""

from typing import Final

import sqlalchemy as sa

from dispatch.access.acting import Acting
from dispatch.read.open_tasks import OPEN
from dispatch.tasks.actions import end
from dispatch.tasks.locked_case import LockedCase
from dispatch.tasks.locked_task import LockedTask
from models import tables as t
from models.case import WITHDRAWN
from models.person import CLOCKWORK, PIPELINE
from models.words import Disposition

_OURS: Final = (PIPELINE, CLOCKWORK)


def is_worked(connection: sa.Connection, case_id: str) -> bool:
    """Return whether a person has done anything with a case: a step, a note, a claim."""
    k, e = t.task.c, t.entry.c
    tasks = sa.select(k.task_id).where(k.case_id == case_id)
    asked = (
        sa.select(e.entry_id).where(e.case_id == case_id, e.actor.not_in(_OURS)),
        tasks.where(sa.or_(k.touched, k.holder.is_not(None), k.attempts > 0)),
        sa.select(t.worksheet.c.task_id).where(t.worksheet.c.task_id.in_(tasks)),
    )
    return any(connection.execute(query.limit(1)).first() is not None for query in asked)


def withdraw(acting: Acting, case_id: str) -> None:
    """End an open case and its tasks as withdrawn. The caller holds the vehicle's lock."""
    k = t.task.c
    query = sa.select(k.task_id).where(k.case_id == case_id, OPEN)
    for task_id in acting.connection.execute(query.order_by(k.task_id)).scalars().all():
        end(LockedTask(acting, task_id), Disposition.CASE_CLOSED)
    LockedCase(acting, case_id).close("withdrawn", WITHDRAWN)
