"""What the pipeline reads and writes: what is known of a batch, and its decision.

Every function works inside the caller's transaction and costs a fixed number of statements.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from ingest.cluster.dedupe import apart_of, fingerprints_of
from ingest.store import alert_rows, position
from models import memory, rows
from models import tables as t
from models.batch import Batch, Content, Partition
from models.case import Case, Fault, PastCase, Silence, Task
from models.decision import Decision, Known
from models.sql import Writer, insert_new, insert_only, run_many, upsert, within
from models.words import CaseState, Disposition

# The columns by which a batch reads what is known: its plans need their statistics.
LOOKUP_COLUMNS: Final = (
    t.vehicle.c.vin,
    t.case.c.vin,
    t.case.c.state,
    t.fault.c.case_id,
    t.task.c.case_id,
    t.task.c.state,
    t.alert.c.fingerprint,
)
# A task that goes on after its case healed is to be claimed and called in time again.
_NEW_PROMISES: Final = (
    sa.update(t.task)
    .where(t.task.c.task_id == sa.bindparam("reopened"))
    .values(claimed_at=None, contacted_at=None, claim_missed_at=None, contact_missed_at=None)
)
_FILED_ONCE: Final = "pk_alert"  # an alert has one row


def known(
    connection: sa.Connection,
    batch: Batch,
    before: Mapping[Partition, datetime],
    after: Mapping[Partition, datetime],
) -> Known:
    """Load and lock what a batch may touch: its vehicles, and those that heal by its end."""
    vins = {item.vin for decoded in batch.decoded for item in decoded.items}
    wanted = sorted(vins | _healing(connection, after))
    vehicles = _locked(connection, wanted)
    cases = _cases(connection, wanted, memory.last_cases(vehicles))
    case_ids = sorted(case.case_id for case in cases.values())
    faults = _faults(connection, case_ids)
    healed = [case for case in cases.values() if case.state is CaseState.HEALED]
    tasks = _tasks(connection, case_ids) | _healed_tasks(connection, healed)
    silences = _silences(connection, wanted)
    loaded = {}
    for row in vehicles:
        case = cases.get(row["vin"])
        case_id = case.case_id if case else ""
        of_case = faults.get(case_id, {}), tasks.get(case_id, ())
        quiet = silences.get(row["vin"], ())
        if case is None or case.state is CaseState.OPEN:
            vehicle = memory.vehicle(row, case, *of_case, quiet)
        else:
            vehicle = memory.vehicle(row, None, {}, (), quiet, PastCase(case, *of_case))
        loaded[row["vin"]] = vehicle
    return Known(_delivered(connection, batch), loaded, before)


def save(writer: Writer, decision: Decision, rule_set: str) -> None:
    """Write a decision as it stands. No result is asked for."""
    ledger_keys = ("feed", "topic", "part", "page", "outcome")
    counts = alert_rows.ledger_rows(decision)
    upsert(writer, t.ledger, ledger_keys, counts, add=("records", "alerts"))
    position.save_watermarks(writer, decision.watermark)
    insert_new(writer, t.quarantine, alert_rows.quarantine_rows(decision))
    insert_only(writer, t.alert, alert_rows.alert_rows(decision))
    upsert(
        writer, t.vehicle, ("vin",), [memory.memory_row(vehicle) for vehicle in decision.vehicles]
    )
    cases = [rows.case_row(case, rule_set) for case in decision.cases]
    faults = [rows.fault_row(case_id, vin, fault) for case_id, vin, fault in decision.faults]
    tasks = [rows.task_row(vin, task) for vin, task in decision.tasks]
    upsert(writer, t.case, ("case_id",), cases)
    upsert(writer, t.fault, ("case_id", "code"), faults)
    upsert(writer, t.task, ("task_id",), tasks, add=("version",))
    run_many(writer, _NEW_PROMISES, [{"reopened": task_id} for task_id in decision.reopened])
    insert_new(writer, t.entry, [rows.entry_row(entry) for entry in decision.entries])
    insert_new(writer, t.outbox, [rows.event_row(event) for event in decision.events])


def is_overtaken(error: sa.exc.IntegrityError) -> bool:
    """Return whether another worker filed an alert of the batch after its `known` was read.

    The lock of the vehicle keeps that from happening, but for one id that was given to alerts of
    two vehicles.
    """
    diagnostics = getattr(
        error.orig, "diag", None
    )  # PostgreSQL's driver; on SQLite there is one writer
    return getattr(diagnostics, "constraint_name", None) == _FILED_ONCE


def _healing(connection: sa.Connection, after: Mapping[Partition, datetime]) -> set[str]:
    """Return the vehicles whose case heals by the stream time at the end of the batch."""
    c = t.case.c
    if not after:
        return set()
    due = [
        sa.and_(
            c.feed == partition.feed,
            c.topic == partition.topic,
            c.part == partition.number,
            c.heal_at <= at,
        )
        for partition, at in sorted(after.items())
    ]
    healing = connection.execute(
        sa.select(c.vin).where(
            c.state == CaseState.OPEN.value, c.heal_at.is_not(None), sa.or_(*due)
        )
    )
    return set(healing.scalars())


def _locked(connection: sa.Connection, wanted: Sequence[str]) -> list[Mapping[str, Any]]:
    """Lock the vehicles, in one order for all workers; insert those that are new first."""
    v = t.vehicle.c
    existing = connection.execute(
        sa.select(v.vin).where(within(connection, v.vin, wanted))
    ).scalars()
    new = sorted(set(wanted).difference(existing))
    insert_new(
        connection,
        t.vehicle,
        [{"vin": vin, "waiting": {}, "cleared": {}, "history": []} for vin in new],
    )
    query = sa.select(t.vehicle).where(within(connection, v.vin, wanted)).order_by(v.vin)
    return _rows(connection, query.with_for_update())


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> list[Mapping[str, Any]]:
    result = connection.execute(query)
    names = tuple(result.keys())
    return [dict(zip(names, row, strict=True)) for row in result.all()]


def _cases(connection: sa.Connection, vins: Sequence[str], last: Sequence[str]) -> dict[str, Case]:
    """Return the open case of each vehicle, or the one of `last` where it has none."""
    c = t.case.c
    wanted = sa.and_(within(connection, c.vin, vins), c.state == CaseState.OPEN.value)
    if last:
        wanted = sa.or_(wanted, within(connection, c.case_id, last))
    cases: dict[str, Case] = {}
    for row in _rows(connection, sa.select(t.case).where(wanted)):
        if row["state"] == CaseState.OPEN.value or row["vin"] not in cases:
            cases[row["vin"]] = rows.case(row)
    return cases


def _faults(connection: sa.Connection, case_ids: Sequence[str]) -> dict[str, dict[str, Fault]]:
    """Read the faults of the cases in the order in which they were first seen."""
    query = (
        sa.select(t.fault)
        .where(within(connection, t.fault.c.case_id, case_ids))
        .order_by(t.fault.c.case_id, t.fault.c.first_seen, t.fault.c.code)
    )
    grouped: dict[str, dict[str, Fault]] = {}
    for row in _rows(connection, query):
        grouped.setdefault(row["case_id"], {})[row["code"]] = rows.fault(row)
    return grouped


def _tasks(connection: sa.Connection, case_ids: Sequence[str]) -> dict[str, tuple[Task, ...]]:
    query = (
        sa.select(t.task)
        .where(within(connection, t.task.c.case_id, case_ids), t.OPEN_TASK)
        .order_by(t.task.c.case_id, t.task.c.queue)
    )
    return _by_case(connection, query)


def _healed_tasks(connection: sa.Connection, cases: Sequence[Case]) -> dict[str, tuple[Task, ...]]:
    """Read the tasks that ended as these cases healed the last time."""
    if not cases:
        return {}
    k, c = t.task.c, t.case.c
    query = (
        sa.select(t.task)
        .join(t.case, sa.and_(c.case_id == k.case_id, c.closed_at == k.closed_at))
        .where(
            within(connection, k.vin, sorted(case.vin for case in cases)),
            within(connection, k.case_id, sorted(case.case_id for case in cases)),
            k.disposition == Disposition.HEALED.value,
        )
        .order_by(k.case_id, k.queue, k.task_id)
    )
    return _by_case(connection, query)


def _by_case(connection: sa.Connection, query: sa.Select[Any]) -> dict[str, tuple[Task, ...]]:
    grouped: dict[str, tuple[Task, ...]] = {}
    for row in _rows(connection, query):
        grouped[row["case_id"]] = (*grouped.get(row["case_id"], ()), rows.task(row))
    return grouped


def _silences(connection: sa.Connection, vins: Sequence[str]) -> dict[str, tuple[Silence, ...]]:
    s = t.silence.c
    query = (
        sa.select(t.silence)
        .where(within(connection, s.vin, vins), s.released_at.is_(None))
        .order_by(s.vin, s.silence_id)
    )
    grouped: dict[str, tuple[Silence, ...]] = {}
    for row in _rows(connection, query):
        grouped[row["vin"]] = (*grouped.get(row["vin"], ()), rows.silence(row))
    return grouped


def _delivered(connection: sa.Connection, batch: Batch) -> dict[str, Content]:
    """Return which alerts of a batch came before; query again where some share their ids."""
    filed = _filed(connection, fingerprints_of(batch.decoded))
    apart = apart_of(batch.decoded, filed)
    return filed | _filed(connection, apart) if apart else filed


def _filed(connection: sa.Connection, fingerprints: Sequence[str]) -> dict[str, Content]:
    a = t.alert.c
    query = sa.select(
        a.fingerprint, a.vin, a.code, a.status, a.severity, a.observed_at, a.is_clock_suspect
    )
    query = query.where(within(connection, a.fingerprint, fingerprints))
    return {
        row.fingerprint: Content(
            row.vin,
            row.code,
            row.status,
            row.severity,
            None if row.is_clock_suspect else row.observed_at,
        )
        for row in connection.execute(query)
    }
