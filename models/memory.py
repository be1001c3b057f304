"""Between a vehicle, with what it remembers across its cases, and its row."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from models import rows
from models.case import (
    WITHDRAWN,
    Case,
    Closed,
    Fault,
    PastCase,
    Silence,
    Task,
    Vehicle,
    VehicleInfo,
)
from models.words import CarState, CarUse


def vehicle(
    row: rows.Row,
    case_: Case | None,
    faults: Mapping[str, Fault],
    tasks: tuple[Task, ...],
    silences: tuple[Silence, ...],
    past: PastCase | None = None,
) -> Vehicle:
    """Return a vehicle from its row and from what was read of it elsewhere."""
    return Vehicle(
        vin=row["vin"],
        info=info(row),
        case=case_,
        faults=faults,
        tasks=tasks,
        waiting={code: _waiting_fault(fault) for code, fault in row["waiting"].items()},
        cleared={code: datetime.fromisoformat(at) for code, at in row["cleared"].items()},
        history=tuple(_closed(case) for case in row["history"]),
        silences=silences,
        past=past,
    )


def info(row: rows.Row) -> VehicleInfo:
    """Return the master data of a row; a word that nobody knows is a customer's, on the road."""
    names = ("model", "powertrain", "market", "region", "preferred_dealer", "home_lat", "home_lon")
    return VehicleInfo(
        **{name: row[name] for name in names},
        use=_USES.get(row["use"], CarUse.CUSTOMER),
        state=_STATES.get(row["state"], CarState.ON_ROAD),
        stands_at=row["stands_at"],
    )


_USES: Final = {use.value: use for use in CarUse}
_STATES: Final = {state.value: state for state in CarState}


def memory_row(vehicle_: Vehicle) -> dict[str, Any]:
    """Return the columns of what a vehicle remembers across cases."""
    return {
        "vin": vehicle_.vin,
        "waiting": {
            code: rows.fault_row("", vehicle_.vin, waiting)
            | {
                "first_seen": waiting.first_seen.isoformat(),
                "last_seen": waiting.last_seen.isoformat(),
                "counted_at": waiting.counted_at.isoformat() if waiting.counted_at else None,
                "cleared_at": None,
            }
            for code, waiting in sorted(vehicle_.waiting.items())
        },
        "cleared": {code: at.isoformat() for code, at in sorted(vehicle_.cleared.items())},
        "history": history_column(vehicle_.history),
    }


def last_cases(vehicles: Sequence[rows.Row]) -> list[str]:
    """Return the case that ended last of each vehicle that has one, sorted."""
    ended = (
        [closed["case_id"] for closed in row["history"] if closed["root"] != WITHDRAWN]
        for row in vehicles
    )
    return sorted(case_ids[-1] for case_ids in ended if case_ids)


def history_column(history: Sequence[Closed]) -> list[dict[str, str]]:
    """Return the ended cases that a vehicle remembers, as JSON."""
    return [
        {
            "case_id": closed.case_id,
            "opened_at": closed.opened_at.isoformat(),
            "closed_at": closed.closed_at.isoformat(),
            "root": closed.root,
            **({"repaired_at": closed.repaired_at.isoformat()} if closed.repaired_at else {}),
        }
        for closed in history
    ]


def _closed(spelled: Mapping[str, str]) -> Closed:
    times = {name: datetime.fromisoformat(spelled[name]) for name in ("opened_at", "closed_at")}
    repaired_at = spelled.get("repaired_at")
    return Closed(
        spelled["case_id"],
        root=spelled["root"],
        repaired_at=datetime.fromisoformat(repaired_at) if repaired_at else None,
        **times,
    )


def _waiting_fault(row: rows.Row) -> Fault:
    spelled = {name: row.get(name) for name in ("first_seen", "last_seen", "counted_at")}
    times = {name: datetime.fromisoformat(at) if at else None for name, at in spelled.items()}
    return rows.fault({**row, **times})
