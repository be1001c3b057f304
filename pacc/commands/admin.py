"""Set-up: the schema, and whether everything needed is there."""

import typer

from models.migrations import upgrade
from pacc.database import make_engine, reachable, refuse_newer_schema
from pacc.doctor import examine
from pacc.settings import load_settings
from pacc.terminal import AsJson, give, give_json
from pacc.wiring import utc_now


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("migrate")(migrate)
    app.command("doctor")(doctor)


def migrate(as_json: AsJson = False) -> None:
    """Bring the database to the newest schema."""
    engine = make_engine(load_settings().database_url)
    refuse_newer_schema(engine)
    with reachable(engine):
        give({"revision": upgrade(engine)}, as_json=as_json)


def doctor(as_json: AsJson = False) -> None:
    """Say what is reachable, what is missing, and how to get it; 1 if PACC cannot work without."""
    report = examine(load_settings(), utc_now())
    if as_json:
        give_json(report)
    else:
        for check in report["checks"]:
            mark = "ok  " if check["ok"] else "FAIL" if check["is_needed"] else "none"
            give({f"{mark} {check['name']}": check["detail"]}, as_json=False)
    if any(check["is_needed"] and not check["ok"] for check in report["checks"]):
        raise typer.Exit(1)
