"""Set-up: the schema, keys, and whether everything needed is there."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from dispatch.auth import create_key
from models.migrations import upgrade
from models.words import Role
from pacc.doctor import examine
from pacc.settings import load_settings
from pacc.terminal import AsJson, give, give_json, say
from pacc.wiring import make_engine, reachable, require_schema

key = typer.Typer(help="API keys.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("migrate")(migrate)
    app.command("doctor")(doctor)
    key.command("create")(create)
    app.add_typer(key, name="key")


def migrate(as_json: AsJson = False) -> None:
    """Bring the database to the newest schema."""
    engine = make_engine(load_settings().database_url)
    with reachable(engine):
        give({"revision": upgrade(engine)}, as_json=as_json)


def create(
    role: Annotated[Role, typer.Option(help="What the bearer may do.")],
    desk: Annotated[str | None, typer.Option(help="The desk it is bound to.")] = None,
    name: Annotated[str, typer.Option(help="Who it is for; shown to colleagues.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make an API key and show it once."""
    engine = make_engine(load_settings().database_url)
    require_schema(engine)
    with engine.begin() as connection:
        secret, key_id = create_key(connection, role, desk, name or role.value, datetime.now(UTC))
    give({"key": secret, "key_id": key_id}, as_json=as_json)
    say("The key is shown this once; only its hash is kept.")


def doctor(as_json: AsJson = False) -> None:
    """Say what is reachable, what is missing, and how to get it."""
    report = examine(load_settings())
    if as_json:
        give_json(report)
    else:
        for check in report["checks"]:
            mark = "ok  " if check["ok"] else "FAIL"
            give({f"{mark} {check['name']}": check["detail"]}, as_json=False)
    if not all(check["ok"] for check in report["checks"]):
        raise typer.Exit(1)
