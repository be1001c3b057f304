"""`pacc fleet`: fleet issues listed, held back, released."""

from typing import Annotated

import typer

from dispatch.access.acting import Acting
from dispatch.fleet.issues import decide_on, list_issues, show_issue
from models.person import SHELL
from models.words import IssueState
from pacc.process.clock import utc_now
from pacc.process.database import open_engine
from pacc.process.settings import load_settings
from pacc.process.terminal import AsJson, print_facts, print_rows
from pacc.wiring import pipeline

fleet = typer.Typer(
    help="Fleet issues: one code on many cars of one model and software.",
    no_args_is_help=True,
)
Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    fleet.command("list")(show)
    fleet.command("hold")(hold)
    fleet.command("release")(release)
    app.add_typer(fleet, name="fleet")


def show(
    every: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the fleet issues, the largest first."""
    engine = open_engine(load_settings().database_url)
    with engine.begin() as connection:
        rows = list_issues(connection, SHELL, is_all=every)
    columns = (
        "issue_id",
        "code",
        "model",
        "software",
        "state",
        "vehicles",
        "per_minute",
        "open",
        "held",
        "first_seen",
    )
    print_rows(rows, columns, as_json=as_json)


def hold(issue_id: str, reason: Reason, as_json: AsJson = False) -> None:
    """Hold the tasks of a fleet issue back: never an urgent one, nor one that a person has."""
    _decide(issue_id, IssueState.HOLDING, reason, as_json=as_json)


def release(issue_id: str, reason: Reason, as_json: AsJson = False) -> None:
    """Let the tasks of a fleet issue go again, at the pace of PACC_SURGE_RELEASE."""
    _decide(issue_id, IssueState.RELEASED, reason, as_json=as_json)


def _decide(issue_id: str, to: IssueState, reason: str, *, as_json: bool) -> None:
    settings = load_settings()
    engine = open_engine(settings.database_url)
    policy = pipeline.make_dispatch_policy(settings, engine)
    with engine.begin() as connection:
        decide_on(Acting(connection, SHELL, utc_now(), policy), issue_id, to, reason)
        document = show_issue(connection, issue_id, SHELL)
    print_facts(document, as_json=as_json)
