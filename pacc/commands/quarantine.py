"""`pacc quarantine`: unusable records listed, shown, redriven, dropped; a redrive undone."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer

from ingest.formats.repair import parse_repair
from ingest.store import quarantine as store
from ingest.store.quarantine import Wanted
from models.errors import Unusable
from models.words import Reject
from pacc.feeds.redrive import make_plan, preview, redrive_all
from pacc.feeds.undo_redrive import undo
from pacc.process.clock import utc_now
from pacc.process.database import open_engine
from pacc.process.settings import Settings, load_settings
from pacc.process.terminal import (
    ALL_ROWS,
    AsJson,
    Limit,
    print_facts,
    print_rows,
    print_stderr,
    progress,
)
from pacc.wiring import pipeline

quarantine = typer.Typer(help="Records that could not be used.", no_args_is_help=True)
Ids = Annotated[list[str] | None, typer.Argument(help="Ids; none with --all.")]
All = Annotated[bool, typer.Option("--all", help="All that the filter finds.")]
Reason = Annotated[Reject | None, typer.Option(help="Only those with this reason.")]
Since = Annotated[str | None, typer.Option(help="Only records from this RFC 3339 time on.")]
Until = Annotated[str | None, typer.Option(help="Only records before this time.")]
ReadAs = Annotated[
    str | None, typer.Option("--format", help="Read them as this format, not their topic's.")
]
MappingFile = Annotated[
    Path | None, typer.Option(help="A mapping file: repairs copies before they are read.")
]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    quarantine.command("list")(list_records)
    quarantine.command("show")(show)
    quarantine.command("redrive")(redrive)
    quarantine.command("undo")(undo_redrive)
    quarantine.command("drop")(drop)
    app.add_typer(quarantine, name="quarantine")


def list_records(
    reason: Reason = None,
    topic: str | None = None,
    after: str | None = None,
    limit: Limit = ALL_ROWS,
    as_json: AsJson = False,
) -> None:
    """List what is held, with its reason and coordinates."""
    with open_engine(load_settings().database_url).begin() as connection:
        rows = store.listing(connection, reason=reason, topic=topic, after=after, limit=limit)
    columns = ("quarantine_id", "topic", "partition", "offset", "reason", "detail")
    print_rows(rows, columns, as_json=as_json)


def show(quarantine_id: str, as_json: AsJson = False) -> None:
    """Show one record with its untouched bytes."""
    with open_engine(load_settings().database_url).begin() as connection:
        print_facts(store.show(connection, quarantine_id), as_json=as_json)


def drop(
    ids: Ids = None, every: All = False, reason: Reason = None, as_json: AsJson = False
) -> None:
    """Let records go: they stay in the database, marked as dropped, and are listed no more."""
    engine = open_engine(load_settings().database_url)
    chosen, _ = _chosen(engine, ids, Wanted(reason=reason), every=every)
    with engine.begin() as connection:
        print_facts({"dropped": store.mark(connection, chosen, store.DROPPED)}, as_json=as_json)


def redrive(
    ids: Ids = None,
    every: All = False,
    reason: Reason = None,
    topic: Annotated[str | None, typer.Option(help="Only from this topic.")] = None,
    partition: Annotated[int | None, typer.Option(help="Only from this partition.")] = None,
    first: Annotated[int | None, typer.Option("--from-offset", help="Only from here on.")] = None,
    last: Annotated[int | None, typer.Option("--to-offset", help="Only up to here.")] = None,
    since: Since = None,
    until: Until = None,
    format_: ReadAs = None,
    repair: MappingFile = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send records through the pipeline again; what is still unusable stays. Exit code 3 then."""
    settings = load_settings()
    engine = open_engine(settings.database_url)
    when = (_time(since, "--since"), _time(until, "--until"))
    wanted = Wanted(reason, topic, partition, first, last, *when)
    chosen, already = _chosen(engine, ids, wanted, every=every)
    formats = _formats(settings, format_)
    steps = parse_repair(_read(repair)) if repair else ()
    worker, limits = pipeline.make_worker(settings, None, format_=format_)
    plan = make_plan(engine, chosen, formats, steps)
    facts = {"refused": dict(plan.refused), "already_redriven": already}
    if dry_run:
        outcomes = preview(engine, worker, plan, formats)
        print_facts(
            {"would_redrive": len(plan.ids), "outcomes": outcomes, **facts}, as_json=as_json
        )
        return
    with progress("redrive", len(chosen)) as bar:
        batch, done = redrive_all(engine, worker, plan, limits.batch, utc_now(), steps)
        bar.advance(bar.task_ids[0], len(chosen))
    remaining = len(chosen) - done
    facts = {"batch": batch, "redriven": done, "still_held": remaining, **facts}
    print_facts(facts, as_json=as_json)
    if remaining:
        raise typer.Exit(3)


def undo_redrive(batch: str, as_json: AsJson = False) -> None:
    """Take a redrive back as far as nobody builds on it. Exit code 3 if some of it is kept."""
    settings = load_settings()
    engine = open_engine(settings.database_url)
    undone = undo(engine, batch, utc_now(), pipeline.make_dispatch_policy(settings, engine))
    facts = {
        "batch": batch,
        "reopened": len(undone.reopened),
        "alerts_withdrawn": undone.alerts,
        "cases_withdrawn": undone.cases,
        "kept": [{"quarantine_id": key, "why": why} for key, why in sorted(undone.kept.items())],
    }
    print_facts(facts, as_json=as_json)
    if undone.kept:
        raise typer.Exit(3)


def _chosen(
    engine: sa.Engine, ids: list[str] | None, wanted: Wanted, *, every: bool
) -> tuple[list[str], int]:
    if bool(ids) == every:
        message = "name the ids, or say --all (a filter such as --reason narrows it)"
        raise typer.BadParameter(message)
    with engine.begin() as connection:
        chosen, already = store.chosen(connection, wanted, ids)
    if not chosen:
        print_stderr("Nothing is held.")
    return chosen, already


def _time(text: str | None, name: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text) if text else None
    except ValueError:
        at = None
    if text and (at is None or at.tzinfo is None):
        message = f"{name} takes an RFC 3339 time with an offset, such as 2026-01-15T00:00:00Z"
        raise typer.BadParameter(message)
    return at


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(
            "The mapping %(path)s cannot be read: %(error)s", {"path": path, "error": error}
        ) from None


def _formats(settings: Settings, format_: str | None) -> Mapping[str, str]:
    return settings.topics if format_ is None else pipeline.SameFormat(format_)
