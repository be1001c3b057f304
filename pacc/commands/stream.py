"""The streams: the pipeline itself, replays and recordings."""

import signal
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ingest.kafka import record_range
from ingest.tape import write_tape
from models.batch import Partition
from models.case import Decision
from pacc import wiring
from pacc.logs import set_up_logs
from pacc.metrics import Metrics
from pacc.pipeline import Tally, run
from pacc.settings import Settings, load_settings
from pacc.terminal import AsJson, counted, give, progress, say

Batch = Annotated[int | None, typer.Option(min=1, max=100_000, help="Records at once.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("run")(run_pipeline)
    app.command("replay")(replay)
    app.command("record")(record)


def run_pipeline(
    until_end: Annotated[bool, typer.Option(help="Stop at the end seen at the start.")] = False,
    batch: Batch = None,
    accept_gaps: Annotated[
        bool, typer.Option(help="Go on where the topic lost records, and record the gap.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Turn the alerts of the Kafka topics into cases and tasks."""
    settings = load_settings()
    set_up_logs(settings.log_format, settings.log_level)
    stop = stop_on_signal()
    worker, limits = wiring.make_worker(settings, batch)
    metrics = Metrics()
    metrics.serve(settings.metrics_host, settings.metrics_port)

    def watch(
        decision: Decision, seconds: float, lag: Mapping[Partition, int], share: float
    ) -> None:
        metrics.watch(decision, seconds, lag, share)
        metrics.ranking(worker.policy.ranker)

    tally = run(
        worker,
        lambda: wiring.make_kafka_source(settings, worker.take, accept_gaps=accept_gaps),
        limits,
        until_end=until_end,
        is_stopped=stop,
        watch=watch,
    )
    give_tally(tally, as_json=as_json)


def replay(
    tapes: Annotated[list[Path], typer.Argument(help="Tapes to play, in this order.")],
    format_: Annotated[str | None, typer.Option("--format", help="Format of all records.")] = None,
    batch: Batch = None,
    as_json: AsJson = False,
) -> None:
    """Play tapes through the same pipeline; twice changes nothing but the ledger."""
    settings = load_settings()
    give_tally(play(settings, tapes, format_=format_, batch=batch), as_json=as_json)


def play(
    settings: Settings, tapes: Iterable[Path], *, format_: str | None = None, batch: int | None
) -> Tally:
    """Play tapes into the settings' database, with a bar where a person looks at it."""
    worker, limits = wiring.make_worker(settings, batch, format_=format_)
    with progress("replay") as bar:

        def watch(decision: Decision, *_: object) -> None:
            bar.advance(bar.task_ids[0], len(decision.ended))

        return run(
            worker,
            lambda: wiring.make_tape_source(list(tapes), worker.take),
            limits,
            until_end=True,
            is_stopped=stop_on_signal(),
            watch=watch,
        )


def record(
    tape: Annotated[Path, typer.Argument(help="The tape to write: .jsonl, .jsonl.gz, .jsonl.zst.")],
    topic: Annotated[str, typer.Option(help="The topic to record.")],
    from_: Annotated[
        str, typer.Option("--from", help="`beginning`, an offset, or an RFC 3339 time.")
    ] = "beginning",
    to: Annotated[str, typer.Option(help="`end`, an offset, or an RFC 3339 time.")] = "end",
    as_json: AsJson = False,
) -> None:
    """Record a topic onto a tape."""
    settings = load_settings()
    with progress("record") as bar:
        records = record_range(settings.kafka_bootstrap_servers, topic, from_, to)
        give({"records": write_tape(counted(bar, records), tape)}, as_json=as_json)


def give_tally(tally: Tally, *, as_json: bool) -> None:
    """Print what a run did."""
    facts: dict[str, Any] = {
        "records": tally.records,
        "outcomes": dict(sorted(tally.outcomes.items())),
        "seconds": round(tally.seconds, 3),
    }
    give(facts, as_json=as_json)


def stop_on_signal() -> Callable[[], bool]:
    """Finish the batch in hand on SIGTERM and SIGINT; give the question whether to stop."""
    stopped = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        if not stopped.is_set():
            say("pacc: finishing the batch in hand")
        stopped.set()

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
    return stopped.is_set
