"""`pacc demo`: simulates a day, replays it, creates log-ins and serves the console on it."""

import shutil
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Any, Final

import sqlalchemy as sa
import typer

from dispatch.access.acting import Acting
from dispatch.access.api_keys import create_key
from dispatch.access.people import add_person
from dispatch.data.master_data import import_desks, import_vehicles, read_rows
from dispatch.tasks import actions
from ingest.tape import write_tape
from models import tables as t
from models.errors import Unusable
from models.migrations import upgrade
from models.person import Actor
from models.words import CaseState, Disposition, Outcome, Priority, Queue, Role, Step, TaskState
from pacc.commands.replay import play
from pacc.commands.serve import run_server
from pacc.commands.simulate import Seed, write_fleet
from pacc.pipeline.loop import Tally
from pacc.process.clock import utc_now
from pacc.process.database import make_engine
from pacc.process.logs import set_up_logs
from pacc.process.settings import Settings, load_settings
from pacc.process.terminal import (
    AsJson,
    print_facts,
    print_rows_stderr,
    print_stderr,
    progress,
    track,
)
from pacc.simulation.day import summary
from pacc.simulation.stream import Simulation
from pacc.simulation.street import alert_now, arrivals
from pacc.wiring import pipeline
from pacc.wiring.tend import make_tend_loop
from prioritizer.model.registry import CHAMPION, point

_OPERATOR_AT: Final = (39.9, 116.4)  # Beijing: latitude, longitude
_SHIFT_BEFORE: Final = timedelta(hours=1)
_DISPOSITIONS: Final = (
    Disposition.DROVE_TO_DEALER,
    Disposition.FIXED_BY_PHONE,
    Disposition.DROVE_TO_DEALER,
    Disposition.ALREADY_HELPED,
    Disposition.NO_FAULT_FOUND,
)
_PEOPLE: Final = (
    (Role.OPERATOR, "li", "rsa-beijing", "李 Li"),
    (Role.DEALER, "wang", "dealer-beijing-1", "王 Wang"),
    (Role.SUPERVISOR, "zhao", None, "赵 Zhao"),
    (Role.ENGINEER, "chen", None, "陈 Chen"),
    (Role.ADMINISTRATOR, "sun", None, "孙 Sun"),
)


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("demo")(demo)


def demo(
    vehicles: Annotated[int, typer.Option(min=1, max=1_000_000)] = 2000,
    seed: Seed = 1,
    folder: Annotated[Path, typer.Option(help="Made anew each time.")] = Path(".demo"),
    port: Annotated[int | None, typer.Option(min=0, max=65535)] = None,
    pace: Annotated[
        float, typer.Option(min=0, max=600, help="New alerts a minute while it serves; 0: none.")
    ] = 12,
    serve: Annotated[bool, typer.Option(help="Serve the console afterwards.")] = True,
    as_json: AsJson = False,
) -> None:
    """Play a day of an invented fleet through the real pipeline; go on in the console."""
    settings = prepare(load_settings(), folder)
    set_up_logs(settings.log_format, "warning")
    started = utc_now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=24)
    simulation = Simulation("pacc.alerts", vehicles, 24, seed, start=started)
    tape = folder / "day.jsonl.gz"
    with progress("simulate") as bar:
        alerts = write_tape(track(bar, simulation.records()), tape)
    write_fleet(simulation, folder / "fleet.csv")
    keys, logins = set_up_database(settings, folder)
    tally = play(settings, [tape], batch=None)
    worked = complete_old_tasks(settings, utc_now() - _SHIFT_BEFORE)
    facts = {**count_results(settings, simulation, alerts, tally), "worked_before": worked}
    if as_json:
        print_facts({**facts, "keys": keys, "logins": logins}, as_json=True)
    else:
        print_results(facts, keys, logins)
    if serve:
        _serve(settings, settings.port if port is None else port, simulation, pace)


