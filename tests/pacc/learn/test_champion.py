"""Who ranks: a model that is doubted never does."""

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from ingest.tape import write_tape
from models import tables as t
from models.migrations import upgrade
from pacc.cli import app
from pacc.commands.model import _previous_champion
from pacc.commands.simulate import write_truth
from pacc.learn.champion import Champions, Costs
from pacc.pipeline.limits import Limits
from pacc.pipeline.worker import Worker
from pacc.process.database import make_engine
from pacc.process.settings import Settings
from pacc.simulation.stream import Simulation
from pacc.wiring import pipeline
from prioritizer.model import registry
from tests.worlds import CAR, OTHER, START, Room, Stream, policy

SHIPPED = pipeline.shipped_model_folder()


def shipped_in(engine: sa.Engine) -> str:
    """Register the shipped model and let it rank."""
    with engine.begin() as connection:
        version = pipeline.register_model(Settings(), connection, SHIPPED)
        registry.point(connection, registry.CHAMPION, version, START, "test", {})
    return version


def ranked_in(engine: sa.Engine, refresh: Any) -> dict[str, Any]:
    """Play one alert and give its case."""
    records = Stream().says(CAR, "dtc:B1342").records
    room = Room(engine)
    worker = Worker(engine, policy(), {}, "test", Limits(), refresh)
    worker.take(records[0].partition, 0)
    worker.process(records)
    (case,) = room.rows(t.case)
    return case


def champions() -> Champions:
    """Who ranks by the default settings."""
    return Champions(pipeline.trusted_keys(Settings()), Costs())


def test_the_shipped_model_ranks_and_says_so(engine: sa.Engine) -> None:
    version = shipped_in(engine)
    case = ranked_in(engine, champions().current)
    assert (case["ranked_by"], case["fallback"]) == (version, None)
    assert 0 <= case["probability"] <= 1
    assert case["score"] == round(case["probability"], 2)


def test_the_shipped_model_is_small_and_made_from_the_simulator() -> None:
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) < 1_000_000
    manifest = json.loads((SHIPPED / "manifest.json").read_text("utf-8"))
    figures = manifest["metrics"]["figures"]
    assert (
        figures["model"]["average_precision"]["low"] > figures["rules"]["average_precision"]["high"]
    )


def alter(column: str, value: Any) -> Any:
    """Change a column of every registered model."""
    return lambda connection: connection.execute(sa.update(t.model_version).values({column: value}))


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (lambda _connection: None, None),
        (alter("signature", b"\0" * 64), "altered"),
        (alter("model", b"PK"), "altered"),
        (alter("manifest", b"{}"), "unsigned"),
        (lambda connection: connection.execute(sa.delete(t.model_version)), "missing"),
        (lambda connection: connection.execute(sa.delete(t.model_alias)), "no_champion"),
    ],
)
def test_a_model_that_is_doubted_leaves_ranking_to_the_rules_and_the_case_says_why(
    engine: sa.Engine, harm: Any, why: str | None
) -> None:
    shipped_in(engine)
    with engine.begin() as connection:
        harm(connection)
    case = ranked_in(engine, champions().current)
    assert case["fallback"] == why
    assert (case["ranked_by"] == "rules") == (why is not None)
    assert case["priority"] == "normal"


def test_a_key_that_nobody_trusts_ranks_nothing(engine: sa.Engine) -> None:
    shipped_in(engine)
    case = ranked_in(engine, Champions([b"\1" * 32], Costs()).current)
    assert (case["ranked_by"], case["fallback"]) == ("rules", "unsigned")


def test_each_rollback_undoes_one_promotion() -> None:
    first, second, back = {"version": "one"}, {"version": "two"}, {"rolled_back": True}
    assert _previous_champion([first]) is None
    assert _previous_champion([second, first]) == "one"
    assert _previous_champion([back, second, first]) is None
    assert _previous_champion([second, back, second, first]) == "one"


def test_training_refuses_in_words_and_registers_nothing(tmp_path: Path) -> None:
    env = {
        "PACC_DATABASE_URL": f"sqlite:///{tmp_path / 'pacc.db'}",
        "PACC_MODEL_SIGNING_KEY": str(tmp_path / "key.pem"),
    }
    invoke = CliRunner(env=env).invoke
    assert invoke(app, ["migrate"]).exit_code == 0
    key = json.loads(invoke(app, ["model", "key", str(tmp_path / "key.pem"), "--json"]).stdout)
    assert len(key["public_key"]) == 44
    assert (tmp_path / "key.pem").stat().st_mode & 0o077 == 0
    again = invoke(app, ["model", "key", str(tmp_path / "key.pem")])
    assert "never written over" in str(again.exception)
    empty = invoke(app, ["model", "train"])
    assert "holds no cases to learn from" in str(empty.exception)
    assert json.loads(invoke(app, ["model", "list", "--json"]).stdout) == []
    nothing = invoke(app, ["model", "rollback", "--reason", "x"])
    assert "no champion" in str(nothing.exception)


def test_a_champion_that_is_refused_hinders_nobody_from_judging_another(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'pacc.db'}"
    invoke = CliRunner(env={"PACC_DATABASE_URL": url}).invoke
    assert invoke(app, ["migrate"]).exit_code == 0
    version = shipped_in(engine := make_engine(url))
    with engine.begin() as connection:
        row = dict(connection.execute(sa.select(t.model_version)).mappings().one())
        connection.execute(
            sa.insert(t.model_version).values({**row, "version": "0b0b", "signature": b"\0" * 64})
        )
        registry.point(connection, registry.CHAMPION, "0b0b", START, "test", {})
    simulation = Simulation("pacc.alerts", 150, 72, 3)
    write_tape(simulation.records(), tmp_path / "tape.jsonl")
    write_truth(simulation, tmp_path / "truth.jsonl")
    files = ["--tape", str(tmp_path / "tape.jsonl"), "--truth", str(tmp_path / "truth.jsonl")]
    done = invoke(app, ["model", "evaluate", version, *files, "--json"])
    assert done.exception is None
    assert "not compared with the champion" in done.stderr
    assert json.loads(done.stdout)["compared_with"] is None


def test_two_cars_of_one_stream_are_ranked_by_one_model_only(engine: sa.Engine) -> None:
    version = shipped_in(engine)
    records = Stream().says(CAR, "dtc:B1342").says(OTHER, "dtc:P0C01", severity="stop").records
    room = Room(engine)
    worker = Worker(engine, policy(), {}, "test", Limits(), champions().current)
    worker.take(records[0].partition, 0)
    worker.process(records)
    assert {case["ranked_by"] for case in room.rows(t.case)} == {version}
    assert room.rows(t.case, vin=OTHER)[0]["priority"] == "urgent"


def test_a_stream_gives_the_same_cases_however_it_is_cut_also_with_a_model(tmp_path: Path) -> None:
    records = Simulation("pacc.alerts", 120, 48, 3).records()
    digests = set()
    for size in (len(records), 173, 29):
        url = f"sqlite:///{tmp_path / f'{size}.db'}"
        engine = make_engine(url)
        upgrade(engine)
        shipped_in(engine)
        room = Room(engine)
        room.worker = Worker(engine, policy(), {}, "test", Limits(), champions().current)
        room.plays(records, range(size, len(records), size))
        digests.add(json.dumps(room.digest, sort_keys=True))
        engine.dispose()
    assert len(digests) == 1
    assert json.loads(digests.pop())["cases"] > 10
