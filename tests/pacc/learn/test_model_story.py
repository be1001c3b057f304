"""The life of a model: trained, promoted, at work, taught by what people found, taken back."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from dispatch.access.acting import Acting
from dispatch.data.desks import load_directory
from dispatch.data.master_data import import_desks, read_rows
from dispatch.rules.policy import DispatchPolicy
from dispatch.tasks import actions
from ingest.tape import write_tape
from models import tables as t
from models.person import SHELL
from models.words import Disposition, Priority, Step
from pacc.cli import app
from pacc.commands.simulate import write_fleet, write_truth
from pacc.learn.training_table import read_truth
from pacc.process.database import make_engine
from pacc.process.settings import Settings
from pacc.simulation.stream import Simulation
from pacc.wiring import pipeline
from tests.worlds import SAMPLE_DESKS

VEHICLES, DAYS = 1000, 14
_SHIFT = timedelta(hours=8)


class ModelCommands:
    """A database, a signing key, and the command line on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder / 'pacc.db'}"
        self._env = {
            "PACC_DATABASE_URL": self.url,
            "PACC_MODEL_SIGNING_KEY": str(folder / "key.pem"),
        }
        self.run("migrate")
        self._env["PACC_MODEL_TRUSTED_KEYS"] = self.run("model", "key", str(folder / "key.pem"))[
            "public_key"
        ]
        self.settings = Settings(
            database_url=self.url, model_trusted_keys=(self._env["PACC_MODEL_TRUSTED_KEYS"],)
        )
        self.engine = make_engine(self.url)

    def run(self, *words: str) -> Any:
        """Run a command; return its JSON."""
        done = CliRunner(env=self._env).invoke(app, [*words, "--json"])
        if done.exception is not None:
            raise done.exception
        return json.loads(done.stdout)

    def tape(self, seed: int, days: int = DAYS) -> Simulation:
        """Simulate a fleet; leave its tape, truth and master data in the folder."""
        simulation = Simulation("pacc.alerts", VEHICLES, days * 24, seed)
        write_tape(simulation.records(), self.folder / "tape.jsonl.gz")
        write_fleet(simulation, self.folder / "fleet.csv")
        write_truth(simulation, self.folder / "truth.jsonl")
        return simulation

    @property
    def taped(self) -> list[str]:
        """The options that name what `tape` left."""
        folder = self.folder
        return [
            "--tape",
            str(folder / "tape.jsonl.gz"),
            "--truth",
            str(folder / "truth.jsonl"),
            "--fleet",
            str(folder / "fleet.csv"),
        ]

    def ranked_by(self) -> dict[str, int]:
        """Count cases by what ranked them."""
        c = t.case.c
        with self.engine.begin() as connection:
            query = sa.select(c.ranked_by, sa.func.count()).group_by(c.ranked_by)
            return {row[0]: row[1] for row in connection.execute(query)}

    def urgent(self) -> int:
        """Count the urgent cases."""
        query = sa.select(sa.func.count()).where(t.case.c.priority == Priority.URGENT.value)
        with self.engine.begin() as connection:
            return int(connection.execute(query).scalar_one())


def lives_through(commands: ModelCommands, simulation: Simulation) -> int:
    """Play the stream shift by shift; people end every roadside task by what was true."""
    with commands.engine.begin() as connection:
        import_desks(connection, read_rows(SAMPLE_DESKS))
        house = DispatchPolicy(load_directory(connection))
    stood = read_truth(commands.folder / "truth.jsonl")
    worker, _ = pipeline.make_worker(commands.settings, None)
    records = simulation.records()
    for partition in sorted({one.partition for one in records}):
        worker.take(partition, 0)
    ended, start, now = 0, 0, simulation.start
    while start < len(records):
        now += _SHIFT
        stop = start
        while stop < len(records) and records[stop].timestamp < now.timestamp() * 1000:
            stop += 1
        if records[start:stop]:
            worker.process(records[start:stop])
        ended += _shift_of_work(commands.engine, house, stood, now)
        start = stop
    return ended


def _shift_of_work(
    engine: sa.Engine, house: DispatchPolicy, stood: dict[str, Any], now: datetime
) -> int:
    k = t.task.c
    query = sa.select(k.task_id, k.vin, k.opened_at).where(
        k.queue == "roadside", k.state == "queued", k.opened_at < now - _SHIFT
    )
    with engine.begin() as connection:
        waiting = connection.execute(query.order_by(k.opened_at, k.task_id)).all()
        for task_id, vin, opened_at in waiting:
            did_stand = any(
                opened_at - timedelta(days=1) < breakdown.at < now
                for breakdown in stood.get(vin, [])
            )
            acting = Acting(connection, SHELL, now, house)
            actions.claim(acting, task_id)
            steps = [Step.CONTACT, Step.SET_OUT, Step.ARRIVE] if did_stand else [Step.CONTACT]
            for step in steps:
                actions.step(acting, task_id, step, None)
            end = Disposition.FIXED_ON_SITE if did_stand else Disposition.NO_FAULT_FOUND
            actions.complete(acting, task_id, end, None)
    return len(waiting)


@pytest.mark.timeout(900)
def test_a_model_is_trained_promoted_taught_by_people_and_taken_back(tmp_path: Path) -> None:
    commands = ModelCommands(tmp_path)
    # one in six of its judged cases stands; of seed 5 too few to tell learning from luck
    simulation = commands.tape(seed=6)
    first = commands.run("model", "train", *commands.taped)
    assert first["average_precision"] > 0.3
    with pytest.raises(Exception, match="no model champion"):
        commands.run("model", "show")
    promoted = commands.run("model", "promote", first["version"], "--force", "the first of all")
    assert promoted["champion"] == first["version"]

    ended = lives_through(commands, simulation)
    assert ended > 100
    assert set(commands.ranked_by()) == {first["version"]}

    second = commands.run("model", "train", "--seed", "2")
    assert second["version"] != first["version"]
    assert second["unknown"].get("still_open", 0) > 0
    commands.run("model", "challenge", second["version"])
    replayed = commands.tape(seed=5, days=7)
    lives_through(commands, replayed)
    compared = commands.run("model", "compare")
    assert (compared["champion"], compared["challenger"]) == (first["version"], second["version"])
    assert compared["cases"] > 100

    commands.run("model", "evaluate", second["version"], *commands.taped)
    shown = commands.run("model", "show", second["version"])
    assert shown["evaluation"]["compared_with"] == first["version"]
    commands.run("model", "promote", second["version"], "--force", "taught by people")
    listed = {one["version"]: one["aliases"] for one in commands.run("model", "list")}
    assert "champion" in listed[second["version"]]
    drifted = commands.run("model", "drift")
    assert drifted["version"] == second["version"]
    assert commands.run("model", "rollback", "--reason", "story")["champion"] == first["version"]
    history = commands.run("model", "show")["history"]
    assert [one.get("rolled_back", False) for one in history] == [True, False, False]
    assert history[1]["forced"] == "taught by people"
    assert commands.urgent() > 0
