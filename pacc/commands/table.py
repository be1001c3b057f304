"""Which module holds which command, so that only what is asked for is imported."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_group


class Line(NamedTuple):
    """What `pacc --help` says of a command, and the module of `pacc.commands` that holds it."""

    module: str
    help: str


COMMANDS: Final[Mapping[str, Line]] = {
    "migrate": Line("migrate", "Bring the database to the newest schema."),
    "doctor": Line(
        "doctor",
        "Say what is reachable, what is missing, and how to get it; 1 if PACC cannot work without.",
    ),
    "run": Line("run", "Turn the alerts of the Kafka topics into cases and tasks."),
    "scout": Line("scout", "Bring stop faults forward while the pipeline is behind."),
    "replay": Line(
        "replay",
        "Play tapes through the same pipeline; twice changes nothing but the ledger.",
    ),
    "record": Line("run", "Record a topic onto a tape."),
    "serve": Line("serve", "Serve the HTTP API and its documentation."),
    "tend": Line(
        "tend",
        "Do what time changes: expired claims, missed deadlines, ended silences, "
        "events that leave.",
    ),
    "ledger": Line(
        "look",
        "Show how every record ended; exit code 1 if it does not reconcile with the position.",
    ),
    "reconcile": Line(
        "reconcile",
        "Compare Kafka, ledger, alerts, cases, tasks and outbox; exit code 1 if any is missing.",
    ),
    "digest": Line("look", "Hash everything that the pipeline decided."),
    "simulate": Line("simulation", "Simulate a fleet whose truth is known."),
    "demo": Line(
        "demo",
        "Play a day of an invented fleet through the real pipeline; go on in the console.",
    ),
    "case": Line("look", "Cases: everything that is wrong with one vehicle now."),
    "task": Line("look", "Tasks, in the order in which a person should take them."),
    "fleet": Line("fleet", "Fleet-wide matters: one code on many cars of one model and software."),
    "desk": Line("masters", "Desks: roadside centres and dealers."),
    "vehicle": Line("masters", "Vehicles and their owners."),
    "key": Line("keys", "Keys for the HTTP API."),
    "person": Line("people", "People who log in to the console."),
    "quarantine": Line("quarantine", "Records that could not be used."),
    "rules": Line("rules", "The rule set."),
    "model": Line("model", "The trained model that ranks inside the rules' floor."),
}


class ByName(TyperGroup):
    """Lists the commands from the table alone; imports the module of the one that is asked for."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command; what was only listed until now is loaded."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed if name is None else load(name), rest


def list_on(app: typer.Typer) -> None:
    """Let an application of the class `ByName` list the commands of the table."""
    for name, line in COMMANDS.items():
        app.command(name, help=line.help)(lambda: None)


def load(name: str) -> Any:
    """Import the module that holds a command, and give the command."""
    part = typer.Typer()
    import_module(f"pacc.commands.{COMMANDS[name].module}").add_to(part)
    return get_group(part).commands[name]
