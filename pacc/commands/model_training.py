"""`pacc model key|train|evaluate|drift`, on the data of tapes or of the database."""

import subprocess
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import sqlalchemy as sa
import typer

from dispatch.data.master_data import read_rows
from models.case import VehicleInfo
from models.errors import ModelRefused, NotThere, Unusable
from pacc.learn.champion import load
from pacc.process.clock import utc_now
from pacc.process.database import open_engine
from pacc.process.settings import Settings, load_settings
from pacc.process.terminal import AsJson, print_facts, print_stderr, progress
from pacc.wiring import pipeline
from prioritizer.model import registry
from prioritizer.model.signing import load_key, new_key

if TYPE_CHECKING:
    from pacc.learn.training_table import TrainingTable
    from prioritizer.model.model import Model

Tapes = Annotated[list[Path] | None, typer.Option("--tape", help="Tapes; else the database.")]
Truth = Annotated[Path | None, typer.Option(help="What was true of the tapes (pacc simulate).")]
Fleet = Annotated[Path | None, typer.Option(help="Master data of the tapes' vehicles.")]
Since = Annotated[datetime | None, typer.Option(help="Only alerts of the database from then on.")]
Name = Annotated[str, typer.Argument(help="A version, its beginning, champion or challenger.")]
Seed = Annotated[int, typer.Option(help="The same data and seed give the same model.")]


def make_key(file: Annotated[Path, typer.Argument()], as_json: AsJson = False) -> None:
    """Make a key to sign models with: the private one into FILE, the public one is shown."""
    pem, public = new_key()
    if file.exists():
        raise Unusable(f"{file} is there already: a key is never written over.")
    file.touch(mode=0o600)
    file.write_bytes(pem)
    print_facts({"public_key": public, "file": str(file)}, as_json=as_json)


def train(
    tape: Tapes = None,
    truth: Truth = None,
    fleet: Fleet = None,
    since: Since = None,
    seed: Seed = 1,
    as_json: AsJson = False,
) -> None:
    """Train a model and register it; nothing ranks by it until it is promoted."""
    from pacc.learn import train_and_promote  # noqa: PLC0415 - scikit-learn takes seconds to import

    settings = load_settings()
    if settings.model_signing_key is None:
        raise Unusable(
            "Say with which key to sign: PACC_MODEL_SIGNING_KEY (`pacc model key FILE`)."
        )
    sign = load_key(Path(settings.model_signing_key).read_bytes())
    engine = open_engine(settings.database_url)
    table = _training_table(settings, engine, tape, truth, fleet, since)
    with progress("train") as bar:

        def report(what: str, done: int, total: int) -> None:
            bar.update(bar.task_ids[0], description=what, completed=done, total=total)

        champion = _champion_to_compare(settings, engine)
        trained = train_and_promote.teach(
            table,
            pipeline.make_costs(settings),
            seed=seed,
            sign=sign,
            made_at=utc_now(),
            revision=_revision(),
            report_progress=report,
            champion=champion,
        )
    with engine.begin() as connection:
        parts = (trained.artifact.model, trained.artifact.manifest, trained.artifact.signature)
        registry.register(
            connection, trained.version, utc_now(), parts, trained.evaluation, trained.report
        )
    print_facts(
        {
            "version": trained.version,
            "rows": len(table.table),
            "unknown": table.unknown,
            **figures_of(trained.evaluation),
        },
        as_json=as_json,
    )


def evaluate(
    name: Name = registry.CHAMPION,
    tape: Tapes = None,
    truth: Truth = None,
    fleet: Fleet = None,
    since: Since = None,
    seed: Seed = 1,
    report: Annotated[Path | None, typer.Option(help="Write the report here too.")] = None,
    as_json: AsJson = False,
) -> None:
    """Judge a version on data that it was not trained on, against rules and the champion."""
    from pacc.learn import train_and_promote  # noqa: PLC0415 - scikit-learn takes seconds to import

    settings = load_settings()
    engine = open_engine(settings.database_url)
    table = _training_table(settings, engine, tape, truth, fleet, since)
    with engine.begin() as connection:
        version = registry.version_named(connection, name)
        model = load(connection, version, pipeline.trusted_keys(settings))
    champion = _champion_to_compare(settings, engine)
    evaluation, page = train_and_promote.judge(
        table, model, pipeline.make_costs(settings), seed, champion
    )
    with engine.begin() as connection:
        registry.evaluated(connection, version, evaluation, page)
    if report is not None:
        report.write_text(page, "utf-8")
    facts = evaluation if as_json else {"version": version, **figures_of(evaluation)}
    print_facts(facts, as_json=as_json)


def drift(
    since: Since = None,
    as_json: AsJson = False,
) -> None:
    """Say how far the cases of now have moved from those that the champion was trained on."""
    from pacc.learn.drift import drifted  # noqa: PLC0415 - scikit-learn takes seconds to import

    settings = load_settings()
    engine = open_engine(settings.database_url)
    table = _training_table(settings, engine, None, None, None, since)
    with engine.begin() as connection:
        champion = _champion(settings, connection)
        if champion is None:
            raise NotThere("There is no champion whose drift could be measured.")
        measurement = drifted(table, champion)
        registry.note_drift(connection, utc_now(), measurement)
    if moved := measurement["moved"]:
        print_stderr(
            f"pacc: the cases have moved away from the model's ({', '.join(moved)}): "
            "look at `pacc model evaluate`, and train again."
        )
    print_facts(measurement, as_json=as_json)


def _champion(settings: Settings, connection: sa.Connection) -> "Model | None":
    version = registry.aliases(connection).get(registry.CHAMPION)
    return load(connection, version, pipeline.trusted_keys(settings)) if version else None


def _champion_to_compare(settings: Settings, engine: sa.Engine) -> "Model | None":
    """Load the champion to compare with; None, with a message, where it is refused."""
    try:
        with engine.begin() as connection:
            return _champion(settings, connection)
    except ModelRefused as refused:
        print_stderr(f"pacc: not compared with the champion, which cannot rank: {refused}")
        return None


def _training_table(
    settings: Settings,
    engine: sa.Engine,
    tapes: list[Path] | None,
    truth: Path | None,
    fleet: Path | None,
    since: datetime | None,
) -> "TrainingTable":
    from pacc.learn import training_table  # noqa: PLC0415 - slow to import with what it needs

    policy = pipeline.make_policy(settings, engine)
    if not tapes:
        start = since.astimezone() if since else None
        with engine.begin() as connection:
            return training_table.from_database(connection, policy, start)
    if truth is None:
        raise typer.BadParameter("a tape wants its --truth")
    return training_table.from_tape(tapes, truth, _infos(fleet), policy)


def _infos(fleet: Path | None) -> dict[str, VehicleInfo]:
    if fleet is None:
        return {}
    return {
        row.values["vin"]: VehicleInfo(
            model=row.values.get("model") or None,
            powertrain=row.values.get("powertrain") or None,
            market=row.values.get("market") or None,
            region=row.values.get("region") or None,
        )
        for row in read_rows(fleet)
    }


def figures_of(evaluation: Any) -> dict[str, Any]:
    """Return the model's figures of an evaluation, by name."""
    figures = evaluation["figures"]["model"]
    return {name: figure["value"] for name, figure in figures.items()}


def _revision() -> str:
    git = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False
    )
    return git.stdout.strip() or "unknown"
