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
# So long a process that runs all day may be silent in the middle of a transaction.
FROZEN_SECONDS: Final = 60
# So long a request waits for a vehicle that the pipeline or a colleague has in hand.
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

    With `idle_seconds` PostgreSQL ends a transaction whose process has been silent for so long, and
    frees what it has locked: a process that is frozen in its middle would hold it for ever. With
    `lock_seconds` a statement waits no longer than that for what another has locked.
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
    """Make an engine on a database of this program's schema. Raises `WrongSchema`."""
    engine = make_engine(url, idle_seconds=idle_seconds, lock_seconds=lock_seconds)
    require_schema(engine)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Leave transactions to us, so that a writer waits at its start and never in its middle."""
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
    """Read everything as it stood at one moment, and keep no writer waiting."""
    is_postgres = engine.dialect.name == "postgresql"
    options: dict[str, Any] = {_ONLY_READS: True}
    if is_postgres:
        options["isolation_level"] = "REPEATABLE READ"
    with engine.connect() as connection:
        reading = connection.execution_options(**options)
        with reading.begin():
            if is_postgres:  # for this transaction alone: the next one is as the server wants it
                reading.exec_driver_sql("set transaction read only")
            yield reading


@contextmanager
def reachable(engine: sa.Engine) -> Iterator[None]:
    """Turn an outage of the database into one sentence."""
    try:
        yield
    except OUTAGES as error:
        where = masked_url(engine.url)
        what = str(error.orig).strip().splitlines()[0] if error.orig else "no answer"
        raise Unreachable(f"The database {where} cannot be used: {what}") from error


def schema_revision(engine: sa.Engine) -> str | None:
    """Read the schema version that the database is at; None for an empty one."""
    with reachable(engine), engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(
            sa.text("select version_num from alembic_version")
        ).scalar()
        return found


def refuse_newer_schema(engine: sa.Engine) -> None:
    """Refuse to migrate a database that a newer program has migrated."""
    found = schema_revision(engine)
    if found is not None and found > SCHEMA_REVISION:
        raise WrongSchema(
            f"The database is at schema {found}, newer than this program's {SCHEMA_REVISION}: "
            "use the newer program. Nothing was changed."
        )


def require_schema(engine: sa.Engine) -> None:
    """Refuse a database whose schema is not this program's."""
    found = schema_revision(engine)
    if found != SCHEMA_REVISION:
        have = f"is at schema {found}" if found else "has no schema yet"
        raise WrongSchema(
            f"The database {have}, this program needs {SCHEMA_REVISION}: run `pacc migrate`."
        )
