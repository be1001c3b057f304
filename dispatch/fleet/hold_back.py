"""Holds the waiting tasks of a fleet issue back, and releases them again at a pace.

Some hundreds at once, in a fixed number of statements, under the vehicles' locks in the order in
which all take them: a million tasks are not gone through one by one.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from msgspec.structs import replace

from dispatch.access.acting import Acting
from dispatch.fleet.issues import holding
from dispatch.read.open_tasks import OPEN
from dispatch.rules.case_log import CaseLog, TaskChange
from dispatch.rules.deadlines import deadlines
from dispatch.rules.fleet_issue import FleetIssue
from dispatch.rules.policy import DispatchPolicy
from dispatch.rules.silence import held_because
from models import rows
from models import tables as t
from models.canary import CANARY_DESK
from models.case import Silence, Task
from models.person import CLOCK
from models.sql import insert_new, upsert, within
from models.words import CaseState, IssueState, Priority, Status, TaskState

AT_ONCE: Final = 500
_MINUTE: Final = timedelta(minutes=1)
_ACTIVE: Final = (Status.ACTIVE.value, Status.LAMP_ONLY.value)
_Silences = Mapping[str, tuple[Silence, ...]]
_TaskRule = Callable[[str, Task, _Silences], Task]


def hold_waiting(engine: sa.Engine, at: datetime, policy: DispatchPolicy) -> int:
    """Hold waiting tasks of holding issues back, `AT_ONCE` an issue at most; return how many."""
    done = 0
    with engine.begin() as connection:
        issues = holding(connection)
    for issue in issues.values():

        def hold(_vin: str, task: Task, _silences: _Silences, issue: FleetIssue = issue) -> Task:
            return replace(task, held_because=issue.because, issue_id=issue.issue_id)

        with engine.begin() as connection:
            acting = Acting(connection, CLOCK, at, policy)
            done += _change(acting, _waiting(issue).limit(AT_ONCE), hold)
    return done


def release(engine: sa.Engine, at: datetime, policy: DispatchPolicy) -> int:
    """Release tasks of released issues, the worst first, as many as the pace allows by now."""
    with engine.begin() as connection:
        issues = _releasing(connection)
        if not issues:
            return 0
        since = max(row["let_go_at"] or at for row in issues)
        pace = policy.surge.release
        allowed = min(int((at - since) / _MINUTE * pace), pace)
        if allowed <= 0:
            return 0
        ids = [row["issue_id"] for row in issues]
        worst = within(connection, t.task.c.task_id, _worst(connection, ids, allowed))
        acting = Acting(connection, CLOCK, at, policy)
        done = _change(acting, _held_back().where(worst), _released(at, policy))
        paid = at if allowed == pace else since + _MINUTE * allowed / pace
        i = t.fleet_issue.c
        connection.execute(
            sa.update(t.fleet_issue).where(i.issue_id.in_(ids)).values(let_go_at=paid)
        )
    return done


def _releasing(connection: sa.Connection) -> Sequence[Mapping[str, Any]]:
    """Lock the issues that hold back no more and still have tasks held back."""
    i, k = t.fleet_issue.c, t.task.c
    held_back = sa.select(k.task_id).where(k.issue_id == i.issue_id, OPEN)
    query = (
        sa.select(i.issue_id, i.let_go_at)
        .where(i.state != IssueState.HOLDING.value, held_back.exists())
        .order_by(i.issue_id)
        .with_for_update()
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _tasks() -> sa.Select[Any]:
    """Select the queued tasks of open cases that no person has, or had."""
    k, c = t.task.c, t.case.c
    return (
        sa.select(k.task_id, k.case_id, k.vin)
        .select_from(t.task.join(t.case, sa.and_(c.case_id == k.case_id, c.vin == k.vin)))
        .where(
            k.state == TaskState.QUEUED.value,
            OPEN,
            k.holder.is_(None),
            k.desk != CANARY_DESK,
            c.state == CaseState.OPEN.value,
        )
    )


def _waiting(issue: FleetIssue) -> sa.Select[Any]:
    """Select the tasks that the issue may hold: all that is wrong is its code (see `issue_of`), the
    case is named by it, and nobody has worked on it.
    """
    k, c, f = t.task.c, t.case.c, t.fault.c
    faults = sa.select(f.code).where(
        f.case_id == c.case_id, f.status.in_(_ACTIVE), f.folded_under.is_(None)
    )
    other = t.task.alias()
    worked = sa.select(other.c.task_id).where(
        other.c.vin == c.vin, other.c.case_id == c.case_id, other.c.touched
    )
    return _tasks().where(
        k.held_zh.is_(None),
        k.priority != Priority.URGENT.value,
        k.paused_at.is_(None),
        c.root == issue.code,
        c.model == issue.build.model,
        c.software == issue.build.software,
        faults.where(f.code == issue.code).exists(),
        ~faults.where(f.code != issue.code).exists(),
        ~worked.exists(),
    )


def _held_back() -> sa.Select[Any]:
    """Select the tasks held back whose fault is still there."""
    k, c, f = t.task.c, t.case.c, t.fault.c
    active = sa.select(f.code).where(f.case_id == c.case_id, f.status.in_(_ACTIVE))
    return _tasks().where(k.issue_id.is_not(None), active.exists())


def _worst(connection: sa.Connection, issue_ids: Sequence[str], many: int) -> list[str]:
    """Return the worst `many` tasks held back; of each issue its index gives as many."""
    k = t.task.c
    tasks: list[tuple[int, float, str]] = []
    for issue_id in issue_ids:
        query = _held_back().add_columns(k.priority_rank, k.score).where(k.issue_id == issue_id)
        query = query.order_by(k.priority_rank.desc(), k.score.desc()).limit(many)
        tasks += [(row.priority_rank, row.score, row.task_id) for row in connection.execute(query)]
    return [task_id for _, _, task_id in sorted(tasks, reverse=True)[:many]]


def _released(at: datetime, policy: DispatchPolicy) -> _TaskRule:
    def release_one(vin: str, task: Task, silences: _Silences) -> Task:
        """Release a task with fresh deadlines; a silence may hold it back from here on."""
        due = deadlines(task.priority, task.queue, policy.directory.desk(task.desk), at)
        because = held_because(silences.get(vin, ()), task.priority, at)
        return replace(
            task,
            held_because=because,
            issue_id=None,
            claim_by=due.claim_by,
            contact_by=due.contact_by,
            alarms=task.alarms + (because is None),
        )

    return release_one


def _change(acting: Acting, query: sa.Select[Any], rule: _TaskRule) -> int:
    """Change the tasks that a query gives, under their vehicles' locks, and log each."""
    connection = acting.connection
    waiting = {row.case_id: row for row in connection.execute(query)}  # one of a case at a time
    vins = sorted({row.vin for row in waiting.values()})
    if not vins:
        return 0
    v, k = t.vehicle.c, t.task.c
    lock = sa.select(v.vin).where(within(connection, v.vin, vins)).order_by(v.vin)
    connection.execute(lock.with_for_update())
    wanted = within(connection, k.task_id, [row.task_id for row in waiting.values()])
    # read again under the lock; no limit, since the ids are within it already
    still = [row.task_id for row in connection.execute(query.where(wanted))]
    task_rows = _rows(connection, t.task, k.task_id, still)
    cases = {
        row["case_id"]: rows.case(row)
        for row in _rows(
            connection, t.case, t.case.c.case_id, [row["case_id"] for row in task_rows]
        )
    }
    silences = _silences(connection, vins)
    changed, logs = [], []
    for row in task_rows:
        task = rule(row["vin"], rows.task(row), silences)
        log = CaseLog(cases[row["case_id"]], acting.policy.topics, acting.actor.name)
        log.change_task(_logged(task), acting.at)
        changed.append(rows.task_row(row["vin"], task))
        logs.append(log)
    _store(connection, changed, logs)
    return len(changed)