def prepare(settings: Settings, folder: Path) -> Settings:
    """Create the folder anew; return settings with its database.

    Raises `Unusable` for a folder with files that no demo has created.
    """
    mark = folder / ".pacc-demo"
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        raise Unusable(f"{folder} holds other things: name an empty folder with --folder.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    mark.touch()
    url = f"sqlite:///{folder / 'pacc.db'}"
    return settings.model_copy(update={"database_url": url, "relay": False})


def set_up_database(settings: Settings, folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Create schema, master data and model; return a key and a log-in for each role."""
    engine = make_engine(settings.database_url)
    upgrade(engine)
    with as_file(files("pacc") / "sample" / "desks.csv") as sample, engine.begin() as connection:
        import_desks(connection, read_rows(sample))
        import_vehicles(connection, read_rows(folder / "fleet.csv"))
        now = utc_now()
        shipped = pipeline.register_model(settings, connection, pipeline.shipped_model_folder())
        point(connection, CHAMPION, shipped, now, "pacc demo", {"reason": "shipped"})
        keys = {
            role.value: create_key(connection, role, desk, name, now)["key"]
            for role, _, desk, name in _PEOPLE
            if role is not Role.ADMINISTRATOR
        }
        logins = {}
        for role, login, desk, name in _PEOPLE:
            desks = [desk] if desk else []
            person = add_person(connection, login, role, desks, now, name=name)
            logins[role.value] = f"{login} / {person['password']}"
    engine.dispose()
    return keys, logins


def complete_old_tasks(settings: Settings, until: datetime) -> int:
    """Complete the roadside tasks opened before `until`, as a shift would have; count them."""
    engine = make_engine(settings.database_url)
    policy = pipeline.make_dispatch_policy(settings, engine)
    before = Actor("shift before", "前一班", Role.OPERATOR, None)
    k = t.task.c
    query = sa.select(k.task_id, k.opened_at).where(
        k.queue == Queue.ROADSIDE.value, k.state == TaskState.QUEUED.value, k.opened_at < until
    )
    with engine.begin() as connection:
        waiting = connection.execute(query.order_by(k.opened_at, k.task_id)).all()
        for number, (task_id, opened_at) in enumerate(waiting):
            at = opened_at + timedelta(seconds=40)
            acting = Acting(connection, before, at, policy)
            actions.claim(acting, task_id)
            contact = replace(acting, at=at + timedelta(minutes=2))
            actions.step(contact, task_id, Step.CONTACT, None)
            end = replace(acting, at=at + timedelta(minutes=8))
            actions.complete(end, task_id, _DISPOSITIONS[number % len(_DISPOSITIONS)], None)
    engine.dispose()
    return len(waiting)


def count_results(
    settings: Settings, simulation: Simulation, alerts: int, tally: Tally
) -> dict[str, Any]:
    """Return the day in numbers: cases, tasks, outcomes, and what was true."""
    engine = make_engine(settings.database_url)
    c, k = t.case.c, t.task.c
    with engine.begin() as connection:
        cases = _counts(connection, c.priority, sa.true())
        tasks = _counts(connection, k.queue, t.OPEN_TASK)
        healed = connection.execute(
            sa.select(sa.func.count()).select_from(t.case).where(c.state == CaseState.HEALED.value)
        ).scalar_one()
    engine.dispose()
    return {
        "vehicles": simulation.vehicles,
        "alerts": alerts,
        "cases": {priority.value: cases.get(priority.value, 0) for priority in reversed(Priority)},
        "healed": healed,
        "open_tasks": tasks,
        "quarantined": tally.outcomes[Outcome.QUARANTINED.value],
        "duplicates": tally.outcomes[Outcome.DUPLICATE.value],
        "seconds": round(tally.seconds, 1),
        "truth": summary([truth for _, truth in simulation.truths]),
    }


def _counts(
    connection: sa.Connection, column: sa.ColumnElement[str], where: sa.ColumnElement[bool]
) -> dict[str, int]:
    query = sa.select(column, sa.func.count()).where(where).group_by(column).order_by(column)
    rows = connection.execute(query).all()
    return {row[0]: row[1] for row in rows}


def print_results(facts: dict[str, Any], keys: dict[str, str], logins: dict[str, str]) -> None:
    """Print the day in numbers, the log-ins and the keys."""
    print_rows_stderr(
        [{"what": name, "how many": value} for name, value in _flatten(facts)], ("what", "how many")
    )
    print_stderr("\nOpen the address below and log in (name / password); new cases keep arriving:")
    for role, login in logins.items():
        print_stderr(f"  {role}: {login}")
    print_stderr("\nKeys for programs (role: key), and ADDRESS/docs for the API:")
    for role, key in keys.items():
        print_stderr(f"  {role}: {key}")
    print_stderr('  curl -H "Authorization: Bearer KEY" ADDRESS/v1/tasks?limit=5')
    print_stderr("Ctrl-C ends the demo.\n")


def _flatten(facts: dict[str, Any]) -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for name, value in facts.items():
        if isinstance(value, dict):
            flat += [(f"{name}: {key}", number) for key, number in value.items()]
        else:
            flat.append((name, value))
    return flat


def _serve(settings: Settings, port: int, simulation: Simulation, pace: float) -> None:
    """Serve; `tend` and new alerts go on in threads meanwhile."""
    ended = threading.Event()
    loop = make_tend_loop(settings)

    def tend() -> None:
        while not ended.wait(settings.tend_every.total_seconds()):
            loop.tick()

    def send_alerts() -> None:
        intake = pipeline.make_intake(settings)
        for number, document in enumerate(arrivals(simulation, _OPERATOR_AT, simulation.seed)):
            if ended.wait(60 / pace):
                return
            now = utc_now()
            intake.take_in(alert_now(document, number, now), (), now)

    threads = [threading.Thread(target=tend, daemon=True)]
    if pace:
        threads.append(threading.Thread(target=send_alerts, daemon=True))
    for thread in threads:
        thread.start()
    try:
        run_server(settings, settings.host, port)
    finally:
        ended.set()
        for thread in threads:
            thread.join(timeout=5)
        loop.close()
