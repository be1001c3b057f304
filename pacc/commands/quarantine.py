"""What could not be used: list, show, let go."""

from collections.abc import Mapping
from typing import Annotated, Any

import sqlalchemy as sa
import typer

from ingest import quarantine as store
from models.words import Reject
from pacc import database, wiring
from pacc.redrive import redrive_all
from pacc.settings import Settings, load_settings
from pacc.terminal import AsJson, give, give_rows, progress, say

quarantine = typer.Typer(help="Records that could not be used.", no_args_is_help=True)
_ALL = 2**31 - 1
Ids = Annotated[list[str] | None, typer.Argument(help="Ids; none with --all.")]
All = Annotated[bool, typer.Option("--all", help="All that the filter finds.")]
Reason = Annotated[Reject | None, typer.Option(help="Only those with this reason.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    quarantine.command("list")(list_held)
    quarantine.command("show")(show)
    quarantine.command("redrive")(redrive)
    quarantine.command("drop")(drop)
    app.add_typer(quarantine, name="quarantine")


def list_held(
    reason: Reason = None,
    topic: str | None = None,
    after: str | None = None,
    limit: Annotated[
        int, typer.Option(min=1, show_default=False, help="At most so many; else all.")
    ] = _ALL,
    as_json: AsJson = False,
) -> None:
    """List what is held, with its reason and coordinates."""
    with _engine().begin() as connection:
        rows = store.listing(connection, reason=reason, topic=topic, after=after, limit=limit)
    columns = ("quarantine_id", "topic", "partition", "offset", "reason", "detail")
    give_rows(rows, columns, as_json=as_json)


def show(quarantine_id: str, as_json: AsJson = False) -> None:
    """Show one record with its untouched bytes."""
    with _engine().begin() as connection:
        give(store.show(connection, quarantine_id), as_json=as_json)


def drop(
    ids: Ids = None, every: All = False, reason: Reason = None, as_json: AsJson = False
) -> None:
    """Let records go: they stay in the database, marked as dropped, and are listed no more."""
    engine = _engine()
    chosen = _chosen(engine, ids, reason, every=every)
    with engine.begin() as connection:
        give({"dropped": store.mark(connection, chosen, store.DROPPED)}, as_json=as_json)


def redrive(
    ids: Ids = None,
    every: All = False,
    reason: Reason = None,
    format_: Annotated[
        str | None, typer.Option("--format", help="Read them as this format, not their topic's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send records through the pipeline again; what is still unusable stays. Exit code 3 then."""
    settings = load_settings()
    engine = _engine()
    chosen = _chosen(engine, ids, reason, every=every)
    worker, limits = wiring.make_worker(settings, None, format_=format_)
    with progress("redrive", len(chosen)) as bar:
        done = redrive_all(engine, worker, chosen, limits.batch, _formats(settings, format_))
        bar.advance(bar.task_ids[0], len(chosen))
    give({"redriven": done, "still_held": len(chosen) - done}, as_json=as_json)
    if done < len(chosen):
        raise typer.Exit(3)


def _engine() -> sa.Engine:
    engine = database.make_engine(load_settings().database_url)
    database.require_schema(engine)
    return engine


def _chosen(
    engine: sa.Engine, ids: list[str] | None, reason: Reject | None, *, every: bool
) -> list[str]:
    if bool(ids) == every:
        message = "name the ids, or say --all (with --reason to narrow it)"
        raise typer.BadParameter(message)
    if ids:
        return ids
    with engine.begin() as connection:
        rows: list[dict[str, Any]] = store.listing(
            connection, reason=reason, topic=None, after=None, limit=_ALL
        )
    if not rows:
        say("Nothing is held.")
    return [row["quarantine_id"] for row in rows]


def _formats(settings: Settings, format_: str | None) -> Mapping[str, str]:
    return settings.topics if format_ is None else wiring.Always(format_)
