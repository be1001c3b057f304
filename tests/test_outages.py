"""Outages of the database that are none of its connection: read-only, and a frozen neighbour."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from models import tables as t
from models.migrations import upgrade
from pacc import kafka
from pacc.canary import Canary
from pacc.clock import utc_now
from pacc.database import make_engine
from pacc.settings import Settings
from tests.commands import waits
from tests.worlds import CAR, OTHER, Centre, Stream


def takes_no_writes(url: str) -> None:
    """Bring a database to the newest schema, and let it take no writes after that."""
    engine = make_engine(url)
    upgrade(engine)
    with engine.begin() as connection:
        name = sa.make_url(url).database
        connection.execute(sa.text(f"alter database {name} set default_transaction_read_only = on"))
    engine.dispose()


@pytest.mark.postgres
def test_a_database_that_takes_no_writes_is_one_sentence_and_exit_code_5(postgres_url: str) -> None:
    takes_no_writes(postgres_url)
    done = subprocess.run(
        [sys.executable, "-m", "pacc.cli", "tend", "--once"], capture_output=True, text=True,
        env={**os.environ, "PACC_DATABASE_URL": postgres_url, "PACC_RELAY": "false"}, check=False,
    )  # fmt: skip
    assert done.returncode == 5, done.stderr
    assert "read-only transaction" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def refused(postgres_url: str) -> Iterator[list[str]]:
    """A database that takes no writes, and what it has refused."""
    takes_no_writes(postgres_url)
    said: list[str] = []

    def note(context: sa.ExceptionContext) -> None:
        said.append(str(context.original_exception))

    sa.event.listen(sa.Engine, "handle_error", note)
    yield said
    sa.event.remove(sa.Engine, "handle_error", note)


@pytest.mark.postgres
def test_the_canary_lives_through_a_database_that_takes_no_writes(
    postgres_url: str, refused: list[str]
) -> None:
    engine = make_engine(postgres_url)
    every = timedelta(milliseconds=100)
    bird = Canary(engine, pytest.fail, "pacc.alerts", every, utc_now, lambda _: None)
    bird.start()
    waits(lambda: len(refused) >= 3, 20)
    bird.stop()
    assert all("read-only transaction" in one for one in refused)
    engine.dispose()


@pytest.mark.postgres
def test_the_watchdog_lives_through_a_database_that_takes_no_writes(
    postgres_url: str, refused: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "ends_of", lambda *_: {})
    settings = Settings(database_url=postgres_url, stall_after=timedelta(seconds=1))
    with kafka.make_watchdog(settings, lambda _: None):
        waits(lambda: len(refused) >= 3, 20)
    assert all("read-only transaction" in one for one in refused)


@pytest.mark.postgres
def test_a_frozen_worker_holds_its_locks_only_so_long(postgres_url: str) -> None:
    frozen, heir = make_engine(postgres_url, idle_seconds=1), make_engine(postgres_url)
    upgrade(heir)
    with heir.begin() as connection:
        connection.execute(sa.insert(t.vehicle).values(vin="V", waiting={}, cleared={}))
    held = sa.select(t.vehicle.c.vin).with_for_update()
    with frozen.connect() as asleep:
        asleep.execute(held)
        with heir.begin() as awake:
            awake.execute(sa.text("set local lock_timeout = '30s'"))
            assert awake.execute(held).scalar_one() == "V"
        with pytest.raises(sa.exc.DBAPIError):
            asleep.execute(held)
    frozen.dispose()
    heir.dispose()


def test_time_goes_on_when_somebody_is_faster_with_one_task(engine: sa.Engine) -> None:
    """A client that forgot the lock changes a task under the eyes of `tend`."""
    stream = Stream().says(CAR, "dtc:P0C01", severity="stop", motion="moving")
    stream.says(OTHER, "dtc:P0C01", severity="stop", motion="moving")
    centre = Centre(engine)
    centre.plays(stream.records)
    faster = [True]

    def meddle(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> tuple[str, Any]:
        if statement.startswith("UPDATE task") and faster:
            faster.pop()
            return f"{statement} AND 1 = 0", parameters
        return statement, parameters

    sa.event.listen(engine, "before_cursor_execute", meddle, retval=True)
    assert centre.later(minutes=2).done == {"claim_missed": 1}
    assert centre.later(seconds=1).done == {"claim_missed": 1}
    sa.event.remove(engine, "before_cursor_execute", meddle)
    assert [row["alarms"] for row in centre.rows(t.task)] == [2, 2]
