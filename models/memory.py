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
    """Return a vehicle from its row and from what was read of it elsewhere."""
    names = ("model", "powertrain", "market", "region", "preferred_dealer", "home_lat", "home_lon")
    return Vehicle(
        vin=row["vin"],
        info=VehicleInfo(**{name: row[name] for name in names}),
        case=case_,
        faults=faults,
        tasks=tasks,
        waiting={code: _waiting_fault(fault) for code, fault in row["waiting"].items()},
        cleared={code: datetime.fromisoformat(at) for code, at in row["cleared"].items()},
        history=tuple(_closed(case) for case in row["history"]),
        silences=silences,
    )


def memory_row(vehicle_: Vehicle) -> dict[str, Any]:
    """Return the columns of what a vehicle remembers across cases."""
    return {
        "vin": vehicle_.vin,
        "waiting": {
            code: rows.fault_row("", vehicle_.vin, waiting)
            | {
                "first_seen": waiting.first_seen.isoformat(),
                "last_seen": waiting.last_seen.isoformat(),
                "cleared_at": None,
            }
            for code, waiting in sorted(vehicle_.waiting.items())
        },
        "cleared": {code: at.isoformat() for code, at in sorted(vehicle_.cleared.items())},
        "history": history_column(vehicle_.history),
    }


def history_column(history: Sequence[Closed]) -> list[dict[str, str]]:
    """Return the ended cases that a vehicle remembers, as JSON."""
    return [
        {
            "case_id": closed.case_id,
            "opened_at": closed.opened_at.isoformat(),
            "closed_at": closed.closed_at.isoformat(),
            "root": closed.root,
        }
        for closed in history
    ]


def _closed(spelled: Mapping[str, str]) -> Closed:
    times = {name: datetime.fromisoformat(spelled[name]) for name in ("opened_at", "closed_at")}
    return Closed(spelled["case_id"], root=spelled["root"], **times)


def _waiting_fault(row: rows.Row) -> Fault:
    times = {name: datetime.fromisoformat(row[name]) for name in ("first_seen", "last_seen")}
    return rows.fault({**row, **times})
