"""Takes the settings apart into plain arguments and puts the parts together."""

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dispatch.desks import load_directory
from ingest.cluster import Grouping
from ingest.fold import parse_causes
from ingest.kafka import KafkaSource
from ingest.source import Source
from ingest.tape import TapeSource
from models.batch import Partition
from models.errors import SettingsInvalid, Unreachable, WrongSchema
from models.tables import SCHEMA_REVISION
from pacc.pipeline import Limits, Worker
from pacc.policy import Policy
from pacc.settings import Settings, masked_url
from prioritizer.rank import load_ranker

_BUSY_MILLISECONDS = 30_000


def make_engine(url: str) -> sa.Engine:
    """Make an engine for SQLite (WAL, one writer at a time) or PostgreSQL."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise SettingsInvalid("PACC_DATABASE_URL is not a database address.") from error
    if parsed.get_backend_name() == "postgresql":
        return sa.create_engine(parsed, pool_pre_ping=True, pool_size=10, max_overflow=20)
    if parsed.get_backend_name() != "sqlite":
        message = "PACC_DATABASE_URL must begin with sqlite:// or postgresql://"
        raise SettingsInvalid(message)
    engine = sa.create_engine(parsed)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Leave transactions to us, so that a writer waits at its start and never in its middle."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
    cursor.close()


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def reachable(engine: sa.Engine) -> Iterator[None]:
    """Turn an outage of the database into one sentence."""
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError) as error:
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


def require_schema(engine: sa.Engine) -> None:
    """Refuse a database whose schema is not this program's."""
    found = schema_revision(engine)
    if found != SCHEMA_REVISION:
        have = f"is at schema {found}" if found else "has no schema yet"
        raise WrongSchema(
            f"The database {have}, this program needs {SCHEMA_REVISION}: run `pacc migrate`."
        )


def make_policy(settings: Settings, engine: sa.Engine) -> Policy:
    """Read everything that `decide` decides by: causes, rules, desks."""
    causes = files("ingest").joinpath("causes.yaml").read_text("utf-8")
    with engine.begin() as connection:
        directory = load_directory(connection)
    return Policy(
        grouping=Grouping(parse_causes(causes), settings.heal_after, settings.repeat_within),
        ranker=load_ranker(),
        directory=directory,
    )


def make_worker(
    settings: Settings, batch: int | None, *, format_: str | None = None
) -> tuple[Worker, Limits]:
    """Put a pipeline together on the settings' database."""
    engine = make_engine(settings.database_url)
    require_schema(engine)
    limits = Limits(batch or settings.batch, settings.reject_limit, settings.reject_window)
    formats = settings.topics if format_ is None else _Always(format_)
    owner = f"{socket.gethostname()}:{os.getpid()}"
    return Worker(engine, make_policy(settings, engine), formats, owner, limits), limits


class _Always(dict[str, str]):
    """One format for every topic."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def get(self, _topic: str, _default: Any = None) -> Any:
        """Give the one format."""
        return self._name


def make_kafka_source(
    settings: Settings, take: Callable[[Partition, int | None], int], *, accept_gaps: bool
) -> Source:
    """Join the group on the settings' topics."""
    return KafkaSource(
        settings.kafka_bootstrap_servers,
        settings.group_id,
        sorted(settings.topics),
        take=take,
        accept_gaps=accept_gaps,
    )


def make_tape_source(tapes: Sequence[Path], take: Callable[[Partition, int | None], int]) -> Source:
    """Open tapes, to be played one after the other."""
    return TapeSource(tapes, take=take)
