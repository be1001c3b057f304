"""The outages: what is done to the database and the broker, one function for each kind."""

import random
import signal
import time
from contextlib import suppress
from typing import Any, Final

import psycopg
import sqlalchemy as sa

from models import tables as t
from models.ids import digest
from tests.servers.processes import Server
from tests.soak.disturbances import disturb
from tests.soak.disturbances.disturb import Act, Disturber
from tests.soak.disturbances.plan import OFTEN, SELDOM

_TRIES: Final = 20


def cut_connections(disturber: Disturber, _chance: random.Random) -> None:
    """All back ends of the database terminated, as when it fails over."""
    _cut(disturber, "true")


def cut_one_connection(disturber: Disturber, chance: random.Random) -> None:
    """The connections of one child terminated."""
    _cut(
        disturber,
        "application_name like :who",
        who=f"{chance.choice(list(disturber.system.wanted))}.%",
    )


def fill_connections(disturber: Disturber, chance: random.Random) -> None:
    """No connection is left for anybody else for a while."""
    connections: list[psycopg.Connection] = []
    url = sa.make_url(disturber.system.url).set(drivername="postgresql")
    with suppress(psycopg.OperationalError):
        while len(connections) < 500:
            connections.append(psycopg.connect(url.render_as_string(hide_password=False)))
    _cut(disturber, "application_name <> ''")
    time.sleep(chance.uniform(0.5, 2))
    for connection in connections:
        connection.close()


def statement_timeout(disturber: Disturber, chance: random.Random) -> None:
    """Statements are given up after few milliseconds."""
    _altered(disturber, "statement_timeout = '3ms'", "statement_timeout", chance)


def read_only(disturber: Disturber, chance: random.Random) -> None:
    """The database takes no writes, as a standby does."""
    name = "default_transaction_read_only"
    _altered(disturber, f"{name} = on", name, chance)


def rewind(disturber: Disturber, chance: random.Random) -> None:
    """An engineer moves a position back, so that records are worked through again."""
    with suppress(sa.exc.OperationalError), disturber.system.engine.begin() as connection:
        connection.execute(
            sa.text(
                "update position set next_offset = next_offset - :by"
                " where part = :part and next_offset > :by"
            ),
            {"by": chance.randrange(1, 30), "part": chance.randrange(4)},
        )


def intrude(disturber: Disturber, chance: random.Random) -> None:
    """A foreign writer opens a second case or task; the database has to refuse it.

    It names it as we do, so that who gets past is met by the workers as any other.
    """
    table, key, is_open = chance.choice(
        [
            (t.case, "case_id", t.case.c.state == "open"),
            (t.task, "task_id", t.task.c.state != "done"),
        ]
    )
    query = sa.select(table).where(is_open).order_by(sa.func.random()).limit(1)
    try:
        with disturber.system.engine.begin() as connection:
            row = connection.execute(query).mappings().first()
            if row is not None:
                intruder = {**row, key: digest("intruder", str(chance.random()))}
                connection.execute(sa.insert(table).values(intruder))
    except sa.exc.IntegrityError:
        disturber.done["intruders refused"] += 1
    except sa.exc.OperationalError:
        pass


def stop_postgres(disturber: Disturber, chance: random.Random) -> None:
    """The database server is stopped and started."""
    _restart(disturber.system.servers.postgres, chance.choice([signal.SIGINT, signal.SIGQUIT]))


def kill_postgres(disturber: Disturber, _chance: random.Random) -> None:
    """SIGKILL of the database server."""
    _restart(disturber.system.servers.postgres, signal.SIGKILL)


def stop_broker(disturber: Disturber, _chance: random.Random) -> None:
    """The broker is stopped and started."""
    with disturber.sending:
        _restart(disturber.system.servers.kafka, signal.SIGTERM)


def kill_broker(disturber: Disturber, _chance: random.Random) -> None:
    """SIGKILL of the broker."""
    with disturber.sending:
        _restart(disturber.system.servers.kafka, signal.SIGKILL)


def _cut(disturber: Disturber, which: str, **values: Any) -> None:
    with suppress(sa.exc.OperationalError), disturber.system.engine.begin() as connection:
        connection.execute(
            sa.text(
                "select pg_terminate_backend(pid) from pg_stat_activity where"
                " datname = current_database() and application_name <> 'driver'"
                f" and {which}"
            ),
            values,
        )


def _altered(disturber: Disturber, setting: str, name: str, chance: random.Random) -> None:
    """Set something for the whole database and let everybody connect anew, for a while."""
    alter = f"alter database {disturber.system.database}"
    for what in (f"{alter} set {setting}", f"{alter} reset {name}"):
        for _ in range(_TRIES):
            # two such settings at the same moment are refused by the database: one waits
            with (
                suppress(sa.exc.DBAPIError),
                disturber.altering,
                disturber.system.engine.begin() as c,
            ):
                c.execute(sa.text(what))
                break
            time.sleep(0.5)
        _cut(disturber, "true")
        if " set " in what:
            time.sleep(chance.uniform(0.5, 2))


def _restart(server: Server, number: int) -> None:
    """End a server and start it again; what holds its port or memory is waited for."""
    server.end(number)
    for left in reversed(range(_TRIES)):
        try:
            server.start()
        except RuntimeError:
            if not left:
                raise
            time.sleep(0.5)
        else:
            return


ACTS: Final[dict[str, Act]] = {
    kind: getattr(disturb, name, None) or globals()[name]
    for kind in (*OFTEN, *SELDOM)
    for name in (kind.replace(" ", "_"),)
}
