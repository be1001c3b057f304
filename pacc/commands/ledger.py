"""`pacc ledger` and `pacc digest`: how every record ended, and a hash of what was decided."""

import typer

from ingest.store import ledger as store
from pacc.process.database import open_engine
from pacc.process.settings import load_settings
from pacc.process.terminal import AsJson, print_facts, print_json, print_rows


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("ledger")(ledger)
    app.command("digest")(digest)


def ledger(as_json: AsJson = False) -> None:
    """Show how every record ended; exit code 1 if it does not reconcile with the position."""
    with open_engine(load_settings().database_url).begin() as connection:
        report = store.ledger(connection)
    if as_json:
        print_json(report)
    else:
        columns = ("feed", "topic", "partition", "position", "outcomes", "reconciled")
        print_rows(report["topics"], columns, as_json=False)
    if not report["reconciled"]:
        raise typer.Exit(1)


def digest(as_json: AsJson = False) -> None:
    """Hash everything that the pipeline decided."""
    with open_engine(load_settings().database_url).begin() as connection:
        print_facts(store.digest(connection), as_json=as_json)
