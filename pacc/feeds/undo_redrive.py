"""Undoes a redrive: its alerts are withdrawn, and its records are in quarantine again.

A vehicle is undone whole or not at all. What cannot be undone is kept, with a reason: see
`docs/adr/0009-undoing-a-redrive.md`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from dispatch.access.acting import Acting
from dispatch.rules.policy import DispatchPolicy
from dispatch.tasks.withdraw import is_worked, withdraw
from ingest.store import quarantine
from ingest.store.ledger import remove_alerts
from models import tables as t
from models.errors import NotThere
from models.person import SHELL
from models.sql import within
from models.words import CaseState, Feed, Outcome, Status

_COUNTED: Final = (Outcome.OPENED, Outcome.JOINED, Outcome.REPEATED, Outcome.HELD)
_ACTOR: Final = replace(SHELL, name="pacc quarantine undo")
SHARED, WORKED, CLEARS, ENDED = "shared", "worked", "clears", "ended"


@dataclass(slots=True)
class Undone:
    """What an undo did: ids that are in quarantine again, and those kept, with the reason."""

    reopened: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    alerts: int = 0
    cases: int = 0


def undo(engine: sa.Engine, batch: str, at: datetime, policy: DispatchPolicy) -> Undone:
    """Undo a batch, one vehicle a transaction; undone twice it changes nothing more.

    Raises `NotThere` when there is no such batch.
    """
    undone = Undone()
    with engine.begin() as connection:
        r = t.redrive.c
        redrive = connection.execute(sa.select(r.batch).where(r.batch == batch)).first()
        if redrive is None:
            raise NotThere("There is no redrive %(batch)s.", {"batch": batch})
        ids_by_vin = _ids_by_vin(connection, batch)
    for vin in sorted(ids_by_vin, key=lambda vin: vin or ""):
        with engine.begin() as connection:
            acting = Acting(connection, _ACTOR, at, policy)
            _undo_vehicle(acting, batch, vin, ids_by_vin[vin], undone)
    with engine.begin() as connection:
        connection.execute(
            sa.update(t.redrive)
            .where(t.redrive.c.batch == batch, t.redrive.c.undone_at.is_(None))
            .values(undone_at=at)
        )
    return undone


def _ids_by_vin(connection: sa.Connection, batch: str) -> dict[str | None, list[str]]:
    """Group the batch's records by the vehicle of their alerts; None: they have none."""
    q, a = t.quarantine.c, t.alert.c
    query = (
        sa.select(q.quarantine_id, a.vin)
        .select_from(t.quarantine.outerjoin(t.alert, _alert_of_record()))
        .where(q.batch == batch, q.state == quarantine.REDRIVEN)
        .distinct()
    )
    grouped: dict[str | None, list[str]] = {}
    for row in connection.execute(query):
        grouped.setdefault(row.vin, []).append(row.quarantine_id)
    return grouped


def _alert_of_record() -> sa.ColumnElement[bool]:
    q, a = t.quarantine.c, t.alert.c
    return sa.and_(
        a.feed == Feed.REDRIVE.value,
        a.topic == q.topic,
        a.part == q.part,
        a.record_offset == q.redriven_offset,
    )


def _undo_vehicle(
    acting: Acting, batch: str, vin: str | None, ids: Sequence[str], undone: Undone
) -> None:
    connection = acting.connection
    if vin is not None:
        v = t.vehicle.c
        locked = sa.select(t.vehicle).where(v.vin == vin).with_for_update()
        vehicle = dict(connection.execute(locked).mappings().one())
        alerts = _alerts(connection, batch, vin)
        reason = _reason_to_keep(connection, vehicle, alerts)
        if reason is not None:
            undone.kept.update(dict.fromkeys(ids, reason))
            return
        undone.cases += _withdraw(acting, vehicle, alerts)
        fingerprints = [row["fingerprint"] for row in alerts]
        column = t.alert.c.fingerprint
        remove_alerts(connection, within(connection, column, fingerprints))
        undone.alerts += len(fingerprints)
    quarantine.mark_held(connection, ids)
    undone.reopened.extend(ids)


def _alerts(connection: sa.Connection, batch: str, vin: str) -> list[Mapping[str, Any]]:
    a, q = t.alert.c, t.quarantine.c
    query = (
        sa.select(a.fingerprint, a.code, a.status, a.outcome)
        .select_from(t.alert.join(t.quarantine, _alert_of_record()))
        .where(q.batch == batch, a.vin == vin)
        .distinct()
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _reason_to_keep(
    connection: sa.Connection, vehicle: Mapping[str, Any], alerts: Sequence[Mapping[str, Any]]
) -> str | None:
    """Return why a vehicle cannot be undone; None if all that happened to it is the batch's."""
    if any(Status.CLEARED in (row["status"], row["outcome"]) for row in alerts):
        return CLEARS
    counts = _counts(alerts)
    if not counts:
        return None
    case_id, faults = _open_case(connection, vehicle["vin"])
    is_opened = any(row["outcome"] == Outcome.OPENED for row in alerts)
    if is_opened and case_id is None:
        return ENDED
    if is_opened and case_id is not None and is_worked(connection, case_id):
        return WORKED
    in_case = faults if is_opened else {}
    pending = {code: report["count"] for code, report in vehicle["waiting"].items()}
    is_ours = all(counts.get(code) == count for code, count in in_case.items()) and all(
        pending.get(code) == count for code, count in counts.items() if code not in in_case
    )
    return None if is_ours else SHARED


def _counts(alerts: Sequence[Mapping[str, Any]]) -> Counter[str]:
    return Counter(row["code"] for row in alerts if row["outcome"] in _COUNTED)


def _open_case(connection: sa.Connection, vin: str) -> tuple[str | None, dict[str, int]]:
    c, f = t.case.c, t.fault.c
    query = sa.select(c.case_id).where(c.vin == vin, c.state == CaseState.OPEN.value)
    case_id = connection.execute(query).scalar_one_or_none()
    if case_id is None:
        return None, {}
    # a fault that was cleared was cleared by somebody else: its count is made to differ
    rows = connection.execute(sa.select(f.code, f.count, f.cleared_at).where(f.case_id == case_id))
    return case_id, {row.code: -1 if row.cleared_at else row[1] for row in rows}


def _withdraw(
    acting: Acting, vehicle: Mapping[str, Any], alerts: Sequence[Mapping[str, Any]]
) -> int:
    """Withdraw the case if the batch opened it, and remove its pending codes; count the cases."""
    connection = acting.connection
    codes = _counts(alerts)
    pending = {code: report for code, report in vehicle["waiting"].items() if code not in codes}
    connection.execute(
        sa.update(t.vehicle).where(t.vehicle.c.vin == vehicle["vin"]).values(waiting=pending)
    )
    if not any(row["outcome"] == Outcome.OPENED for row in alerts):
        return 0
    case_id, _ = _open_case(connection, vehicle["vin"])
    assert case_id is not None
    withdraw(acting, case_id)
    return 1
