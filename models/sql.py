"""The few statements that SQLite and PostgreSQL spell differently, spelled once."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

# For rooms that pass a connection on and speak no SQL.
Connection = sa.Connection
# Errors of a database that cannot be used just now: down, disconnected, or taking no writes.
OUTAGES: Final = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.InternalError)


class Writer(Protocol):
    """Runs statements whose results are not awaited: a connection, or a queue in front of it."""

    @property
    def dialect(self) -> sa.Dialect:
        """Return the dialect of the database."""

    def execute(self, statement: sa.Executable, parameters: Any = None) -> object:
        """Run a statement, or queue it behind those before it."""


def within(
    connection: sa.Connection, column: sa.Column[Any], values: Sequence[str] | Sequence[int]
) -> sa.ColumnElement[bool]:
    """Return the condition that a column of texts or whole numbers is one of `values`.

    They are bound as a single document, however many they are.
    """
    document = orjson.dumps(list(values)).decode()
    if connection.dialect.name == "postgresql":
        array = sa.cast(sa.bindparam(None, document, type_=sa.Text), postgresql.JSON)
        every: sa.ColumnElement[Any] = sa.func.json_array_elements_text(array)
        # numbers only: a text that is too long would be cut to one that the column has
        if isinstance(column.type, sa.BigInteger):
            every = sa.cast(every, sa.BigInteger)
        return column == sa.any_(sa.func.array(sa.select(every).scalar_subquery()))
    each = sa.func.json_each(document).table_valued("value")
    return column.in_(sa.select(each.c.value))


def insert_only(writer: Writer, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that are not there. Raises `IntegrityError` for a key that is."""
    if rows:
        _run(writer, _insert(writer, table, rows), rows)


def insert_new(writer: Writer, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows that are not there yet; leave the others as they are."""
    if rows:
        _run(writer, _insert(writer, table, rows).on_conflict_do_nothing(), rows)


def upsert(
    writer: Writer,
    table: sa.Table,
    keys: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    *,
    add: Sequence[str] = (),
) -> None:
    """Insert rows, or change those that are there; columns in `add` are added to.

    All rows have the same columns; no two have the same keys.
    """
    if not rows:
        return
    insert = _insert(writer, table, rows)
    changes = {
        name: table.c[name] + insert.excluded[name] if name in add else insert.excluded[name]
        for name in rows[0]
        if name not in keys
    }
    _run(writer, insert.on_conflict_do_update(index_elements=list(keys), set_=changes), rows)


def run_many(writer: Writer, statement: sa.Executable, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run one statement for all rows; nothing for none."""
    if rows:
        writer.execute(statement, list(rows))


def analyze(connection: sa.Connection, columns: Sequence[sa.Column[Any]]) -> None:
    """Refresh PostgreSQL's statistics of these columns and their tables: it plans by them.

    A table that another session analyzes or vacuums just now is skipped. Nothing on SQLite.
    """
    if connection.dialect.name != "postgresql":
        return
    named: dict[str, list[str]] = {}
    for column in columns:
        named.setdefault(column.table.name, []).append(column.name)
    each = ", ".join(f'"{table}" ({", ".join(names)})' for table, names in named.items())
    connection.execute(sa.text(f"analyze (skip_locked) {each}"))


def _insert(writer: Writer, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> Any:
    """Return an insert: row by row on SQLite; on PostgreSQL from a document that holds all rows.

    Bound parameters cost us more than ten times as much (docs/performance.md).
    """
    if writer.dialect.name != "postgresql":
        return sqlite.insert(table)
    names = list(rows[0])
    kind: sa.ColumnElement[Any] = sa.literal_column(f'null::"{table.name}"')
    document = sa.cast(sa.bindparam("document", type_=sa.Text), postgresql.JSON)
    each = sa.func.json_populate_recordset(kind, document).table_valued(*names)
    return postgresql.insert(table).from_select(names, sa.select(*(each.c[name] for name in names)))


def _run(writer: Writer, insert: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    if writer.dialect.name == "postgresql":
        document = orjson.dumps(list(rows), _spelled, _OPTIONS).decode()
        writer.execute(insert, {"document": document})
    else:
        writer.execute(insert, list(rows))


# A time without a zone is UTC here, never the session's; SQLite refuses it.
_OPTIONS: Final = orjson.OPT_NON_STR_KEYS | orjson.OPT_NAIVE_UTC


def _spelled(value: object) -> str:
    """Spell bytes as PostgreSQL reads them."""
    if isinstance(value, bytes):
        return rf"\x{value.hex()}"
    raise TypeError(type(value))
