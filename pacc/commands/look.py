"""Looking at cases, tasks, the ledger and the digest."""

from typing import Annotated, Any

import typer

from dispatch.read import cases_and_tasks
from ingest.store import ledger as ledgers
from models.person import SHELL
from models.words import CaseState, Priority, Queue, TaskState
from pacc.process.database import open_engine
from pacc.process.settings import load_settings
from pacc.process.terminal import AsJson, give, give_json, give_rows

case = typer.Typer(help="Cases: everything that is wrong with one vehicle now.")
task = typer.Typer(help="Tasks, in the order in which a person should take them.")
Limit = Annotated[int, typer.Option(min=1, show_default=False, help="At most so many; else all.")]
_ALL = 2**31 - 2


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("ledger")(ledger)
    app.command("digest")(digest)
    case.command("list")(list_cases)
    case.command("show")(show_case)
    task.command("list")(list_tasks)
    app.add_typer(case, name="case")
    app.add_typer(task, name="task")


def ledger(as_json: AsJson = False) -> None:
    """Show how every record ended; exit code 1 if it does not reconcile with the position."""
    with open_engine(load_settings().database_url).begin() as connection:
        report = ledgers.ledger(connection)
    if as_json:
        give_json(report)
    else:
        columns = ("feed", "topic", "partition", "position", "outcomes", "reconciled")
        give_rows(report["topics"], columns, as_json=False)
    if not report["reconciled"]:
        raise typer.Exit(1)


def digest(as_json: AsJson = False) -> None:
    """Hash everything that the pipeline decided."""
    with open_engine(load_settings().database_url).begin() as connection:
        give(ledgers.digest(connection), as_json=as_json)


def list_cases(
    priority: Priority | None = None,
    vin: str | None = None,
    state: CaseState | None = None,
    limit: Limit = _ALL,
    as_json: AsJson = False,
) -> None:
    """List cases, the most pressing first."""
    with open_engine(load_settings().database_url).begin() as connection:
        rows, _ = cases_and_tasks.list_cases(
            connection, SHELL, priority=priority, vin=vin, state=state, limit=limit
        )
    columns = ("case_id", "vin", "priority", "score", "action", "state", "opened_at")
    give_rows(rows, columns, as_json=as_json)


def show_case(case_id: str, as_json: AsJson = False) -> None:
    """Show one case with faults, tasks and reasons."""
    with open_engine(load_settings().database_url).begin() as connection:
        found: dict[str, Any] = cases_and_tasks.show_case(connection, case_id, SHELL)
    give(found, as_json=as_json)


def list_tasks(
    queue: Queue | None = None,
    desk: str | None = None,
    state: TaskState | None = None,
    limit: Limit = _ALL,
    as_json: AsJson = False,
) -> None:
    """List tasks in the order in which a person should take them."""
    with open_engine(load_settings().database_url).begin() as connection:
        rows, _ = cases_and_tasks.list_tasks(
            connection, SHELL, queue=queue, desk=desk, state=state, limit=limit
        )
    columns = ("task_id", "queue", "desk", "priority", "state", "claim_by", "contact_by")
    give_rows(rows, columns, as_json=as_json)
