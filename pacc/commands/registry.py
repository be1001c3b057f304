"""Registry of the commands: which module holds which, so that only that one is imported."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_group


class CommandEntry(NamedTuple):
    """What `pacc --help` says of a command, and the module of `pacc.commands` that holds it."""

    module: str
    help: str


COMMANDS: Final[Mapping[str, CommandEntry]] = {
    "migrate": CommandEntry("migrate", "Bring the database to the newest schema."),
    "doctor": CommandEntry(
        "doctor",
        "Say what is reachable, what is missing, and how to get it; 1 if PACC cannot work without.",
    ),
    "run": CommandEntry("run", "Turn the alerts of the Kafka topics into cases and tasks."),
    "scout": CommandEntry("scout", "Bring stop faults forward while the pipeline is behind."),
    "replay": CommandEntry(
        "replay",
        "Play tapes through the same pipeline; twice changes nothing but the ledger.",
    ),
    "record": CommandEntry("record", "Record a topic onto a tape."),
    "serve": CommandEntry("serve", "Serve the HTTP API and its documentation."),
    "tend": CommandEntry(
        "tend",
        "Do what time changes: expired claims, missed deadlines, ended silences, "
        "events that leave.",
    ),
    "ledger": CommandEntry(
        "ledger",
        "Show how every record ended; exit code 1 if it does not reconcile with the position.",
    ),
    "reconcile": CommandEntry(
        "reconcile",
        "Compare Kafka, ledger, alerts, cases, tasks and outbox; exit code 1 if any is missing.",
    ),
    "digest": CommandEntry("ledger", "Hash everything that the pipeline decided."),
    "simulate": CommandEntry("simulate", "Simulate a fleet whose truth is known."),
    "demo": CommandEntry(
        "demo",
        "Play a day of an invented fleet through the real pipeline; go on in the console.",
    ),
    "case": CommandEntry("case", "Cases: everything that is wrong with one vehicle now."),
    "task": CommandEntry("task", "Tasks, in the order in which a person should take them."),
    "fleet": CommandEntry(
        "fleet", "Fleet issues: one code on many cars of one model and software."
    ),
    "desk": CommandEntry("master_data", "Desks: roadside centres and dealers."),
    "vehicle": CommandEntry("master_data", "Vehicles and their owners."),
    "key": CommandEntry("key", "Keys for the HTTP API."),
    "person": CommandEntry("person", "People who log in to the console."),
    "quarantine": CommandEntry("quarantine", "Records that could not be used."),
    "rules": CommandEntry("rules", "The rule set."),
    "model": CommandEntry("model", "The trained model that ranks inside the rules' floor."),
}


class LazyCommands(TyperGroup):
    """Lists commands from the registry alone; imports the module of the one that is run."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command by its name, with its module imported."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed if name is None else load_command(name), rest


def add_commands(app: typer.Typer) -> None:
    """Add every command by name and help alone to an application of `LazyCommands`."""
    for name, entry in COMMANDS.items():
        app.command(name, help=entry.help)(lambda: None)


def load_command(name: str) -> Any:
    """Import the module that holds a command; return the command."""
    part = typer.Typer()
    import_module(f"pacc.commands.{COMMANDS[name].module}").add_to(part)
    return get_group(part).commands[name]
