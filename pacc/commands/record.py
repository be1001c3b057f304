"""`pacc record`: a topic of Kafka, written onto a tape."""

from pathlib import Path
from typing import Annotated

import typer

from ingest.kafka.recording import record_range
from ingest.tape import write_tape
from pacc.process.settings import load_settings
from pacc.process.terminal import AsJson, print_facts, progress, track


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("record")(record)


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
        print_facts({"records": write_tape(track(bar, records), tape)}, as_json=as_json)
