"""`pacc desk` and `pacc vehicle`: master data imported from CSV or YAML, all or nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from dispatch.data.master_data import import_desks, import_vehicles, read_rows
from pacc.process.database import open_engine
from pacc.process.settings import load_settings
from pacc.process.terminal import AsJson, print_facts

desk = typer.Typer(help="Desks: roadside centres and dealers.", no_args_is_help=True)
vehicle = typer.Typer(help="Vehicles and their owners.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A .csv or .yaml file.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    desk.command("import")(desks)
    vehicle.command("import")(vehicles)
    app.add_typer(desk, name="desk")
    app.add_typer(vehicle, name="vehicle")


def desks(file: File, as_json: AsJson = False) -> None:
    """Import desks; a file with a mistake changes nothing."""
    print_facts(run_import(import_desks, file), as_json=as_json)


def vehicles(file: File, as_json: AsJson = False) -> None:
    """Import vehicles; a file with a mistake changes nothing."""
    print_facts(run_import(import_vehicles, file), as_json=as_json)


def run_import(do_import: Callable[..., dict[str, int]], file: Path) -> dict[str, Any]:
    """Run an import in one transaction; return the counts of rows."""
    engine = open_engine(load_settings().database_url)
    rows = read_rows(file)
    with engine.begin() as connection:
        return dict(do_import(connection, rows))
