"""`pacc replay`: tapes through the pipeline."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from models.decision import Decision
from pacc.pipeline.loop import Tally, run
from pacc.process.settings import Settings, load_settings
from pacc.process.signals import stop_on_signal
from pacc.process.terminal import AsJson, print_facts, progress
from pacc.wiring import pipeline

Batch = Annotated[int | None, typer.Option(min=1, max=100_000, help="Records at once.")]


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("replay")(replay)


def replay(
    tapes: Annotated[list[Path], typer.Argument(help="Tapes to play, in this order.")],
    format_: Annotated[str | None, typer.Option("--format", help="Format of all records.")] = None,
    batch: Batch = None,
    as_json: AsJson = False,
) -> None:
    """Play tapes through the same pipeline; twice changes nothing but the ledger."""
    settings = load_settings()
    print_tally(play(settings, tapes, format_=format_, batch=batch), as_json=as_json)


def play(
    settings: Settings, tapes: Iterable[Path], *, format_: str | None = None, batch: int | None
) -> Tally:
    """Play tapes into the settings' database, with a progress bar."""
    worker, limits = pipeline.make_worker(settings, batch, format_=format_)
    with progress("replay") as bar:

        def advance(decision: Decision, *_: object) -> None:
            bar.advance(bar.task_ids[0], len(decision.ended))

        return run(
            worker,
            lambda: pipeline.make_tape_source(list(tapes), worker.take),
            limits,
            until_end=True,
            is_stopped=stop_on_signal(),
            observe=advance,
        )


def print_tally(tally: Tally, *, as_json: bool) -> None:
    """Print the outcomes of a run."""
    facts: dict[str, Any] = {
        "records": tally.records,
        "outcomes": dict(sorted(tally.outcomes.items())),
        "seconds": round(tally.seconds, 3),
    }
    print_facts(facts, as_json=as_json)
