"""`pacc task`: list tasks."""

from dataclasses import asdict

import typer

from dispatch.read import tasks
from models.person import SHELL
from models.words import Queue, TaskState
from pacc.process.database import open_engine
from pacc.process.settings import load_settings
from pacc.process.terminal import ALL_ROWS, AsJson, Limit, print_rows

task = typer.Typer(help="Tasks, in the order in which a person should take them.")


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    task.command("list")(list_tasks)
    app.add_typer(task, name="task")


def list_tasks(
    queue: Queue | None = None,
    desk: str | None = None,
    state: TaskState | None = None,
    limit: Limit = ALL_ROWS,
    as_json: AsJson = False,
) -> None:
    """List tasks in the order in which a person should take them."""
    with open_engine(load_settings().database_url).begin() as connection:
        rows, _ = tasks.list_tasks(
            connection, SHELL, queue=queue, desk=desk, state=state, limit=limit
        )
    columns = ("task_id", "queue", "desk", "priority", "state", "claim_by", "contact_by")
    print_rows([asdict(row) for row in rows], columns, as_json=as_json)
