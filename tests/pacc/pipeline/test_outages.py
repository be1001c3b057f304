"""Outages of the database that are none of its connection: read-only, and a frozen neighbour."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from models import tables as t
from models.batch import Message
from models.errors import Unreachable
from models.migrations import upgrade
from models.sql import Writer
from models.words import Role
from pacc.pipeline.writer_thread import WriterThread
from pacc.process.clock import utc_now
from pacc.process.database import make_engine
from pacc.process.settings import Settings
from pacc.watch.canary import Canary
from pacc.watch.metrics import Metrics
from pacc.wiring import kafka
from pacc.wiring.pipeline import make_worker
from pacc.wiring.tend import make_tend_loop
from pacc.wiring.web import make_web_app
from tests.support.commands import waits
from tests.support.webs import Web
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
        [sys.executable, "-m", "pacc.cli", "tend", "--once"],
        capture_output=True,
        text=True,
        env={**os.environ, "PACC_DATABASE_URL": postgres_url, "PACC_RELAY": "false"},
        check=False,
    )
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
@pytest.mark.parametrize("among", [nullcontext, WriterThread().writer])
def test_a_frozen_worker_holds_its_locks_only_so_long(
    postgres_url: str, among: Callable[[sa.Connection], AbstractContextManager[Writer]]
) -> None:
    frozen, heir = make_engine(postgres_url, idle_seconds=3), make_engine(postgres_url)
    upgrade(heir)
    with heir.begin() as connection:
        connection.execute(sa.insert(t.vehicle).values(vin="V", waiting={}, cleared={}))
    locked, vins = sa.select(t.vehicle.c.vin).with_for_update(), []

    def sleeps(asleep: sa.Connection) -> None:
        with among(asleep) as writer:
            writer.execute(sa.update(t.vehicle).values(model="iX3"))
            waits(lambda: _is_locked(heir))
            with heir.begin() as awake:
                awake.execute(sa.text("set local lock_timeout = '30s'"))
                vins.append(awake.execute(locked).scalar_one())
        asleep.execute(locked)

    with frozen.connect() as connection, pytest.raises(sa.exc.DBAPIError):
        sleeps(connection)
    assert vins == ["V"]
    frozen.dispose()
    heir.dispose()


@pytest.mark.postgres
def test_who_is_frozen_while_it_reads_holds_its_locks_only_so_long(postgres_url: str) -> None:
    frozen, heir = make_engine(postgres_url, idle_seconds=3), make_engine(postgres_url)
    upgrade(heir)
    with heir.begin() as connection:
        connection.execute(sa.insert(t.vehicle).values(vin="V", waiting={}, cleared={}))
    with frozen.connect() as asleep:
        driver: Any = asleep.connection.driver_connection
        driver.pgconn.send_query(
            b"begin; select repeat('more than a socket holds ', 4000000) from vehicle for update"
        )
        waits(lambda: _is_locked(heir))
        with heir.begin() as awake:
            awake.execute(sa.text("set local lock_timeout = '30s'"))
            locked = sa.select(t.vehicle.c.vin).with_for_update()
            assert awake.execute(locked).scalar_one() == "V"
        asleep.invalidate()
    frozen.dispose()
    heir.dispose()


def _is_locked(engine: sa.Engine) -> bool:
    free = sa.select(t.vehicle.c.vin).with_for_update(skip_locked=True)
    with engine.begin() as connection:
        return connection.execute(free).first() is None


@pytest.mark.postgres
def test_however_many_meet_a_locked_vehicle_all_are_told_so(postgres_url: str) -> None:
    engine, other = make_engine(postgres_url, lock_seconds=1), make_engine(postgres_url)
    upgrade(engine)
    web = Web(engine)
    web.centre.plays(Stream().says(CAR, "dtc:P0C01", severity="stop", motion="moving").records)
    key, vehicle = web.key(Role.SUPERVISOR), sa.select(t.vehicle).where(t.vehicle.c.vin == CAR)
    (task,) = web.asks(key, "/v1/tasks").json()["items"]
    claim = f"/v1/tasks/{task['task_id']}/claim", {"version": task["version"]}
    with other.begin() as frozen:
        frozen.execute(vehicle.with_for_update())
        with ThreadPoolExecutor(40) as people:
            answers = list(people.map(lambda _: web.asks(key, *claim), range(40)))
        assert web.asks(key, "/v1/tasks").status_code == 200
    assert {one.status_code for one in answers} == {503}
    assert {one.headers["retry-after"] for one in answers} == {"1"}
    assert "has this vehicle in hand" in answers[0].json()["detail"]
    assert web.asks(key, *claim).status_code == 200
    engine.dispose()
    other.dispose()


@pytest.mark.postgres
def test_whoever_runs_all_day_is_ended_when_frozen_and_waits_for_no_lock_for_ever(
    postgres_url: str,
) -> None:
    migrating, settings = make_engine(postgres_url), Settings(database_url=postgres_url)
    upgrade(migrating)
    migrating.dispose()
    web, tend = make_web_app(settings, Metrics()).state, make_tend_loop(settings)._engine
    people, intake = web.office.engine, web.intake._worker._engine
    run = make_worker(settings, None)[0]._engine
    bounded = ("1min", "60000", "10s")
    names = ("idle_in_transaction_session_timeout", "tcp_user_timeout", "lock_timeout")
    for engine, wanted in (
        (people, bounded),
        (intake, bounded),
        (run, (*bounded[:2], "0")),
        (tend, (*bounded[:2], "0")),
    ):
        with engine.connect() as connection:
            shown = [connection.execute(sa.text(f"show {name}")).scalar_one() for name in names]
        engine.dispose()
        assert tuple(shown) == wanted


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


class Away:
    """A Kafka that does not answer."""

    def send(self, messages: Sequence[Message]) -> None:
        """Send nothing."""
        raise Unreachable(f"Kafka is away: {len(messages)} events wait")

    def close(self) -> None:
        """There is no connection."""


def test_while_kafka_is_away_the_metrics_say_what_waits_and_what_was_done(
    engine: sa.Engine,
) -> None:
    centre = Centre(engine)
    centre.plays(Stream().says(CAR, "dtc:P0C01", severity="stop", motion="moving").records)
    settings = Settings(database_url=engine.url.render_as_string(hide_password=False))
    loop = make_tend_loop(settings)
    loop._make_sender = Away
    with pytest.raises(Unreachable, match="Kafka is away"):
        loop.tick()
    loop.close()
    read = loop.metrics.registry.get_sample_value
    assert read("pacc_outbox_unsent") == len(centre.rows(t.outbox)) > 0
    assert (read("pacc_oldest_unclaimed_urgent_seconds") or 0) > 60
    assert read("pacc_tended_total", {"what": "claim_missed"}) == 1
