"""An invented fleet: simulated onto a tape or a topic, or shown as a whole by `pacc demo`."""

import csv
import json
import shutil
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
import typer

from dispatch.keys import create_key
from dispatch.masters import import_desks, import_vehicles, read_rows
from ingest.tape import write_tape
from models import tables as t
from models.batch import Message, Record
from models.errors import Unusable
from models.migrations import upgrade
from models.words import Outcome, Priority, Role
from pacc import wiring
from pacc.commands.service import Keeper, listen
from pacc.commands.stream import play
from pacc.database import make_engine
from pacc.logs import set_up_logs
from pacc.pipeline import Tally
from pacc.settings import Settings, load_settings
from pacc.simulation.day import summary
from pacc.simulation.fleet import cars, master_row
from pacc.simulation.stream import START, Simulation, Trouble
from pacc.terminal import AsJson, counted, give, progress, say, tell_rows

_SEND_AT_ONCE = 500
Seed = Annotated[int, typer.Option(help="The same seed gives the same stream.")]
Share = typer.Option(min=0, max=1)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("simulate")(simulate)
    app.command("demo")(demo)


def simulate(
    vehicles: Annotated[int, typer.Option(min=1, max=20_000_000)] = 2000,
    hours: Annotated[float, typer.Option(min=0.1, max=24 * 366)] = 24,
    seed: Seed = 1,
    tape: Annotated[Path | None, typer.Option(help="The tape to write.")] = None,
    topic: Annotated[str | None, typer.Option(help="The Kafka topic to send to.")] = None,
    fleet: Annotated[Path | None, typer.Option(help="Write the fleet's master data here.")] = None,
    truth: Annotated[Path | None, typer.Option(help="Write what was true here.")] = None,
    duplicates: Annotated[float, Share] = 0.03,
    late: Annotated[float, Share] = 0.02,
    broken: Annotated[float, Share] = 0.005,
    start: Annotated[
        datetime | None,
        typer.Option(
            help="When the first day begins: a fixed day on a tape, so that it ends now on a topic."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Simulate a fleet whose truth is known."""
    if (tape is None) == (topic is None):
        raise typer.BadParameter("say either --tape or --topic")
    begins = START if start is None else start.astimezone()
    if start is None and topic is not None:
        begins = wiring.utc_now() - timedelta(hours=hours)  # a broker deletes what is old
    trouble = Trouble(duplicates, late, broken)
    name = topic or "pacc.alerts"
    made = Simulation(name, vehicles, hours, seed, trouble, start=begins)
    with progress("simulate") as bar:
        records = made.records()
        if tape is not None:
            write_tape(counted(bar, records), tape)
        else:
            send(load_settings(), records, name)
    if fleet is not None:
        write_fleet(made, fleet)
    if truth is not None:
        write_truth(made, truth)
    found = summary([one for _, one in made.truths])
    give({"alerts": len(records), "vehicles": vehicles, "truth": found}, as_json=as_json)


def send(settings: Settings, records: Sequence[Record], topic: str) -> None:
    """Send records to a topic, with their keys and times."""
    sender = wiring.make_sender(settings)
    with progress("send", len(records)) as bar:
        for first in range(0, len(records), _SEND_AT_ONCE):
            part = records[first : first + _SEND_AT_ONCE]
            sender.send(
                [Message(topic, one.key, one.value, one.headers, one.timestamp) for one in part]
            )
            bar.advance(bar.task_ids[0], len(part))
    sender.close()


def write_fleet(made: Simulation, path: Path) -> None:
    """Write the master data of the fleet as CSV."""
    rows = [master_row(car) for car in cars(made.vehicles, made.seed)]
    with path.open("w", encoding="utf-8", newline="") as out:
        table = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def write_truth(made: Simulation, path: Path) -> None:
    """Write one line of JSON for each thing that was really wrong."""
    with path.open("w", encoding="utf-8") as out:
        for car, one in made.truths:
            line = {
                "vin": car.vin,
                "scenario": one.scenario,
                "code": one.code,
                "at": (made.start + timedelta(seconds=one.second)).isoformat(),
                "is_immobilised": one.is_immobilised,
            }
            out.write(json.dumps(line) + "\n")


def demo(
    vehicles: Annotated[int, typer.Option(min=1, max=1_000_000)] = 2000,
    seed: Seed = 1,
    folder: Annotated[Path, typer.Option(help="Made anew each time.")] = Path(".demo"),
    port: Annotated[int | None, typer.Option(min=0, max=65535)] = None,
    serve: Annotated[bool, typer.Option(help="Serve the API afterwards.")] = True,
    as_json: AsJson = False,
) -> None:
    """Play a day of an invented fleet through the real pipeline, and serve what came of it."""
    settings = prepare(load_settings(), folder)
    set_up_logs(settings.log_format, "warning")
    started = wiring.utc_now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=24)
    made = Simulation("pacc.alerts", vehicles, 24, seed, start=started)
    tape = folder / "day.jsonl.gz"
    with progress("simulate") as bar:
        alerts = write_tape(counted(bar, made.records()), tape)
    write_fleet(made, folder / "fleet.csv")
    keys = furnish(settings, folder)
    tally = play(settings, [tape], batch=None)
    facts = what_happened(settings, made, alerts, tally)
    if as_json:
        give({**facts, "keys": keys}, as_json=True)
    else:
        show(facts, keys)
    if serve:
        _serve(settings, settings.port if port is None else port)


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


def furnish(settings: Settings, folder: Path) -> dict[str, str]:
    """Bring schema, desks and fleet, and make a key for each kind of person."""
    engine = make_engine(settings.database_url)
    upgrade(engine)
    with as_file(files("pacc") / "sample" / "desks.csv") as desks, engine.begin() as connection:
        import_desks(connection, read_rows(desks))
        import_vehicles(connection, read_rows(folder / "fleet.csv"))
        now = wiring.utc_now()
        people = (
            (Role.OPERATOR, "rsa-beijing", "李 Li"),
            (Role.DEALER, "dealer-beijing-1", "王 Wang"),
            (Role.SUPERVISOR, None, "赵 Zhao"),
            (Role.ENGINEER, None, "陈 Chen"),
        )
        keys = {
            role.value: create_key(connection, role, desk, name, now)["key"]
            for role, desk, name in people
        }
    engine.dispose()
    return keys


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


def show(facts: dict[str, Any], keys: dict[str, str]) -> None:
    """Tell a person what happened, and how to look at it."""
    tell_rows(
        [{"what": name, "how many": value} for name, value in _flat(facts)], ("what", "how many")
    )
    say("\nKeys for this demo (role: key):")
    for role, key in keys.items():
        say(f"  {role}: {key}")
    say("\nLook at it (the address is below, once the API listens):")
    say('  curl -H "Authorization: Bearer KEY" ADDRESS/v1/tasks?limit=5')
    say("  or open ADDRESS/docs, press Authorize and paste a key. Ctrl-C ends the demo.\n")


def _flat(facts: dict[str, Any]) -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for name, value in facts.items():
        if isinstance(value, dict):
            flat += [(f"{name}: {inner}", one) for inner, one in value.items()]
        else:
            flat.append((name, value))
    return flat


def _serve(settings: Settings, port: int) -> None:
    """Serve, with time passing beside it."""
    ended = threading.Event()
    keeper = Keeper(settings)

    def tend() -> None:
        while not ended.wait(settings.tend_every.total_seconds()):
            keeper.look()

    thread = threading.Thread(target=tend, daemon=True)
    thread.start()
    try:
        listen(settings, settings.host, port)
    finally:
        ended.set()
        thread.join(timeout=5)
        keeper.close()
