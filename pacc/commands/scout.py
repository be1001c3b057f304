"""`pacc scout`: reads ahead while the pipeline is behind, run all day beside it."""

import threading
from typing import Annotated

import structlog
import typer

from models.errors import Unreachable
from pacc.process.logs import set_up_logs
from pacc.process.settings import load_settings
from pacc.process.signals import stop_on_signal
from pacc.process.terminal import AsJson, print_facts
from pacc.watch.metrics import Metrics
from pacc.wiring.kafka import make_scout

_log = structlog.get_logger(__name__)
_PAUSE_SECONDS = 5.0
_IDLE_SECONDS = 0.25


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("scout")(scout)


def scout(
    until_end: Annotated[bool, typer.Option(help="Stop at the end seen at the start.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring stop faults forward while the pipeline is behind."""
    settings = load_settings()
    set_up_logs(settings.log_format, settings.log_level)
    is_stopped, pause = stop_on_signal(), threading.Event()
    metrics = Metrics()
    metrics.serve(settings.metrics_host, settings.metrics_port)
    totals = {"passed": 0, "brought": 0}
    while not is_stopped():
        try:
            with make_scout(settings, metrics.scout) as reader:
                while not is_stopped():
                    reader.tick()
                    if until_end and reader.has_swept:
                        break
                    if reader.is_idle:
                        pause.wait(_IDLE_SECONDS)
                totals["passed"] += reader.passed
                totals["brought"] += reader.brought
        except Unreachable as outage:
            if until_end:
                raise
            _log.warning("will begin anew", outage=str(outage))
            pause.wait(_PAUSE_SECONDS)
            continue
        break
    print_facts(totals, as_json=as_json)
