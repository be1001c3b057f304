"""The few statements that SQLite and PostgreSQL spell differently, spelled once."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

# What a database says that cannot be used just now: it is down, it cut us off, it takes no writes.
OUTAGES: Final = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.InternalError)


def within(
    connection: sa.Connection, column: sa.Column[Any], values: Sequence[str]
) -> sa.ColumnElement[bool]:
    """Say that a text column is one of `values`, as one bound document however many they are."""
    document = orjson.dumps(list(values)).decode()
    if connection.dialect.name == "postgresql":
        given = sa.cast(sa.bindparam(None, document, type_=sa.Text), postgresql.JSON)
        every = sa.func.json_array_elements_text(given)
        return column == sa.any_(sa.func.array(sa.select(every).scalar_subquery()))
    each = sa.func.json_each(document).table_valued("value")
    return column.in_(sa.select(each.c.value))


def insert_new(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert the rows that are not there yet; leave the others as they are."""
    if rows:
        _run(connection, _insert(connection, table, rows).on_conflict_do_nothing(), rows)


def upsert(
    connection: sa.Connection,
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
    insert = _insert(connection, table, rows)
    changes = {
        name: table.c[name] + insert.excluded[name] if name in add else insert.excluded[name]
        for name in rows[0]
        if name not in keys
    }
    _run(connection, insert.on_conflict_do_update(index_elements=list(keys), set_=changes), rows)


def run_many(
    connection: sa.Connection, statement: sa.Executable, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Run one statement for all rows; nothing for none."""
    if rows:
        connection.execute(statement, list(rows))


@contextmanager
def pipelined(connection: sa.Connection) -> Iterator[None]:
    """Send the statements inside without waiting for each; their errors come at the end.

    PostgreSQL works on one table while the rows of the next are written. Nothing inside may ask for
    a result. SQLite has nobody to wait for.
    """
    dialect, driver = connection.dialect, connection.connection.driver_connection
    if dialect.name != "postgresql" or driver is None:
        yield
        return
    refused = dialect.loaded_dbapi.Error
    try:
        with driver.pipeline() as line, _each_closed(connection, driver, line):
            yield
    except refused as error:
        if driver.broken:
            connection.invalidate(error)
        raise sa.exc.DBAPIError.instance(
            "statements sent together", None, error, refused, dialect=dialect
        ) from error


@contextmanager
def _each_closed(connection: sa.Connection, driver: Any, line: Any) -> Iterator[None]:
    """Let the server see the end of each statement, so that it is idle until the next one comes.

    Else it waits for more without counting the time (`idle_in_transaction_session_timeout`), and a
    process that is frozen here would hold its locks for ever.
    """

    def close(*_: Any) -> None:
        line._enqueue_sync()
        driver.wait(line._communicate_gen())

    sa.event.listen(connection, "after_cursor_execute", close)
    try:
        yield
    finally:
        sa.event.remove(connection, "after_cursor_execute", close)


def _insert(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> Any:
    """Begin an insert: row by row on SQLite; on PostgreSQL from one document that holds them all.

    Bound parameters cost us more than ten times as much (docs/performance.md).
    """
    if connection.dialect.name != "postgresql":
        return sqlite.insert(table)
    names = list(rows[0])
    kind: sa.ColumnElement[Any] = sa.literal_column(f'null::"{table.name}"')
    document = sa.cast(sa.bindparam("document", type_=sa.Text), postgresql.JSON)
    each = sa.func.json_populate_recordset(kind, document).table_valued(*names)
    return postgresql.insert(table).from_select(names, sa.select(*(each.c[one] for one in names)))


def _run(connection: sa.Connection, insert: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    if connection.dialect.name == "postgresql":
        document = orjson.dumps(list(rows), _spelled, _OPTIONS).decode()
        connection.execute(insert, {"document": document})
    else:
        connection.execute(insert, list(rows))


# A time without a zone is UTC here, never the session's; SQLite refuses it.
_OPTIONS: Final = orjson.OPT_NON_STR_KEYS | orjson.OPT_NAIVE_UTC


def _spelled(value: object) -> str:
    """Spell bytes as PostgreSQL reads them."""
    if isinstance(value, bytes):
        return rf"\x{value.hex()}"
    raise TypeError(type(value))
