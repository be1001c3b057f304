"""`pacc migrate`: the schema."""

import typer

from models.migrations import upgrade
from pacc.process.database import make_engine, reachable, refuse_newer_schema
from pacc.process.settings import load_settings
from pacc.process.terminal import AsJson, print_facts


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("migrate")(migrate)


def migrate(as_json: AsJson = False) -> None:
    """Bring the database to the newest schema."""
    engine = make_engine(load_settings().database_url)
    refuse_newer_schema(engine)
    with reachable(engine):
        print_facts({"revision": upgrade(engine)}, as_json=as_json)
