"""`pacc tend`: what changes because time passes, run all day beside the pipeline."""

from contextlib import closing
from typing import Annotated

import typer

from pacc.process.logs import set_up_logs
from pacc.process.settings import load_settings
from pacc.process.signals import stop_on_signal
from pacc.process.terminal import AsJson, print_facts
from pacc.wiring.tend import make_tend_loop


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("tend")(tend)


def tend(
    once: Annotated[bool, typer.Option(help="Look once and end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Do what time changes: expired claims, missed deadlines, ended silences, events that leave."""
    settings = load_settings()
    set_up_logs(settings.log_format, settings.log_level)
    with closing(make_tend_loop(settings)) as loop:
        if once:
            print_facts(loop.tick(wait_for_all=True), as_json=as_json)
        else:
            loop.metrics.serve(settings.metrics_host, settings.metrics_port)
            loop.run(stop_on_signal(), settings.tend_every)
