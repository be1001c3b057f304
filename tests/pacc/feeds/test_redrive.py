"""Out of quarantine and back: filters, a preview, repairs, and an undo that says what it keeps."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace
from typer.testing import CliRunner

from dispatch.tasks import actions
from ingest.formats.repair import Steps, parse_repair
from ingest.store import quarantine
from ingest.store.quarantine import Wanted
from models import tables as t
from models.batch import Record
from models.errors import NotThere
from pacc.cli import app
from pacc.feeds.redrive import Plan, make_plan, preview, redrive_all
from pacc.feeds.undo_redrive import Undone, undo
from pacc.reconcile.reconcile import Scope, reconcile
from tests.worlds import CAR, OTHER, START, Centre, Stream, operator

LATER = START + timedelta(hours=1)
MENDED = parse_repair("- rename: {from: /seen_at, to: /observed_at}")


def misspelt(minute: float = 0) -> dict[str, Any]:
    """A time that no door can read; it stands under another name too."""
    return {"observed_at": "soon", "seen_at": (START + timedelta(minutes=minute)).isoformat()}


def broken(*cars: str, code: str = "dtc:P0C01", **more: Any) -> list[Record]:
    """Alerts that only a repair makes usable."""
    stream = Stream()
    for minute, car in enumerate(cars):
        stream.says(car, code, minute, severity="stop", **misspelt(minute), **more)
    return stream.records


class RedriveWorld:
    """A centre whose quarantine is worked on."""

    def __init__(self, engine: sa.Engine, records: Sequence[Record]) -> None:
        self.engine = engine
        self.centre = Centre(engine)
        self.centre.plays(records)

    def findings(self) -> list[Any]:
        """What `pacc reconcile` has to say."""
        with self.engine.begin() as connection:
            connection.execute(sa.update(t.outbox).values(sent_at=START))
        every = Scope(("pacc.alerts",), is_full=True)
        return list(reconcile(self.engine, None, every, LATER)["findings"])

    def ids(self, **wanted: Any) -> list[str]:
        """What is held."""
        with self.engine.begin() as connection:
            return quarantine.chosen(connection, Wanted(**wanted))[0]

    def plan(self, steps: Steps = MENDED) -> Plan:
        """What a redrive of everything would do."""
        return make_plan(self.engine, self.ids(), {}, steps)

    def redrives(self, steps: Steps = MENDED, hours: int = 1) -> str:
        """Redrive all; return the batch."""
        at = START + timedelta(hours=hours)
        batch, _ = redrive_all(self.engine, self.centre.worker, self.plan(steps), 2, at, steps)
        assert batch is not None
        return batch

    def undoes(self, batch: str) -> Undone:
        """Undo a batch."""
        return undo(self.engine, batch, LATER + timedelta(hours=1), self.centre.house)

    def open_cases(self) -> list[str]:
        """The vehicles with an open case."""
        return [row["vin"] for row in self.centre.rows(t.case, state="open")]

    def everything(self) -> dict[str, list[dict[str, Any]]]:
        """Every row that a redrive or an undo could touch."""
        tables = (t.alert, t.case, t.fault, t.task, t.entry, t.quarantine, t.ledger, t.vehicle)
        return {table.name: self.centre.rows(table) for table in tables}


def test_a_preview_says_how_each_would_end_and_changes_nothing(engine: sa.Engine) -> None:
    world = RedriveWorld(engine, [*broken(CAR, OTHER, CAR), *Stream().raw(b"{", 3).records[:0]])
    before = world.everything()
    plan = world.plan()
    assert preview(engine, world.centre.worker, plan, {}) == {"opened": 2, "repeated": 1}
    assert plan.refused == {}
    assert world.plan(()).refused == {"bad_time": 3}
    assert world.everything() == before
    world.redrives()
    redriven = [row for row in world.centre.rows(t.ledger) if row["feed"] == "redrive"]
    assert {row["outcome"]: row["records"] for row in redriven} == {"opened": 2, "repeated": 1}


@pytest.mark.parametrize(
    ("wanted", "offsets"),
    [
        ({}, [0, 1, 2, 3]),
        ({"reason": "not_json"}, [3]),
        ({"topic": "other"}, []),
        ({"partition": 1}, []),
        ({"partition": 0}, [0, 1, 2, 3]),
        ({"first_offset": 1, "last_offset": 2}, [1, 2]),
        ({"since": START + timedelta(minutes=2)}, [2, 3]),
        ({"until": START + timedelta(minutes=2)}, [0, 1]),
    ],
)
def test_a_filter_chooses(engine: sa.Engine, wanted: Mapping[str, Any], offsets: list[int]) -> None:
    bad = Stream().raw(b"{", 3).records[0]
    world = RedriveWorld(engine, [*broken(CAR, OTHER, CAR), replace(bad, offset=3)])
    rows = world.centre.rows(t.quarantine)
    chosen = set(world.ids(**wanted))
    record_offsets = [row["record_offset"] for row in rows if row["quarantine_id"] in chosen]
    assert sorted(record_offsets) == offsets


def test_a_redrive_twice_changes_nothing_and_the_original_stays(engine: sa.Engine) -> None:
    records = broken(CAR, OTHER)
    world = RedriveWorld(engine, records)
    world.redrives()
    after = world.everything()
    assert world.open_cases() == [CAR, OTHER]
    assert redrive_all(engine, world.centre.worker, world.plan(), 2, LATER, MENDED) == (None, 0)
    assert world.everything() == after
    assert sorted(row["value"] for row in world.centre.rows(t.quarantine)) == sorted(
        record.value for record in records if record.value
    )
    assert {row["state"] for row in world.centre.rows(t.quarantine)} == {"redriven"}


def test_an_undo_closes_its_cases_and_holds_its_records_again(engine: sa.Engine) -> None:
    world = RedriveWorld(engine, broken(CAR, CAR, OTHER))
    batch = world.redrives()
    done = world.undoes(batch)
    assert (len(done.reopened), done.kept, done.alerts, done.cases) == (3, {}, 3, 2)
    assert world.open_cases() == []
    assert world.centre.rows(t.alert) == []
    assert {row["disposition"] for row in world.centre.rows(t.task)} == {"case_closed"}
    assert len(world.ids()) == 3
    assert world.centre.ledger["reconciled"]
    assert world.findings() == []
    kinds = [row["kind"] for row in world.centre.rows(t.outbox)]
    assert kinds.count("pacc.case.closed.v1") == 2
    after = world.everything()
    again = world.undoes(batch)
    assert (again.reopened, again.kept, again.alerts, again.cases) == ([], {}, 0, 0)
    assert world.everything() == after


def test_what_was_undone_can_be_redriven_anew_as_other_cases(engine: sa.Engine) -> None:
    world = RedriveWorld(engine, broken(CAR))
    world.undoes(world.redrives())
    (withdrawn,) = world.centre.rows(t.case)
    second = world.redrives(hours=3)
    (case,) = world.centre.rows(t.case, state="open")
    assert case["case_id"] != withdrawn["case_id"]
    assert (case["previous_case"], case["is_repeat_repair"]) == (None, False)
    assert world.undoes(second).cases == 1
    events = [row["event_id"] for row in world.centre.rows(t.outbox)]
    assert len(events) == len(set(events)) > 4


def test_an_undo_leaves_what_a_person_works_on(engine: sa.Engine) -> None:
    world = RedriveWorld(engine, broken(CAR, OTHER))
    batch = world.redrives()
    task = world.centre.task(vin=CAR)
    worker = operator(desk=task["desk"])
    world.centre.act(actions.claim, task["task_id"], worker)
    done = world.undoes(batch)
    assert (list(done.kept.values()), len(done.reopened)) == (["worked"], 1)
    assert world.open_cases() == [CAR]
    assert world.centre.task(vin=CAR)["state"] == "claimed"


@pytest.mark.parametrize("before", [True, False])
def test_an_undo_leaves_what_other_alerts_share(engine: sa.Engine, *, before: bool) -> None:
    good = replace(Stream().says(CAR, "dtc:P0A80", id="good").records[0], offset=1)
    world = RedriveWorld(engine, [*broken(CAR), *([good] if before else [])])
    batch = world.redrives()
    if not before:
        world.centre.plays([good])
    done = world.undoes(batch)
    assert list(done.kept.values()) == ["shared"]
    assert world.open_cases() == [CAR]
    assert len(world.centre.rows(t.alert)) == 2


def test_an_undo_leaves_what_cleared_a_fault(engine: sa.Engine) -> None:
    good = Stream().says(CAR, "dtc:P0C01", id="good").records[0]
    clear = (
        Stream().says(OTHER, "dtc:P0C01").says(CAR, "dtc:P0C01", 5, status="cleared", **misspelt(5))
    )
    world = RedriveWorld(engine, [good, clear.records[1]])
    assert list(world.undoes(world.redrives()).kept.values()) == ["clears"]


def test_an_undo_forgets_a_code_that_waits(engine: sa.Engine) -> None:
    stream = Stream().says(CAR, "dtc:P0420", status="pending", **misspelt())
    world = RedriveWorld(engine, stream.records)
    batch = world.redrives()
    (vehicle,) = world.centre.rows(t.vehicle)
    assert list(vehicle["waiting"]) == ["dtc:P0420"]
    assert world.undoes(batch).kept == {}
    assert world.centre.rows(t.vehicle)[0]["waiting"] == {}


def test_an_unknown_batch_is_said(engine: sa.Engine) -> None:
    with pytest.raises(NotThere, match="no redrive nonsense"):
        RedriveWorld(engine, []).undoes("nonsense")


def test_the_commands_preview_repair_and_undo(tmp_path: Path) -> None:
    env = {"PACC_DATABASE_URL": f"sqlite:///{tmp_path / 'pacc.db'}", "PACC_REJECT_LIMIT": "1"}
    tape, mapping = tmp_path / "a.jsonl", tmp_path / "repair.yaml"
    value = json.dumps(
        {
            "id": "1",
            "source": "s",
            "vin": CAR,
            "code": "dtc:P0C01",
            **misspelt(),
        }
    )
    line = {
        "topic": "pacc.alerts",
        "partition": 0,
        "offset": 0,
        "timestamp": int(START.timestamp() * 1000),
        "value": value,
    }
    tape.write_text(json.dumps(line), "utf-8")
    mapping.write_text("- rename: {from: /seen_at, to: /observed_at}", "utf-8")

    def invoke(*words: str) -> tuple[int, Any]:
        done = CliRunner(env=env).invoke(app, [*words, "--json"])
        return done.exit_code, json.loads(done.stdout)

    invoke("migrate")
    invoke("replay", str(tape))
    wanted = ("quarantine", "redrive", "--all", "--topic", "pacc.alerts", "--repair", str(mapping))
    assert invoke(*wanted[:-2], "--dry-run")[1]["refused"] == {"bad_time": 1}
    assert invoke(*wanted, "--since", "2026-01-16T00:00:00Z")[1]["redriven"] == 0
    assert invoke(*wanted, "--dry-run") == (
        0,
        {"would_redrive": 1, "outcomes": {"opened": 1}, "refused": {}, "already_redriven": 0},
    )
    code, done = invoke(*wanted)
    assert (code, done["redriven"], done["still_held"]) == (0, 1, 0)
    assert invoke(*wanted)[1]["already_redriven"] == 1
    code, undone = invoke("quarantine", "undo", done["batch"])
    assert (code, undone["reopened"], undone["cases_withdrawn"]) == (0, 1, 1)
    assert invoke("quarantine", "undo", done["batch"])[1]["reopened"] == 0
    assert len(invoke("quarantine", "list")[1]) == 1
