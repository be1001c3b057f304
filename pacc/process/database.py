"""The database: an engine for each kind, its schema, and its outages in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import orjson
import sqlalchemy as sa

from models.errors import SettingsInvalid, Unreachable, WrongSchema
from models.sql import OUTAGES
from models.tables import SCHEMA_REVISION
from pacc.process.settings import masked_url

_BUSY_MILLISECONDS = 30_000
# How long a process that runs all day may be silent in the middle of a transaction.
FROZEN_SECONDS: Final = 60
# How long a request waits for the row of a vehicle that another transaction has locked.
LOCKED_SECONDS: Final = 10
_ONLY_READS = "pacc_only_reads"
_JSON: dict[str, Any] = {
    # a row's keys may be a subclass of str, which only this option takes
    "json_serializer": lambda value: orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode(),
    "json_deserializer": orjson.loads,
}


def make_engine(
    url: str, *, idle_seconds: int | None = None, lock_seconds: int | None = None
) -> sa.Engine:
    """Make an engine for SQLite (WAL, one writer at a time) or PostgreSQL.

    After `idle_seconds` without a statement PostgreSQL ends a transaction, whose locks a frozen
    process would keep for ever; after `lock_seconds` a statement stops waiting for a lock. Raises
    `SettingsInvalid` when the address is of no such database.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise SettingsInvalid("PACC_DATABASE_URL is not a database address.") from error
    if parsed.get_backend_name() == "postgresql":
        limits = {
            "idle_in_transaction_session_timeout": idle_seconds,
            "tcp_user_timeout": idle_seconds,  # it does not take what we send
            "lock_timeout": lock_seconds,
        }
        options = " ".join(f"-c {name}={most}s" for name, most in limits.items() if most)
        arguments = {"options": options} if options and "options" not in parsed.query else {}
        return sa.create_engine(
            parsed,
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=20,
            connect_args=arguments,
            **_JSON,
        )
    if parsed.get_backend_name() != "sqlite":
        message = "PACC_DATABASE_URL must begin with sqlite:// or postgresql://"
        raise SettingsInvalid(message)
    engine = sa.create_engine(parsed, **_JSON)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_immediate)
    return engine


def open_engine(
    url: str, *, idle_seconds: int | None = None, lock_seconds: int | None = None
) -> sa.Engine:
    """Make an engine; raise `WrongSchema` if the database is not at this program's schema."""
    engine = make_engine(url, idle_seconds=idle_seconds, lock_seconds=lock_seconds)
    require_schema(engine)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Turn the driver's own transactions off: a writer waits at its start, never in its middle."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin_immediate(connection: sa.Connection) -> None:
    only_reads = connection.get_execution_options().get(_ONLY_READS, False)
    connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")


@contextmanager
def snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a read-only connection that sees the database as of one moment and blocks no writer."""
    is_postgres = engine.dialect.name == "postgresql"
    options: dict[str, Any] = {_ONLY_READS: True}
    if is_postgres:
        options["isolation_level"] = "REPEATABLE READ"
    with engine.connect() as connection:
        reading = connection.execution_options(**options)
        with reading.begin():
            if is_postgres:  # for this transaction alone: a pooled connection keeps no such setting
                reading.exec_driver_sql("set transaction read only")
            yield reading


@contextmanager
def reachable(engine: sa.Engine) -> Iterator[None]:
    """Raise `Unreachable` with one sentence when the database fails in this context."""
    try:
        yield
    except OUTAGES as error:
        where = masked_url(engine.url)
        what = str(error.orig).strip().splitlines()[0] if error.orig else "no answer"
        raise Unreachable(f"The database {where} cannot be used: {what}") from error


def schema_revision(engine: sa.Engine) -> str | None:
    """Return the schema revision of the database; None for an empty one."""
    with reachable(engine), engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.execute(
            sa.text("select version_num from alembic_version")
        ).scalar()
        return revision


def refuse_newer_schema(engine: sa.Engine) -> None:
    """Raise `WrongSchema` if a newer program has migrated the database."""
    revision = schema_revision(engine)
    if revision is not None and revision > SCHEMA_REVISION:
        raise WrongSchema(
            f"The database is at schema {revision}, newer than this program's {SCHEMA_REVISION}: "
            "use the newer program. Nothing was changed."
        )


def require_schema(engine: sa.Engine) -> None:
    """Raise `WrongSchema` if the database is not at this program's schema."""
    revision = schema_revision(engine)
    if revision != SCHEMA_REVISION:
        state = f"is at schema {revision}" if revision else "has no schema yet"
        raise WrongSchema(
            f"The database {state}, this program needs {SCHEMA_REVISION}: run `pacc migrate`."
        )
