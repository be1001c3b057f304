"""A case under its vehicle's row lock: every change of it is logged and stored at once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec.structs import replace

from dispatch.access.acting import Acting
from dispatch.rules.case_log import CaseLog, TaskChange, route_of
from models import memory, rows
from models import tables as t
from models.case import REMEMBERED, Case, Closed, Task
from models.sql import insert_new
from models.words import REPAIRS, CaseState


class LockedCase:
    """A case under its vehicle's row lock; each change is stored with its line and its event."""

    def __init__(self, acting: Acting, case_id: str) -> None:
        self._acting = acting
        query = sa.select(t.case).where(t.case.c.case_id == case_id)
        self.case: Case = rows.case(dict(acting.connection.execute(query).mappings().one()))

    def change_task(self, what: str, task: Task, detail: Mapping[str, Any]) -> None:
        """Log and store a change of a task of the case."""
        log = self._log()
        log.change_task(TaskChange(what, task, detail), self._acting.at)
        self._store(log)

    def open_task(self, task: Task) -> None:
        """Log a task that was opened, and count it."""
        self.change_task("opened", task, route_of(task))

    def close(self, because: str, remembered_as: str | None = None) -> None:
        """End the case; the vehicle remembers it, by its root cause unless otherwise said."""
        at = self._acting.at
        self.case = replace(
            self.case, state=CaseState.CLOSED, closed_at=at, updated_at=at, heal_at=None
        )
        self._remember(self.case.root if remembered_as is None else remembered_as)
        log = self._log()
        log.change_case("closed", at, {"because": because})
        self._store(log)

    def need_no_task(self) -> None:
        """Note that the case stays without a task: its next alert may need one again."""
        ranking = replace(self.case.ranking, needs_task=False)
        self.case = replace(self.case, ranking=ranking)
        c = t.case.c
        statement = sa.update(t.case).where(c.case_id == self.case.case_id)
        self._acting.connection.execute(statement.values(needs_task=False))

    def _remember(self, root: str) -> None:
        connection, case, v = self._acting.connection, self.case, t.vehicle.c
        row = connection.execute(sa.select(t.vehicle).where(v.vin == case.vin)).mappings().one()
        history = memory.vehicle(dict(row), None, {}, (), ()).history
        ended = Closed(case.case_id, case.opened_at, self._acting.at, root, self._repaired_at())
        column = memory.history_column((*history, ended)[-REMEMBERED:])
        connection.execute(sa.update(t.vehicle).where(v.vin == case.vin).values(history=column))

    def _repaired_at(self) -> datetime | None:
        """Return when the last repair of the case was recorded, if one was."""
        k = t.task.c
        query = sa.select(sa.func.max(k.closed_at)).where(
            k.vin == self.case.vin,
            k.case_id == self.case.case_id,
            k.disposition.in_([disposition.value for disposition in REPAIRS]),
        )
        repaired_at: datetime | None = self._acting.connection.execute(query).scalar_one()
        return repaired_at

    def _log(self) -> CaseLog:
        return CaseLog(self.case, self._acting.policy.topics, self._acting.actor.name)

    def _store(self, log: CaseLog) -> None:
        self.case = case = log.case
        connection = self._acting.connection
        connection.execute(
            sa.update(t.case)
            .where(t.case.c.case_id == case.case_id)
            .values(
                revision=case.revision,
                state=case.state.value,
                closed_at=case.closed_at,
                updated_at=case.updated_at,
                heal_at=case.heal_at,
                tasks_made=case.tasks_made,
            )
        )
        insert_new(connection, t.entry, [rows.entry_row(entry) for entry in log.entries])
        insert_new(connection, t.outbox, [rows.event_row(event) for event in log.events])
