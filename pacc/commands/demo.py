"""`pacc demo`: a day of an invented fleet, people to log in as, and a shift that goes on."""

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
from models.words import Disposition, Outcome, Priority, Role, Step
from pacc.commands.replay import play
from pacc.commands.serve import listen
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
from pacc.simulation.street import arrivals, now_said
from pacc.wiring import pipeline
from pacc.wiring.tend import make_tend_loop
from prioritizer.model.registry import CHAMPION, point

_HERE: Final = (39.9, 116.4)  # Beijing, where the demo's operator sits
_SHIFT_BEFORE: Final = timedelta(hours=1)
_ENDS: Final = (
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
    made = Simulation("pacc.alerts", vehicles, 24, seed, start=started)
    tape = folder / "day.jsonl.gz"
    with progress("simulate") as bar:
        alerts = write_tape(track(bar, made.records()), tape)
    write_fleet(made, folder / "fleet.csv")
    keys, logins = furnish(settings, folder)
    tally = play(settings, [tape], batch=None)
    worked = work_off(settings, utc_now() - _SHIFT_BEFORE)
    facts = {**what_happened(settings, made, alerts, tally), "worked_before": worked}
    if as_json:
        print_facts({**facts, "keys": keys, "logins": logins}, as_json=True)
    else:
        show(facts, keys, logins)
    if serve:
        _serve(settings, settings.port if port is None else port, made, pace)


def prepare(settings: Settings, folder: Path) -> Settings:
    """Make the folder anew; refuse to empty one that no demo made."""
    mark = folder / ".pacc-demo"
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        raise Unusable(f"{folder} holds other things: name an empty folder with --folder.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    mark.touch()
    url = f"sqlite:///{folder / 'pacc.db'}"
    return settings.model_copy(update={"database_url": url, "relay": False})


def furnish(settings: Settings, folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Bring schema, desks and fleet; return a key and a log-in (name, password) for each role."""
    engine = make_engine(settings.database_url)
    upgrade(engine)
    with as_file(files("pacc") / "sample" / "desks.csv") as desks, engine.begin() as connection:
        import_desks(connection, read_rows(desks))
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
            where = [desk] if desk else []
            made = add_person(connection, login, role, where, now, name=name)
            logins[role.value] = f"{login} / {made['password']}"
    engine.dispose()
    return keys, logins


def work_off(settings: Settings, until: datetime) -> int:
    """Let the shift before have worked on everything roadside that is older; count it."""
    engine = make_engine(settings.database_url)
    house = pipeline.make_dispatch_policy(settings, engine)
    before = Actor("shift before", "前一班", Role.OPERATOR, None)
    k = t.task.c
    query = sa.select(k.task_id, k.opened_at).where(
        k.queue == "roadside", k.state == "queued", k.opened_at < until
    )
    with engine.begin() as connection:
        waiting = connection.execute(query.order_by(k.opened_at, k.task_id)).all()
        for number, (task_id, opened_at) in enumerate(waiting):
            at = opened_at + timedelta(seconds=40)
            acting = Acting(connection, before, at, house)
            actions.claim(acting, task_id)
            contact = replace(acting, at=at + timedelta(minutes=2))
            actions.step(contact, task_id, Step.CONTACT, None)
            end = replace(acting, at=at + timedelta(minutes=8))
            actions.complete(end, task_id, _ENDS[number % len(_ENDS)], None)
    engine.dispose()
    return len(waiting)


def what_happened(
    settings: Settings, made: Simulation, alerts: int, tally: Tally
) -> dict[str, Any]:
    """Count what came of the day."""
    engine = make_engine(settings.database_url)
    c, k = t.case.c, t.task.c
    with engine.begin() as connection:
        cases = _counts(connection, c.priority, sa.true())
        tasks = _counts(connection, k.queue, k.state != "done")
        healed = connection.execute(
            sa.select(sa.func.count()).select_from(t.case).where(c.state == "healed")
        ).scalar_one()
    engine.dispose()
    return {
        "vehicles": made.vehicles,
        "alerts": alerts,
        "cases": {one.value: cases.get(one.value, 0) for one in reversed(Priority)},
        "healed": healed,
        "open_tasks": tasks,
        "quarantined": tally.outcomes[Outcome.QUARANTINED.value],
        "duplicates": tally.outcomes[Outcome.DUPLICATE.value],
        "seconds": round(tally.seconds, 1),
        "truth": summary([one for _, one in made.truths]),
    }


def _counts(
    connection: sa.Connection, column: sa.ColumnElement[str], where: sa.ColumnElement[bool]
) -> dict[str, int]:
    query = sa.select(column, sa.func.count()).where(where).group_by(column).order_by(column)
    rows = connection.execute(query).all()
    return {row[0]: row[1] for row in rows}


def show(facts: dict[str, Any], keys: dict[str, str], logins: dict[str, str]) -> None:
    """Tell a person what happened, and how to look at it."""
    print_rows_stderr(
        [{"what": name, "how many": value} for name, value in _flat(facts)], ("what", "how many")
    )
    print_stderr("\nOpen the address below and log in (name / password); new cases keep arriving:")
    for role, login in logins.items():
        print_stderr(f"  {role}: {login}")
    print_stderr("\nKeys for programs (role: key), and ADDRESS/docs for the API:")
    for role, key in keys.items():
        print_stderr(f"  {role}: {key}")
    print_stderr('  curl -H "Authorization: Bearer KEY" ADDRESS/v1/tasks?limit=5')
    print_stderr("Ctrl-C ends the demo.\n")


def _flat(facts: dict[str, Any]) -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for name, value in facts.items():
        if isinstance(value, dict):
            flat += [(f"{name}: {inner}", one) for inner, one in value.items()]
        else:
            flat.append((name, value))
    return flat


def _serve(settings: Settings, port: int, made: Simulation, pace: float) -> None:
    """Serve, with time passing and cars driving beside it."""
    ended = threading.Event()
    loop = make_tend_loop(settings)

    def tend() -> None:
        while not ended.wait(settings.tend_every.total_seconds()):
            loop.tick()

    def drive() -> None:
        intake = pipeline.make_intake(settings)
        for number, document in enumerate(arrivals(made, _HERE, made.seed)):
            if ended.wait(60 / pace):
                return
            now = utc_now()
            intake.take_in(now_said(document, number, now), (), now)

    threads = [threading.Thread(target=tend, daemon=True)]
    if pace:
        threads.append(threading.Thread(target=drive, daemon=True))
    for thread in threads:
        thread.start()
    try:
        listen(settings, settings.host, port)
    finally:
        ended.set()
        for thread in threads:
            thread.join(timeout=5)
        loop.close()
