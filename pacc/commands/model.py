"""`pacc model`: versions listed, promoted, rolled back, challenged, compared, moved as files."""

import json
from collections.abc import Callable, Sequence
from getpass import getuser
from pathlib import Path
from typing import Annotated, Any

import typer

from models.errors import NotThere
from pacc.commands.model_training import Name, drift, evaluate, figures_of, make_key, train
from pacc.learn.challenger import compared
from pacc.learn.champion import load
from pacc.process.clock import utc_now
from pacc.process.database import open_engine
from pacc.process.settings import load_settings
from pacc.process.terminal import AsJson, print_facts, print_json, print_rows
from pacc.wiring import pipeline
from prioritizer.model import registry
from prioritizer.training.model_card import card

model = typer.Typer(help="The trained model that ranks inside the rules' floor.")
Why = Annotated[str | None, typer.Option(help="Overrule what speaks against it, with a reason.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    commands: tuple[tuple[str, Callable[..., None]], ...] = (
        ("key", make_key),
        ("train", train),
        ("evaluate", evaluate),
        ("list", list_versions),
        ("show", show),
        ("promote", promote),
        ("rollback", rollback),
        ("challenge", challenge),
        ("compare", compare),
        ("drift", drift),
        ("export", export),
        ("import", import_),
    )
    for name, command in commands:
        model.command(name)(command)
    app.add_typer(model, name="model")


def list_versions(as_json: AsJson = False) -> None:
    """List the versions, the newest first."""
    with open_engine(load_settings().database_url).begin() as connection:
        rows = [
            {
                "version": version["version"],
                "aliases": version["aliases"],
                "made_at": version["made_at"],
                **(figures_of(version["evaluation"]) if version["evaluation"] else {}),
            }
            for version in registry.versions(connection)
        ]
    columns = ("version", "aliases", "made_at", "average_precision", "ece")
    print_rows(rows, columns, as_json=as_json)


def show(name: Name = registry.CHAMPION, as_json: AsJson = False) -> None:
    """Show a version's card, or with --json its manifest, evaluation and history."""
    with open_engine(load_settings().database_url).begin() as connection:
        version = registry.version_named(connection, name)
        row = next(row for row in registry.versions(connection) if row["version"] == version)
        history = registry.history(connection)
    manifest = json.loads(row["manifest"])
    if as_json:
        print_json({**row, "manifest": manifest, "history": history})
    else:
        typer.echo(card(manifest))


def promote(name: Name, force: Why = None, as_json: AsJson = False) -> None:
    """Let a version rank from the next batch on; refused where a guard speaks against it."""
    from pacc.learn import train_and_promote  # noqa: PLC0415 - scikit-learn takes seconds to import

    settings = load_settings()
    with open_engine(settings.database_url).begin() as connection:
        version = registry.version_named(connection, name)
        load(connection, version, pipeline.trusted_keys(settings))
        overruled = train_and_promote.promote(connection, version, utc_now(), getuser(), force)
    print_facts({"champion": version, "overruled": overruled}, as_json=as_json)


def rollback(reason: Annotated[str, typer.Option(help="Why.")], as_json: AsJson = False) -> None:
    """Let the champion before this one rank again; without one, rules alone."""
    with open_engine(load_settings().database_url).begin() as connection:
        previous = _previous_champion(registry.history(connection))
        why = {"rolled_back": True, "reason": reason}
        registry.point(connection, registry.CHAMPION, previous, utc_now(), getuser(), why)
    print_facts({"champion": previous}, as_json=as_json)


def _previous_champion(history: Sequence[dict[str, Any]]) -> str | None:
    """Return the champion before the last promotion that was not rolled back; None: rules alone.

    Raises `NotThere` when every promotion was rolled back.
    """
    stack: list[str | None] = [None]
    for change in reversed(history):
        if change.get("rolled_back"):
            stack.pop()
        else:
            stack.append(change["version"])
    if len(stack) == 1:
        raise NotThere("There is no champion to take back.")
    return stack[-2]


def challenge(name: Name, as_json: AsJson = False) -> None:
    """Let a version score silently beside the champion; it changes nothing."""
    settings = load_settings()
    with open_engine(settings.database_url).begin() as connection:
        version = registry.version_named(connection, name)
        load(connection, version, pipeline.trusted_keys(settings))
        registry.point(connection, registry.CHALLENGER, version, utc_now(), getuser(), {})
    print_facts({"challenger": version}, as_json=as_json)


def compare(as_json: AsJson = False) -> None:
    """Show how the challenger would have ranked the cases that both have scored."""
    settings = load_settings()
    with open_engine(settings.database_url).begin() as connection:
        aliases, costs = registry.aliases(connection), pipeline.make_costs(settings)
        if not {registry.CHAMPION, registry.CHALLENGER} <= aliases.keys():
            raise NotThere("There is no champion with a challenger: `pacc model challenge`.")
        pair = [aliases[registry.CHAMPION], aliases[registry.CHALLENGER]]
        limits = [
            costs.bands_of(load(connection, version, pipeline.trusted_keys(settings)))
            for version in pair
        ]
        scored = registry.scored_by_both(connection, *pair)
    facts = {"champion": pair[0], "challenger": pair[1], **compared(scored, *limits)}
    print_facts(facts, as_json=as_json)


def export(name: Name, folder: Path, as_json: AsJson = False) -> None:
    """Write a version as three files: model, manifest, signature."""
    with open_engine(load_settings().database_url).begin() as connection:
        version = registry.version_named(connection, name)
        parts = registry.artifact(connection, version)
        report = registry.report_of(connection, version)
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in zip(pipeline.MODEL_FILES, parts or (), strict=True):
        (folder / file).write_bytes(content)
    if report is not None:
        (folder / "report.html").write_text(report, "utf-8")
    print_facts({"version": version, "folder": str(folder)}, as_json=as_json)


def import_(folder: Path, as_json: AsJson = False) -> None:
    """Register a version from its three files. Its signature must be trusted here."""
    settings = load_settings()
    with open_engine(settings.database_url).begin() as connection:
        version = pipeline.register_model(settings, connection, folder)
    print_facts({"version": version}, as_json=as_json)
