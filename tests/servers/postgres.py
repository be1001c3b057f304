"""A real PostgreSQL for tests: the system's binaries, a directory and a port of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import sqlalchemy as sa

from tests.servers.processes import NotToBeHad, Server, free_port, running

_HOW = "install PostgreSQL 15 or newer (Debian: postgresql), or set PACC_TEST_POSTGRES to a URL"


@contextmanager
def running_postgres() -> Iterator[str]:
    """Yield the URL of a server on which databases may be made."""
    url = os.environ.get("PACC_TEST_POSTGRES")
    if url:
        yield url
        return
    with own_postgres() as server:
        yield server.address


@contextmanager
def own_postgres(connections: int = 100) -> Iterator[Server]:
    """Yield a server of our own, which may be ended and started again; its address is a URL."""
    binaries = _binaries()
    with tempfile.TemporaryDirectory(prefix="pacc-postgres-") as name:
        folder = Path(name)
        as_user = _as_owner(folder)
        data = folder / "data"
        subprocess.run(
            [
                *as_user,
                str(binaries / "initdb"),
                "-D",
                str(data),
                "-U",
                "pacc",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ],
            check=True,
            capture_output=True,
        )
        port = free_port()
        command = [
            *as_user,
            str(binaries / "postgres"),
            "-D",
            str(data),
            "-p",
            str(port),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            f"unix_socket_directories={folder}",
            "-c",
            "fsync=off",
            "-c",
            f"max_connections={connections}",
        ]
        url = f"postgresql+psycopg://pacc@127.0.0.1:{port}/postgres"
        server = Server(url, command, folder / "log", lambda: _answers(port), 60, signal.SIGINT)
        with running(server):
            yield server


@contextmanager
def new_database(server: str, template: str | None = None) -> Iterator[str]:
    """Yield the URL of a database of its own, empty or a copy of another; it goes away again."""
    name = f"pacc_{uuid.uuid4().hex}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        like = f" template {sa.make_url(template).database}" if template else ""
        connection.execute(sa.text(f"create database {name}{like}"))
    yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(sa.text(f"drop database {name} with (force)"))
    engine.dispose()


def _binaries() -> Path:
    initdb = shutil.which("initdb")
    places = [Path(initdb).parent] if initdb else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    raise NotToBeHad(_HOW)


def _as_owner(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: let its own user have the directory."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "postgres")
    return ["runuser", "-u", "postgres", "--"]


def _answers(port: int) -> bool:
    """Whether it takes log-ins: while it starts up, the port is open already."""
    try:
        psycopg.connect(host="127.0.0.1", port=port, user="pacc", dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True
