"""Damages to a database, each with the finding that it must lead to and words of its sentence."""

from typing import Any

import sqlalchemy as sa

from models import tables as t
from tests.worlds import CAR

a, c, f, k, o, q = (table.c for table in (t.alert, t.case, t.fault, t.task, t.outbox, t.quarantine))


def an_alert(outcome: str) -> sa.Select[Any]:
    """The fingerprint of one alert that ended so."""
    a = t.alert.c
    return sa.select(sa.func.min(a.fingerprint)).where(a.outcome == outcome)


def one_open_case() -> sa.Select[Any]:
    """One open case that needs a task."""
    c = t.case.c
    return sa.select(sa.func.min(c.case_id)).where(c.state == "open", c.needs_task)


DAMAGES: dict[str, tuple[sa.Executable, str, str]] = {
    "an alert row is deleted": (
        sa.delete(t.alert).where(a.fingerprint.in_(an_alert("repeated"))),
        "alerts_missing",
        "1 of the 6 alerts that the ledger counts as repeated in pacc.alerts/0",
    ),
    "an alert row is changed": (
        sa.update(t.alert).where(a.fingerprint.in_(an_alert("repeated"))).values(outcome="joined"),
        "alerts_uncounted",
        "the ledger counts 2: a counter was changed",
    ),
    "a counter of records is changed": (
        sa.update(t.ledger)
        .where(t.ledger.c.outcome == "opened")
        .values(records=t.ledger.c.records + 2),
        "outcomes_without_offset",
        "49 outcomes: 2 more outcomes than offsets",
    ),
    "a counter is deleted": (
        sa.delete(t.ledger).where(t.ledger.c.outcome == "quarantined"),
        "offsets_without_outcome",
        "47 offsets were passed and the ledger counts 45 outcomes: 2",
    ),
    "a counter of alerts is changed": (
        sa.update(t.ledger)
        .where(t.ledger.c.outcome == "opened")
        .values(alerts=t.ledger.c.alerts - 1),
        "alerts_uncounted",
        "has 33 alerts that ended opened, the ledger counts 32",
    ),
    "a position is moved forward": (
        sa.update(t.position).values(next_offset=t.position.c.next_offset + 7),
        "position_moved",
        "was moved 7 offsets forward: records were skipped",
    ),
    "a position is moved back": (
        sa.update(t.position).values(next_offset=t.position.c.next_offset - 7),
        "alerts_beyond_position",
        "7 alerts lie beyond our position in pacc.alerts/0 (40)",
    ),
    "a position is deleted": (
        sa.delete(t.position),
        "ledger_without_position",
        "The ledger counts 47 records of pacc.alerts/0, which has no position",
    ),
    "a quarantined record is deleted": (
        sa.delete(t.quarantine).where(q.reason == "null_value"),
        "quarantine_missing",
        "1 of the 2 records of pacc.alerts/0 offsets 0 to 9999",
    ),
    "a case is deleted": (
        sa.delete(t.case).where(c.vin == CAR),
        "alert_without_case",
        "1 alerts opened a case that is not there",
    ),
    "a case that alerts joined is deleted": (
        sa.delete(t.case).where(c.vin == CAR),
        "vehicle_without_case",
        "The alerts of 1 vehicles joined a case, and those vehicles have none",
    ),
    "a case that events tell of is deleted": (
        sa.delete(t.case).where(c.vin == CAR),
        "event_without_case",
        "Events tell of 1 cases that are not there",
    ),
    "a fault counts something else": (
        sa.update(t.fault).where(f.code == "dtc:P0C01").values(count=f.count + 1),
        "counts_differ",
        "The faults of 1 vehicles count another number of reports",
    ),
    "an open task is deleted": (
        sa.delete(t.task).where(k.case_id.in_(one_open_case())),
        "case_without_task",
        "1 open cases need a task and have none that is open",
    ),
    "a done task is deleted": (
        sa.delete(t.task).where(k.disposition == "fixed_by_phone"),
        "tasks_differ",
        "1 cases say that they made another number of tasks",
    ),
    "a case is ended and its task left": (
        sa.update(t.case).where(c.case_id.in_(one_open_case())).values(state="closed"),
        "task_without_case",
        "1 tasks are open and their case is not",
    ),
    "an event in the middle is deleted": (
        sa.delete(t.outbox).where(o.case_id.in_(one_open_case()), o.case_seq == 2),
        "events_missing",
        "Events of 1 cases are not in the outbox",
    ),
    "the first event of a case is deleted": (
        sa.delete(t.outbox).where(o.case_id.in_(one_open_case()), o.case_seq == 1),
        "events_missing",
        "Events of 1 cases are not in the outbox",
    ),
    "an event is not sent": (
        sa.update(t.outbox).where(o.case_id.in_(one_open_case())).values(sent_at=None),
        "unsent",
        "2 events wait to be sent, the oldest for ",
    ),
}
