"""Master data from CSV or YAML: all or nothing, idempotent, every mistake with its line.

An import touches the columns that it brings, and no others; of an owner only what is not blank.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from dispatch.data import cells
from dispatch.data.car_states import follow_state
from dispatch.data.cells import Check
from dispatch.data.spreadsheet import Row, read_rows
from dispatch.rules.phones import one_form
from models import tables as t
from models.errors import ImportRefused
from models.sql import insert_new, run_many, within
from models.words import CarState, CarUse, Queue

__all__ = ["Row", "import_desks", "import_vehicles", "read_rows"]

Warn = Callable[[str], None]
_Values = dict[str, Any]


def import_desks(connection: sa.Connection, rows: Sequence[Row]) -> dict[str, int]:
    """Create or change desks."""
    checked = _checked(connection, rows, t.desk, _DESK)
    return _counted(checked, _write(connection, t.desk, checked))


def import_vehicles(
    connection: sa.Connection, rows: Sequence[Row], warn: Warn | None = None
) -> dict[str, int]:
    """Create or change vehicles; what the pipeline knows of them stays.

    A phone that is none is a mistake of the file; with `warn` it is left out with a warning.
    """
    checked = _checked(connection, rows, t.vehicle, {**_VEHICLE, **_CONTACT})
    cars = [
        (row, {name: value for name, value in values.items() if name in _VEHICLE})
        for row, values in checked
    ]
    owners = [
        (row, {name: values[name] for name in ("vin", *_CONTACT) if values.get(name) is not None})
        for row, values in checked
    ]
    _bring_phones_into_one_form(connection, cars, owners, warn)
    changed = _write(connection, t.vehicle, cars, {"waiting": {}, "cleared": {}, "history": []})
    named = [(row, values) for row, values in owners if len(values) > 1]
    owner_changed = _write(connection, t.contact, named, {"has_consent": False})
    follow_state(connection, [values["vin"] for _, values in cars if "state" in values])
    for vin in owner_changed:
        changed.setdefault(vin, "updated")
    return _counted(cars, changed)


def _bring_phones_into_one_form(
    connection: sa.Connection,
    cars: Sequence[tuple[Row, _Values]],
    owners: Sequence[tuple[Row, _Values]],
    warn: Warn | None,
) -> None:
    """Spell phones as E.164, by the market of the car, else by the only market that there is."""
    v, d = t.vehicle.c, t.desk.c
    query = sa.select(v.vin, v.market).where(
        within(connection, v.vin, [values["vin"] for _, values in owners if "phone" in values])
    )
    known = {row.vin: row.market for row in connection.execute(query)}
    markets = connection.execute(sa.select(d.market).distinct().limit(2)).scalars().all()
    usual = markets[0] if len(markets) == 1 else None
    mistakes = []
    for (_, car), (row, owner) in zip(cars, owners, strict=True):
        if "phone" not in owner:
            continue
        market = car.get("market") or known.get(car["vin"]) or usual
        try:
            owner["phone"] = one_form(owner["phone"], market)
        except ValueError as error:
            del owner["phone"]
            mistakes.append(f"line {row.line}: phone: {error}")
    if mistakes and warn is None:
        raise _refused(cars, mistakes)
    for mistake in mistakes:
        if warn is not None:
            warn(mistake)


def _checked(
    connection: sa.Connection, rows: Sequence[Row], table: sa.Table, checks: Mapping[str, Check]
) -> list[tuple[Row, _Values]]:
    """Check the cells that rows bring, and of a new row all; raise `ImportRefused` for mistakes."""
    key = next(iter(checks))
    tidied = [(row, {name: cells.tidy(cell) for name, cell in row.values.items()}) for row in rows]
    keys = [_key(checks[key], values.get(key, "")) for _, values in tidied]
    query = sa.select(table.c[key]).where(within(connection, table.c[key], [k for k in keys if k]))
    known = frozenset(connection.execute(query).scalars())
    mistakes: list[str] = []
    seen: dict[str, int] = {}
    checked = []
    for (row, values), key_value in zip(tidied, keys, strict=True):
        place = f"line {row.line}"
        mistakes += [f"{place}: no field {name}" for name in values if name not in checks]
        good: _Values = {}
        for name, check in checks.items():
            if name not in values and key_value in known:
                continue
            try:
                good[name] = check(values.get(name, ""))
            except (ValueError, TypeError) as error:
                mistakes.append(f"{place}: {name}: {error}")
        if key_value in seen:
            mistakes.append(f"{place}: {key}: stands in line {seen[key_value]} already")
        elif key_value:
            seen[key_value] = row.line
        checked.append((row, good))
    if mistakes:
        raise _refused(checked, mistakes)
    return checked


def _key(check: Check, cell: Any) -> str | None:
    try:
        return str(check(cell))
    except (ValueError, TypeError):
        return None


def _write(
    connection: sa.Connection,
    table: sa.Table,
    checked: Sequence[tuple[Row, _Values]],
    new: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """Write rows; return which were created and which updated, by key."""
    key = table.primary_key.columns[0]
    names = sorted({name for _, values in checked for name in values})
    if not names:
        return {}
    query = sa.select(*(table.c[name] for name in names)).where(
        within(connection, key, [values[key.name] for _, values in checked])
    )
    known = {row[key.name]: row for row in connection.execute(query).mappings()}
    changed: dict[str, str] = {}
    created: list[_Values] = []
    updates: dict[tuple[str, ...], list[_Values]] = defaultdict(list)
    for _, values in checked:
        before = known.get(values[key.name])
        if before is None:
            changed[values[key.name]] = "created"
            created.append({**dict.fromkeys(names), **(new or {}), **values})
        elif any(before[name] != value for name, value in values.items()):
            changed[values[key.name]] = "updated"
            columns = tuple(name for name in values if name != key.name)
            updates[columns].append({f"new_{name}": value for name, value in values.items()})
    insert_new(connection, table, created)
    for columns, rows in updates.items():
        statement = sa.update(table).where(key == sa.bindparam(f"new_{key.name}"))
        values = {name: sa.bindparam(f"new_{name}") for name in columns}
        run_many(connection, statement.values(values), rows)
    return changed


def _counted(checked: Sequence[tuple[Row, _Values]], changed: Mapping[str, str]) -> dict[str, int]:
    kinds = list(changed.values())
    created, updated = kinds.count("created"), kinds.count("updated")
    unchanged = len(checked) - created - updated
    return {"created": created, "updated": updated, "unchanged": unchanged}


def _refused(checked: Sequence[tuple[Row, _Values]], mistakes: list[str]) -> ImportRefused:
    file = checked[0][0].file or "The file"
    return ImportRefused(f"{file} has mistakes; nothing was changed.", lines=mistakes)


def _fitting(table: sa.Table, checks: Mapping[str, Check]) -> Mapping[str, Check]:
    """Return checks that also refuse what is longer than its column."""
    lengths = {
        column.name: column.type.length
        for column in table.columns
        if isinstance(column.type, sa.String) and column.type.length is not None
    }
    return {
        name: cells.at_most(lengths[name], check) if name in lengths else check
        for name, check in checks.items()
    }


_DESK: Final = _fitting(
    t.desk,
    {
        "desk_id": cells.word,
        "kind": cells.either(queue.value for queue in Queue),
        "name_zh": cells.text,
        "name_en": cells.text,
        "market": cells.capitals,
        "region": cells.word,
        "lat": cells.within(-90, 90),
        "lon": cells.within(-180, 180),
        "timezone": cells.zone,
        "capabilities": cells.words,
        "hours": cells.hours,
        "holidays": cells.days,
        "is_open": lambda cell: True if cell == "" else cells.yes(cell),
    },
)
_VEHICLE: Final = _fitting(
    t.vehicle,
    {
        "vin": cells.vin,
        "plate": cells.maybe(cells.text),
        "model": cells.maybe(cells.text),
        "powertrain": cells.maybe(cells.small),
        "market": cells.maybe(cells.capitals),
        "region": cells.maybe(cells.word),
        "preferred_dealer": cells.maybe(cells.word),
        "home_lat": cells.maybe(cells.within(-90, 90)),
        "home_lon": cells.maybe(cells.within(-180, 180)),
        "use": cells.either((use.value for use in CarUse), CarUse.CUSTOMER.value),
        "state": cells.either((state.value for state in CarState), CarState.ON_ROAD.value),
        "stands_at": cells.maybe(cells.word),
    },
)
_CONTACT: Final = {
    # as the file spells it: the form in which it is kept has a length of its own
    **_fitting(t.contact, {"name": cells.maybe(cells.text), "language": cells.maybe(cells.word)}),
    "phone": cells.maybe(cells.text),
    "has_consent": cells.maybe(cells.yes),
}
