"""A command starts fast: it imports what it needs, and not what its neighbours need."""

import json
import subprocess
import sys
from importlib import import_module
from pkgutil import iter_modules

import pytest
import typer
from typer.main import get_group

import pacc.commands
from pacc.commands.registry import COMMANDS, load_command

WEB = {"fastapi", "authlib", "uvicorn", "httpx"}
KAFKA = {"kafka"}
LEARNING = {"sklearn", "skops", "scipy", "joblib"}
HEAVY = WEB | KAFKA | LEARNING | {"numpy", "alembic", "cryptography", "matplotlib"}


def imported(code: str) -> set[str]:
    """Run code in a fresh interpreter; name the packages that are imported then."""
    last = "import json, sys; print(json.dumps(sorted({n.partition('.')[0] for n in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{last}"], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_help_imports_nothing_that_is_heavy() -> None:
    code = (
        "from typer.testing import CliRunner; from pacc.cli import app\n"
        "assert 'migrate' in CliRunner().invoke(app, ['--help']).stdout"
    )
    assert imported(code) & (HEAVY | {"sqlalchemy", "pydantic"}) == set()


@pytest.mark.parametrize(
    ("names", "foreign"),
    [
        (("person", "key", "desk", "vehicle", "ledger", "case", "task"), HEAVY),
        (("migrate",), HEAVY - {"alembic"}),
        (("replay", "simulate", "quarantine", "model"), WEB | KAFKA | LEARNING),
        (("run", "record", "tend", "doctor"), WEB | LEARNING),
        (("serve",), KAFKA | LEARNING),
    ],
)
def test_a_command_imports_only_what_it_needs(names: tuple[str, ...], foreign: set[str]) -> None:
    code = (
        f"from pacc.commands.registry import load_command\nfor name in {names}: load_command(name)"
    )
    assert imported(code) & foreign == set()


def test_a_case_is_ranked_by_the_shipped_model_without_what_it_was_trained_with() -> None:
    code = """
import sqlalchemy as sa
from models import tables as t
from models.migrations import upgrade
from pacc.commands.registry import load_command
from pacc.pipeline.limits import Limits
from pacc.pipeline.worker import Worker
from pacc.process.database import make_engine
from pacc.process.settings import Settings
from pacc.wiring import pipeline
from prioritizer.model import registry
from tests.worlds import CAR, START, Stream, policy

load_command("run")
engine = make_engine("sqlite://")
upgrade(engine)
with engine.begin() as connection:
    version = pipeline.register_model(Settings(), connection, pipeline.shipped_model_folder())
    registry.point(connection, registry.CHAMPION, version, START, "test", {})
refresh = pipeline.make_champions(Settings()).current
worker = Worker(engine, policy(), {}, "test", Limits(), refresh)
records = Stream().says(CAR, "dtc:B1342").records
worker.take(records[0].partition, 0)
worker.process(records)
with engine.begin() as connection:
    (ranked_by,) = connection.execute(sa.select(t.case.c.ranked_by)).scalars()
assert ranked_by == version, ranked_by
"""
    assert imported(code) & LEARNING == set()


def test_the_registry_says_what_the_modules_say() -> None:
    shared = {"registry", "model_training"}
    modules = {one.name for one in iter_modules(pacc.commands.__path__)} - shared
    assert {entry.module for entry in COMMANDS.values()} == modules
    for module in modules:
        part = typer.Typer()
        import_module(f"pacc.commands.{module}").add_to(part)
        names = {name for name, entry in COMMANDS.items() if entry.module == module}
        assert set(get_group(part).commands) == names, module
    assert {name: load_command(name).help for name in COMMANDS} == {
        name: entry.help for name, entry in COMMANDS.items()
    }
