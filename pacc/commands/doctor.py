"""`pacc doctor`: checks the installation."""

import typer

from pacc.process.clock import utc_now
from pacc.process.settings import load_settings
from pacc.process.terminal import AsJson, print_facts, print_json
from pacc.wiring.doctor import run_checks


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("doctor")(doctor)


def doctor(as_json: AsJson = False) -> None:
    """Say what is reachable, what is missing, and how to get it; 1 if PACC cannot work without."""
    report = run_checks(load_settings(), utc_now())
    if as_json:
        print_json(report)
    else:
        for check in report["checks"]:
            mark = "ok  " if check["ok"] else "FAIL" if check["is_needed"] else "none"
            print_facts({f"{mark} {check['name']}": check["detail"]}, as_json=False)
    if any(check["is_needed"] and not check["ok"] for check in report["checks"]):
        raise typer.Exit(1)
