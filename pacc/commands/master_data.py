"""`pacc desk` and `pacc vehicle`: master data imported from CSV or YAML, all or nothing."""

from pathlib import Path
from typing import Annotated, Any

import typer

from dispatch.data.master_data import Row, import_desks, import_vehicles, read_rows
from models.errors import Unusable
from models.words import CarState, CarUse
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
    vehicle.command("set")(set_vehicle)
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


def set_vehicle(
    vin: Annotated[str, typer.Argument(help="The vehicle.")],
    use: Annotated[CarUse | None, typer.Option(help="Whose car it is.")] = None,
    state: Annotated[CarState | None, typer.Option(help="Where it is.")] = None,
    stands_at: Annotated[
        str | None, typer.Option(help="The desk that has it, in a workshop or in transport.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say whose car one vehicle is, and where; what is not named stays."""
    cells = {"use": use, "state": state, "stands_at": stands_at}
    named = {name: cell for name, cell in cells.items() if cell is not None}
    if not named:
        raise Unusable("Name what to set: --use, --state or --stands-at.")
    engine = open_engine(load_settings().database_url)
    with engine.begin() as connection:
        counts = import_vehicles(connection, [Row(1, {"vin": vin, **named}, "the command")])
    print_facts(counts, as_json=as_json)
