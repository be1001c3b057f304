"""`pacc key`: API keys created, listed, revoked."""

from typing import Annotated

import typer

from dispatch.access.api_keys import create_key, list_keys, revoke_key
from models.words import Role
from pacc.process.clock import utc_now
from pacc.process.database import open_engine
from pacc.process.settings import load_settings
from pacc.process.terminal import AsJson, print_facts, print_rows

key = typer.Typer(help="Keys for the HTTP API.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    key.command("create")(create)
    key.command("list")(show)
    key.command("revoke")(revoke)
    app.add_typer(key, name="key")


def create(
    role: Annotated[Role, typer.Option(help="What its bearer may do.")],
    desk: Annotated[str | None, typer.Option(help="The desk that it is bound to.")] = None,
    name: Annotated[str | None, typer.Option(help="Who bears it; colleagues see this.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key. It is shown now and never again."""
    engine = open_engine(load_settings().database_url)
    with engine.begin() as connection:
        document = create_key(connection, role, desk, name, utc_now())
    print_facts(document, as_json=as_json)


def show(as_json: AsJson = False) -> None:
    """List the keys, without what opens them."""
    engine = open_engine(load_settings().database_url)
    with engine.begin() as connection:
        rows = list_keys(connection)
    columns = ("key_id", "name", "role", "desk", "created_at", "revoked_at")
    print_rows(rows, columns, as_json=as_json)


def revoke(key_id: str, as_json: AsJson = False) -> None:
    """Let a key open nothing any more."""
    engine = open_engine(load_settings().database_url)
    with engine.begin() as connection:
        revoke_key(connection, key_id, utc_now())
    print_facts({"revoked": key_id}, as_json=as_json)