def _logged(task: Task) -> TaskChange:
    if task.held_because is None:
        return TaskChange("unheld", task, {})
    return TaskChange("held", task, {"because": task.held_because.en})


def _store(
    connection: sa.Connection, tasks: Sequence[Mapping[str, Any]], logs: Sequence[CaseLog]
) -> None:
    c = t.case.c
    ids = [log.case.case_id for log in logs]
    connection.execute(
        sa.update(t.case).where(within(connection, c.case_id, ids)).values(revision=c.revision + 1)
    )
    upsert(connection, t.task, ("task_id",), tasks, add=("version",))
    k = t.task.c
    # a promise that was missed before is none now: the new one can be missed, and alarms again
    connection.execute(
        sa.update(t.task)
        .where(within(connection, k.task_id, [row["task_id"] for row in tasks]))
        .values(claim_missed_at=None, contact_missed_at=None)
    )
    insert_new(connection, t.entry, [rows.entry_row(one) for log in logs for one in log.entries])
    insert_new(connection, t.outbox, [rows.event_row(one) for log in logs for one in log.events])


def _rows(
    connection: sa.Connection, table: sa.Table, column: sa.Column[Any], ids: Sequence[str]
) -> list[dict[str, Any]]:
    query = sa.select(table).where(within(connection, column, ids)).order_by(column)
    return [dict(row) for row in connection.execute(query).mappings()]


def _silences(connection: sa.Connection, vins: Sequence[str]) -> _Silences:
    s = t.silence.c
    query = sa.select(t.silence).where(within(connection, s.vin, vins), s.released_at.is_(None))
    grouped: dict[str, tuple[Silence, ...]] = {}
    for row in connection.execute(query.order_by(s.vin, s.silence_id)).mappings():
        grouped[row["vin"]] = (*grouped.get(row["vin"], ()), rows.silence(dict(row)))
    return grouped
