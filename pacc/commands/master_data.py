"""`pacc desk` and `pacc vehicle`: master data imported from CSV or YAML, all or nothing."""

from pathlib import Path
from typing import Annotated, Any

import typer

from dispatch.data.master_data import import_desks, import_vehicles, read_rows
from pacc.process.database import open_engine
from pacc.process.settings import load_settings
from pacc.process.terminal import AsJson, print_facts, print_stderr

desk = typer.Typer(help="Desks: roadside centres and dealers.", no_args_is_help=True)
vehicle = typer.Typer(help="Vehicles and their owners.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A .csv or .yaml file.")]
SkipBadPhones = Annotated[
    bool,
    typer.Option(
        help="Import a row whose phone is no number without it, with a warning (exit code 3)."
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    desk.command("import")(desks)
    vehicle.command("import")(vehicles)
    app.add_typer(desk, name="desk")
    app.add_typer(vehicle, name="vehicle")


def desks(file: File, as_json: AsJson = False) -> None:
    """Import desks; a file with a mistake changes nothing."""
    engine, rows = open_engine(load_settings().database_url), read_rows(file)
    with engine.begin() as connection:
        counts = import_desks(connection, rows)
    print_facts(counts, as_json=as_json)


def vehicles(file: File, skip_bad_phones: SkipBadPhones = False, as_json: AsJson = False) -> None:
    """Import vehicles; a file with a mistake changes nothing."""
    engine, rows = open_engine(load_settings().database_url), read_rows(file)
    warnings: list[str] = []
    warn = warnings.append if skip_bad_phones else None
    with engine.begin() as connection:
        counts: dict[str, Any] = dict(import_vehicles(connection, rows, warn))
    for warning in warnings:
        print_stderr(f"{warning}: left out")
    print_facts({**counts, "warnings": warnings} if as_json else counts, as_json=as_json)
    if warnings:
        raise typer.Exit(3)
