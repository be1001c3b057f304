"""Master data from CSV or YAML: all or nothing, idempotent, every mistake with its line."""

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import yaml

from dispatch.rules.opening_hours import read_hours, stored_hours
from models import tables as t
from models.alert import VIN_PATTERN
from models.documents.yaml import read_yaml
from models.errors import ImportRefused
from models.sql import upsert
from models.words import Queue

Check = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file, and the line (CSV) or place in the list (YAML) where it stands."""

    line: int
    values: Mapping[str, Any]


def read_rows(path: Path) -> list[Row]:
    """Read a CSV or YAML file into rows."""
    text = path.read_text("utf-8-sig")
    if path.suffix.lower() == ".csv":
        lines = csv.DictReader(text.splitlines())
        return [Row(lines.line_num, dict(one)) for one in lines]
    try:
        listed = read_yaml(text)
    except yaml.YAMLError as error:
        raise ImportRefused(f"{path} is not YAML.", lines=[str(error)]) from error
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise ImportRefused(f"{path}: a list of mappings is wanted; nothing was changed.")
    return [Row(place, one) for place, one in enumerate(listed, start=1)]


def import_desks(connection: sa.Connection, rows: Sequence[Row]) -> dict[str, int]:
    """Create or change desks."""
    return _import(connection, t.desk, "desk_id", _checked(rows, _DESK, "desk_id"))


def import_vehicles(connection: sa.Connection, rows: Sequence[Row]) -> dict[str, int]:
    """Create or change vehicles; what the pipeline knows of them stays."""
    checked = _checked(rows, {**_VEHICLE, **_CONTACT}, "vin")
    owners = [{"vin": row["vin"], **{name: row[name] for name in _CONTACT}} for row in checked]
    _import(connection, t.contact, "vin", [one for one in owners if one["phone"]])
    cars = [{name: row[name] for name in _VEHICLE} for row in checked]
    return _import(
        connection, t.vehicle, "vin", cars, new={"waiting": {}, "cleared": {}, "history": []}
    )


def _import(
    connection: sa.Connection,
    table: sa.Table,
    key: str,
    rows: Sequence[dict[str, Any]],
    new: Mapping[str, Any] | None = None,
) -> dict[str, int]:
    query = sa.select(table)
    known = {row[key]: dict(row) for row in connection.execute(query).mappings()}
    created = [row for row in rows if row[key] not in known]
    updated = [
        row
        for row in rows
        if row[key] in known and any(known[row[key]][name] != value for name, value in row.items())
    ]
    upsert(connection, table, (key,), [{**row, **(new or {})} for row in created])
    upsert(
        connection,
        table,
        (key,),
        [{**row, **{name: known[row[key]][name] for name in new or {}}} for row in updated],
    )
    unchanged = len(rows) - len(created) - len(updated)
    return {"created": len(created), "updated": len(updated), "unchanged": unchanged}


def _checked(rows: Sequence[Row], checks: Mapping[str, Check], key: str) -> list[dict[str, Any]]:
    mistakes: list[str] = []
    seen: dict[Any, int] = {}
    checked = []
    for row in rows:
        mistakes.extend(
            f"line {row.line}: no field {name}" for name in row.values if name not in checks
        )
        values: dict[str, Any] = {}
        for name, check in checks.items():
            cell = row.values.get(name)
            try:
                values[name] = check(cell.strip() if isinstance(cell, str) else cell)
            except (ValueError, TypeError, KeyError, LookupError) as error:
                mistakes.append(f"line {row.line}: {name}: {error}")
        if values.get(key) in seen:
            mistakes.append(f"line {row.line}: {key}: stands in line {seen[values[key]]} already")
        seen[values.get(key)] = row.line
        checked.append(values)
    if mistakes:
        raise ImportRefused("The file has mistakes; nothing was changed.", lines=mistakes)
    return checked


def _text(cell: Any) -> str:
    if not isinstance(cell, str) or not cell:
        message = "is missing"
        raise ValueError(message)
    return cell


def _maybe(check: Check) -> Check:
    return lambda cell: None if cell in (None, "") else check(cell)


def _within(least: float, most: float) -> Check:
    def check(cell: Any) -> float:
        value = float(cell)
        if not least <= value <= most:
            message = f"{value} is not within {least:g} to {most:g}"
            raise ValueError(message)
        return value

    return check


def _vin(cell: Any) -> str:
    vin = _text(cell).upper()
    if re.match(VIN_PATTERN, vin) is None:
        message = f"{vin} is no VIN: 17 signs, without I, O and Q"
        raise ValueError(message)
    return vin


def _zone(cell: Any) -> str:
    return ZoneInfo(_text(cell)).key


def _yes(cell: Any) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    is_yes = words.get(str(cell).lower() if cell not in (None, "") else "true")
    if is_yes is None:
        message = f"{cell!r} is neither true nor false"
        raise ValueError(message)
    return is_yes


def _words(cell: Any) -> list[str]:
    parts = cell.split() if isinstance(cell, str) else cell or []
    return sorted(str(part) for part in parts)


def _days(cell: Any) -> list[str]:
    return [date.fromisoformat(day).isoformat() for day in _words(cell)]


def _hours(cell: Any) -> dict[str, list[list[str]]]:
    return stored_hours(read_hours("" if cell is None else str(cell)))


_DESK: Final[Mapping[str, Check]] = {
    "desk_id": _text,
    "kind": lambda cell: Queue(cell).value,
    "name_zh": _text,
    "name_en": _text,
    "market": _text,
    "region": _text,
    "lat": _within(-90, 90),
    "lon": _within(-180, 180),
    "timezone": _zone,
    "capabilities": _words,
    "hours": _hours,
    "holidays": _days,
    "is_open": _yes,
}
_VEHICLE: Final[Mapping[str, Check]] = {
    "vin": _vin,
    "plate": _maybe(_text),
    "model": _maybe(_text),
    "powertrain": _maybe(_text),
    "market": _maybe(_text),
    "region": _maybe(_text),
    "preferred_dealer": _maybe(_text),
    "home_lat": _maybe(_within(-90, 90)),
    "home_lon": _maybe(_within(-180, 180)),
}
_CONTACT: Final[Mapping[str, Check]] = {
    "name": _maybe(_text),
    "phone": _maybe(_text),
    "language": _maybe(_text),
    "has_consent": _yes,
}
