"""`pacc case`: list cases, show one."""

from dataclasses import asdict

import typer

from dispatch.read import cases
from models.person import SHELL
from models.words import CaseState, Priority
from pacc.process.database import open_engine
from pacc.process.settings import load_settings
from pacc.process.terminal import ALL_ROWS, AsJson, Limit, print_facts, print_rows

case = typer.Typer(help="Cases: everything that is wrong with one vehicle now.")


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    case.command("list")(list_cases)
    case.command("show")(show_case)
    app.add_typer(case, name="case")


def list_cases(
    priority: Priority | None = None,
    vin: str | None = None,
    state: CaseState | None = None,
    limit: Limit = ALL_ROWS,
    as_json: AsJson = False,
) -> None:
    """List cases, the most pressing first."""
    with open_engine(load_settings().database_url).begin() as connection:
        rows, _ = cases.list_cases(
            connection, SHELL, priority=priority, vin=vin, state=state, limit=limit
        )
    columns = ("case_id", "vin", "priority", "score", "action", "state", "opened_at")
    print_rows([asdict(row) for row in rows], columns, as_json=as_json)


def show_case(case_id: str, as_json: AsJson = False) -> None:
    """Show one case with faults, tasks and reasons."""
    with open_engine(load_settings().database_url).begin() as connection:
        detail = cases.show_case(connection, case_id, SHELL)
    print_facts(asdict(detail), as_json=as_json)
