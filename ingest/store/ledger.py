"""Accounts for what the pipeline did: ledger against positions, and one digest of it all."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from models import tables as t
from models.canary import CANARY_VIN
from models.person import PIPELINE
from models.words import CaseState, Disposition


def ledger(connection: sa.Connection) -> dict[str, Any]:
    """Return outcomes and position per feed, topic and partition, and whether they reconcile.

    They reconcile where the counts add up to the offsets that the position has passed.
    """
    keys = ("feed", "topic", "part")
    counts: dict[tuple[Any, ...], dict[str, int]] = {}
    of = [t.ledger.c[key] for key in (*keys, "outcome")]
    total = sa.func.sum(t.ledger.c.records)
    summed = sa.select(*of, total.label("records")).group_by(*of).having(total != 0)
    for row in connection.execute(summed).mappings():
        counts.setdefault(tuple(row[key] for key in keys), {})[row["outcome"]] = int(row["records"])
    topics = []
    for row in connection.execute(
        sa.select(t.position).order_by(*(t.position.c[key] for key in keys))
    ).mappings():
        outcomes = counts.pop(tuple(row[key] for key in keys), {})
        topics.append(
            {
                "feed": row["feed"],
                "topic": row["topic"],
                "partition": row["part"],
                "position": row["next_offset"],
                "advanced": row["advanced"],
                "outcomes": dict(sorted(outcomes.items())),
                "reconciled": sum(outcomes.values()) == row["advanced"],
            }
        )
    return {
        "topics": topics,
        "reconciled": not counts and all(topic["reconciled"] for topic in topics),
    }


_CASE = (
    "case_id",
    "vin",
    "opened_at",
    "priority",
    "action",
    "score",
    "reasons",
    "rules",
    "needs_task",
    "cause",
    "root",
    "ranked_by",
    "probability",
    "rule_set",
    "previous_case",
    "is_repeat_repair",
    "defaulted",
    "lat",
    "lon",
    "place_at",
    "accuracy_m",
    "road",
    "heal_at",
)
_TASK = (
    "task_id",
    "case_id",
    "vin",
    "queue",
    "desk",
    "priority",
    "opened_at",
    "claim_by",
    "contact_by",
    "route_zh",
    "route_en",
)


def digest(connection: sa.Connection) -> dict[str, Any]:
    """Hash all cases, faults, tasks and reasons that the pipeline made, in one canonical order.

    What people did and when is left out: of a case only `healed` counts as an end, and tasks that
    people caused are not counted at all. Nor is the canary, which is no vehicle.
    """
    hasher = hashlib.sha256()
    pipeline_tasks = sa.select(t.entry.c.task_id).where(
        t.entry.c.actor == PIPELINE, t.entry.c.kind == "task_opened"
    )
    queries = {
        "cases": sa.select(t.case).order_by(t.case.c.case_id),
        "faults": sa.select(t.fault).order_by(t.fault.c.case_id, t.fault.c.code),
        "tasks": sa.select(t.task)
        .where(t.task.c.task_id.in_(pipeline_tasks))
        .order_by(t.task.c.task_id),
    }
    pick: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
        "cases": _case_facts,
        "faults": _fault_facts,
        "tasks": _task_facts,
    }
    counts = {}
    for name, query in queries.items():
        counts[name] = 0
        for facts in _stream(connection, query):
            if facts["vin"] == CANARY_VIN:
                continue
            line = json.dumps(
                pick[name](facts), sort_keys=True, ensure_ascii=False, default=_canonical
            )
            hasher.update(f"{name} {line}\n".encode("utf-8", "surrogatepass"))
            counts[name] += 1
    return {"sha256": hasher.hexdigest(), **counts}


def _stream(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[Mapping[str, Any]]:
    result = connection.execution_options(yield_per=2000).execute(query)
    for row in result.mappings():
        yield dict(row)


def _case_facts(row: Mapping[str, Any]) -> dict[str, Any]:
    healed = row["state"] == CaseState.HEALED
    return {
        **{name: row[name] for name in _CASE},
        "state": (CaseState.HEALED if healed else CaseState.OPEN).value,
        "closed_at": row["closed_at"] if healed else None,
    }


def _fault_facts(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row with readings as floats: PostgreSQL returns large whole ones as integers."""
    readings = {name: float(value) for name, value in row["readings"].items()}
    return {**row, "readings": readings}


def _task_facts(row: Mapping[str, Any]) -> dict[str, Any]:
    by_pipeline = row["disposition"] in (Disposition.HEALED, Disposition.SUPERSEDED)
    return {
        **{name: row[name] for name in _TASK},
        "disposition": row["disposition"] if by_pipeline else None,
    }


def _canonical(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    message = f"no canonical form of {type(value)}"
    raise TypeError(message)


def remove_alerts(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> None:
    """Delete filed alerts, and take them out of the ledger's count.

    The ledger's outcomes stay: the records were read.
    """
    a, ledger_ = t.alert.c, t.ledger.c
    page = a.record_offset // sa.literal_column(str(t.LEDGER_PAGE), sa.BigInteger)
    keys = (a.feed, a.topic, a.part, page, a.outcome)
    counted = sa.select(*keys, sa.func.count()).where(condition).group_by(*keys)
    columns = (ledger_.feed, ledger_.topic, ledger_.part, ledger_.page, ledger_.outcome)
    for *key, gone in connection.execute(counted).all():
        of_page = [column == value for column, value in zip(columns, key, strict=True)]
        less = ledger_.alerts - gone
        connection.execute(sa.update(t.ledger).where(*of_page).values(alerts=less))
    connection.execute(sa.delete(t.alert).where(condition))
