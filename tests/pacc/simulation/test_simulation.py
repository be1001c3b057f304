"""The invented fleet, and the commands around it."""

import csv
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from ingest.formats.decode import decode
from ingest.formats.parts import fails_check_digit
from models import tables as t
from models.words import Outcome
from pacc.cli import app
from pacc.process.database import make_engine
from pacc.simulation.day import FINDINGS
from pacc.simulation.fleet import cars
from pacc.simulation.stream import Simulation, Trouble

CALM = Trouble(0, 0, 0)


def simulation(vehicles: int = 200, trouble: Trouble = CALM, seed: int = 7) -> Simulation:
    """A day of a small fleet."""
    return Simulation("pacc.alerts", vehicles, 24, seed, trouble)


def test_the_same_seed_gives_the_same_bytes_and_another_others() -> None:
    assert simulation().records() == simulation().records()
    assert simulation().records() != simulation(seed=8).records()


def test_a_larger_fleet_says_what_the_smaller_said() -> None:
    small, large = simulation(50), simulation(200)
    said = {record.value for record in large.records()}
    assert {record.value for record in small.records()} <= said


def test_vins_are_well_formed_and_everybodys_own() -> None:
    vins = [car.vin for car in cars(500, 1)]
    assert len(set(vins)) == 500
    assert not any(fails_check_digit(vin) for vin in vins)


def test_without_trouble_every_record_is_usable_and_offsets_count_up() -> None:
    records = simulation().records()
    assert not any(one.rejected for one in decode(records, {}))
    for number in range(4):
        offsets = [one.offset for one in records if one.partition.number == number]
        assert offsets == list(range(len(offsets)))


def test_trouble_comes_in_its_shares() -> None:
    trouble = Trouble(duplicates=0.05, late=0.02, broken=0.01)
    records = simulation(3000, trouble).records()
    rejected = sum(bool(one.rejected) for one in decode(records, {}))
    values = [one.value for one in records]
    assert rejected / len(records) == pytest.approx(0.01, rel=0.35)
    assert 1 - len(set(values)) / len(values) == pytest.approx(0.05, rel=0.25)
    late = sum(late_by(one.value, one.timestamp) > 600 for one in records)
    assert late / len(records) == pytest.approx(0.02, rel=0.4)


def late_by(value: bytes | None, timestamp: int) -> float:
    """Seconds between the vehicle's time and the record's."""
    try:
        at = json.loads(value or b"")["time"]
    except (ValueError, TypeError, KeyError):
        return 0
    return timestamp / 1000 - datetime.fromisoformat(at).timestamp()


def test_the_rules_catch_most_cars_that_come_to_stand_but_not_all(tmp_path: Path) -> None:
    """The truth and the rules agree in part: room for a model, and for false alarms."""
    tape, url = tmp_path / "days.jsonl", f"sqlite:///{tmp_path / 'pacc.db'}"
    invoke = CliRunner(env={"PACC_DATABASE_URL": url}).invoke
    assert invoke(app, ["migrate"]).exit_code == 0
    truth = tmp_path / "truth.jsonl"
    words = f"simulate --json --vehicles 2000 --hours 60 --seed 7 --tape {tape} --truth {truth}"
    wanted = [*words.split(), "--duplicates", "0", "--late", "0", "--broken", "0"]
    done = json.loads(invoke(app, wanted).stdout)
    assert done["vehicles"] == 2000
    assert invoke(app, ["replay", str(tape), "--json"]).exit_code == 0
    stood = [json.loads(line) for line in truth.read_text("utf-8").splitlines()]
    stood = [truth for truth in stood if truth["is_immobilised"]]
    assert len(stood) == done["truth"]["immobilised"] > 25
    events = ranked(url)
    best = [best_before(events, truth["vin"], truth["immobilised_at"]) for truth in stood]
    caught = sum(word in ("urgent", "high") for word in best) / len(best)
    assert 0.4 < caught < 0.75
    assert 0.2 < best.count("normal") / len(best) < 0.55
    assert 0 < best.count("none") / len(best) < 0.12
    highest = {event["case_id"]: (event["vin"], "normal") for event in events}
    for word in ("high", "urgent"):
        highest |= {
            event["case_id"]: (event["vin"], word) for event in events if event["priority"] == word
        }
    high = [vin for vin, word in highest.values() if word == "high"]
    assert sum(vin not in {truth["vin"] for truth in stood} for vin in high) > 0.4 * len(high)
    assert len(high) < 0.35 * len(highest)
    assert 0 < sum(word == "urgent" for _, word in highest.values()) < 0.08 * len(highest)


