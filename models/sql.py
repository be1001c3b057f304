"""The few statements that SQLite and PostgreSQL spell differently, spelled once."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def within(
    connection: sa.Connection, column: sa.Column[Any], values: Sequence[str]
) -> sa.ColumnElement[bool]:
    """Say that a text column is one of `values`, as one bound parameter however many they are."""
    if connection.dialect.name == "postgresql":
        array = sa.bindparam(None, list(values), type_=postgresql.ARRAY(sa.Text))
        return column == sa.func.any(array)
    each = sa.func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(sa.select(each.c.value))


def insert_new(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert the rows that are not there yet; leave the others as they are."""
    run_many(connection, _insert(connection, table).on_conflict_do_nothing(), rows)


def upsert(
    connection: sa.Connection,
    table: sa.Table,
    keys: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    *,
    add: Sequence[str] = (),
) -> None:
    """Insert rows, or change those that are there; columns in `add` are added to."""
    if not rows:
        return
    insert = _insert(connection, table)
    changes = {
        name: table.c[name] + insert.excluded[name] if name in add else insert.excluded[name]
        for name in rows[0]
        if name not in keys
    }
    run_many(
        connection, insert.on_conflict_do_update(index_elements=list(keys), set_=changes), rows
    )


def run_many(
    connection: sa.Connection, statement: sa.Executable, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Run one statement for all rows; nothing for none."""
    if rows:
        connection.execute(statement, list(rows))


def _insert(connection: sa.Connection, table: sa.Table) -> Any:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
