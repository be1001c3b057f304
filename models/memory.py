"""Between a vehicle, with what it remembers across its cases, and its row."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from models import rows
from models.case import Case, Closed, Fault, Silence, Task, Vehicle, VehicleInfo


def vehicle(
    row: rows.Row,
    case_: Case | None,
    faults: Mapping[str, Fault],
    tasks: tuple[Task, ...],
    silences: tuple[Silence, ...],
) -> Vehicle:
    """Put a vehicle together from its parts."""
    names = ("model", "powertrain", "market", "region", "preferred_dealer", "home_lat", "home_lon")
    return Vehicle(
        vin=row["vin"],
        info=VehicleInfo(**{name: row[name] for name in names}),
        case=case_,
        faults=faults,
        tasks=tasks,
        waiting={code: _waiting_fault(one) for code, one in row["waiting"].items()},
        cleared={code: datetime.fromisoformat(at) for code, at in row["cleared"].items()},
        history=tuple(_closed(one) for one in row["history"]),
        silences=silences,
    )


def memory_row(one: Vehicle) -> dict[str, Any]:
    """Spread what a vehicle remembers across cases."""
    return {
        "vin": one.vin,
        "waiting": {
            code: rows.fault_row("", one.vin, waiting)
            | {
                "first_seen": waiting.first_seen.isoformat(),
                "last_seen": waiting.last_seen.isoformat(),
                "cleared_at": None,
            }
            for code, waiting in sorted(one.waiting.items())
        },
        "cleared": {code: at.isoformat() for code, at in sorted(one.cleared.items())},
        "history": history_column(one.history),
    }


def history_column(history: Sequence[Closed]) -> list[dict[str, str]]:
    """Spell the ended cases that a vehicle remembers."""
    return [
        {
            "case_id": one.case_id,
            "opened_at": one.opened_at.isoformat(),
            "closed_at": one.closed_at.isoformat(),
            "root": one.root,
        }
        for one in history
    ]


def _closed(spelled: Mapping[str, str]) -> Closed:
    times = {name: datetime.fromisoformat(spelled[name]) for name in ("opened_at", "closed_at")}
    return Closed(spelled["case_id"], root=spelled["root"], **times)


def _waiting_fault(row: rows.Row) -> Fault:
    times = {name: datetime.fromisoformat(row[name]) for name in ("first_seen", "last_seen")}
    return rows.fault({**row, **times})
