"""`pacc run`: the pipeline, on the topics of Kafka."""

from collections.abc import Mapping
from typing import Annotated

import typer

from models.batch import Partition
from models.decision import Decision
from pacc.commands.replay import Batch, print_tally
from pacc.pipeline.loop import run
from pacc.process.logs import set_up_logs
from pacc.process.settings import load_settings
from pacc.process.signals import stop_on_signal
from pacc.process.terminal import AsJson
from pacc.watch.metrics import Metrics
from pacc.wiring import pipeline
from pacc.wiring.kafka import make_kafka_source, make_watchdog


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("run")(run_pipeline)


def run_pipeline(
    until_end: Annotated[bool, typer.Option(help="Stop at the end seen at the start.")] = False,
    batch: Batch = None,
    accept_gaps: Annotated[
        bool, typer.Option(help="Go on with what is there where records were lost.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Turn the alerts of the Kafka topics into cases and tasks."""
    settings = load_settings()
    set_up_logs(settings.log_format, settings.log_level)
    is_stopped = stop_on_signal()
    worker, limits = pipeline.make_worker(settings, batch)
    metrics = Metrics()
    metrics.serve(settings.metrics_host, settings.metrics_port)

    def observe(
        decision: Decision, seconds: float, lag: Mapping[Partition, int], share: float
    ) -> None:
        metrics.observe_batch(decision, seconds, lag, share)
        metrics.model.observe(worker.policy.ranker)

    with make_watchdog(settings, metrics.observe_watchdog) as watchdog:
        tally = run(
            worker,
            lambda: make_kafka_source(settings, worker.take, accept_gaps=accept_gaps),
            limits,
            until_end=until_end,
            is_stopped=is_stopped,
            observe=observe,
            watchdog=watchdog,
        )
    print_tally(tally, as_json=as_json)