def ranked(url: str) -> list[dict[str, Any]]:
    """Return what was said of cases when it was decided: a case may fall once its cause clears."""
    engine = make_engine(url)
    with engine.begin() as connection:
        query = sa.select(t.outbox.c.data).where(t.outbox.c.topic == "pacc.cases")
        events = [
            dict(event) for event in connection.execute(query.order_by(t.outbox.c.seq)).scalars()
        ]
    engine.dispose()
    return events


def best_before(events: list[dict[str, Any]], vin: str, until: str) -> str:
    """Return the highest priority that a car's cases had before it stood, or `none`."""
    end = datetime.fromisoformat(until)
    words = {
        event["priority"]
        for event in events
        if event["vin"] == vin and datetime.fromisoformat(event["at"]) <= end
    }
    return next((word for word in ("urgent", "high", "normal") if word in words), "none")


def test_the_truth_is_one_line_for_each_thing_that_was_wrong(tmp_path: Path) -> None:
    tape, truth = tmp_path / "day.jsonl", tmp_path / "truth.jsonl"
    words = f"simulate --json --vehicles 300 --seed 7 --tape {tape} --truth {truth}"
    done = json.loads(CliRunner().invoke(app, words.split()).stdout)
    lines = [json.loads(line) for line in truth.read_text("utf-8").splitlines()]
    assert len(lines) == done["truth"]["episodes"]
    for line in lines:
        assert set(line) == {
            "vin",
            "scenario",
            "component",
            "code",
            "onset_at",
            "immobilised_at",
            "repaired_at",
            "finding",
            "is_immobilised",
        }
        assert (line["immobilised_at"] is not None) == line["is_immobilised"]
        assert line["finding"] in FINDINGS


def test_the_demo_plays_a_day_and_gives_keys(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    wanted = ["demo", "--vehicles", "300", "--folder", str(folder), "--no-serve", "--json"]
    for _ in range(2):
        facts: dict[str, Any] = json.loads(CliRunner().invoke(app, wanted).stdout)
    assert facts["alerts"] > 300
    roles = {"operator", "dealer", "supervisor", "engineer"}
    assert set(facts["keys"]) == roles
    assert set(facts["logins"]) == {*roles, "administrator"}
    assert sum(facts["cases"].values()) > 10
    with (folder / "fleet.csv").open(encoding="utf-8") as fleet:
        assert len(list(csv.DictReader(fleet))) == 300
    precious = tmp_path / "other"
    precious.mkdir()
    (precious / "file").touch()
    refused = CliRunner().invoke(app, [*wanted[:4], str(precious), "--no-serve"])
    assert refused.exit_code == 1
    assert (precious / "file").exists()


def test_records_come_back_from_quarantine_once_they_can_be_read(tmp_path: Path) -> None:
    tape, url = tmp_path / "day.jsonl", f"sqlite:///{tmp_path / 'pacc.db'}"
    env = {"PACC_DATABASE_URL": url, "PACC_REJECT_LIMIT": "1"}

    def invoke(*words: str) -> Any:
        done = CliRunner(env=env).invoke(app, [*words, "--json"])
        return done.exit_code, json.loads(done.stdout)

    invoke("migrate")
    _, simulated = invoke("simulate", "--vehicles", "200", "--tape", str(tape), "--broken", "0.02")
    _, played = invoke("replay", str(tape), "--format", "obd")
    assert played["outcomes"] == {"quarantined": simulated["alerts"]}
    code, first = invoke("quarantine", "redrive", "--all", "--format", "cloudevents")
    assert (code, first["still_held"] > 0) == (3, True)
    assert first["redriven"] + first["still_held"] == simulated["alerts"]
    _, again = invoke("quarantine", "redrive", "--all", "--format", "cloudevents")
    assert (again["batch"], again["redriven"]) == (None, 0)
    assert again["still_held"] == first["still_held"]
    _, ledger = invoke("ledger")
    assert ledger["reconciled"]
    redriven = sum(
        sum(topic["outcomes"].values()) for topic in ledger["topics"] if topic["feed"] == "redrive"
    )
    assert redriven == first["redriven"]
    assert Outcome.QUARANTINED not in {
        word
        for topic in ledger["topics"]
        if topic["feed"] == "redrive"
        for word in topic["outcomes"]
    }
    env["PACC_DATABASE_URL"] = f"sqlite:///{tmp_path / 'straight.db'}"
    invoke("migrate")
    invoke("replay", str(tape))
    straight = {case["case_id"]: case["priority"] for case in invoke("case", "list")[1]}
    env["PACC_DATABASE_URL"] = url
    assert {case["case_id"]: case["priority"] for case in invoke("case", "list")[1]} == straight
