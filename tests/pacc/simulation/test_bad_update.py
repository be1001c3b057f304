"""A bad update in the invented fleet: the whole line within the hour, and the rest as it was."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ingest.formats.decode import decode
from models.errors import Unusable
from pacc.cli import app
from pacc.simulation.day import FINDINGS
from pacc.simulation.parameters import load_parameters
from pacc.simulation.stream import Simulation, Trouble
from pacc.simulation.update import SCENARIO, Update, parse_update

CALM = Trouble(0, 0, 0)
WAVE = load_parameters().bad_update
LINE = Update("iX3", 9)


def played(update: Update | None, vehicles: int = 1500, seed: int = 5) -> Simulation:
    """Twelve hours of a small fleet."""
    return Simulation("pacc.alerts", vehicles, 12, seed, CALM, update=update)


def data_of(simulation: Simulation) -> list[dict[str, Any]]:
    """What the cars said, in the order of arrival."""
    return [json.loads(record.value or b"")["data"] for record in simulation.records()]


@pytest.fixture(scope="module")
def wave() -> tuple[Simulation, list[dict[str, Any]]]:
    """A simulation with the update, and what was said."""
    simulation = played(LINE)
    return simulation, data_of(simulation)


def test_the_line_reports_within_the_hours_and_says_which_software(
    wave: tuple[Simulation, list[dict[str, Any]]],
) -> None:
    simulation, said = wave
    truths = [(car, truth) for car, truth in simulation.truths if truth.scenario == SCENARIO]
    line = {car.vin for car, _ in simulation.truths if car.model == "iX3"}
    assert {car.model for car, _ in truths} == {"iX3"}
    assert len(truths) > 0.8 * len(line)
    assert all(9 <= truth.second / 3600 <= 9 + WAVE.within_hours for _, truth in truths)
    assert all(truth.finding in FINDINGS for _, truth in truths)
    first: dict[str, dict[str, Any]] = {}
    for report in said:
        if report["software"] == WAVE.software and report["code"] in (WAVE.code, WAVE.stop_code):
            first.setdefault(report["vin"], report)
    assert len(first) >= 0.95 * len(truths)
    for report in said:
        if report["software"] == WAVE.software:
            assert report["vin"] in {car.vin for car, _ in truths}
            assert report["observed_at"] >= "2026-01-15T01:00"


def test_most_is_limited_and_comes_again_and_a_few_stop_in_motion() -> None:
    simulation = played(LINE, vehicles=4000)
    reports = [report for report in data_of(simulation) if report["software"] == WAVE.software]
    words = Counter(
        report["severity"] for report in reports if report["code"] in (WAVE.code, WAVE.stop_code)
    )
    assert words["limited"] > 0.9 * words.total()
    cars_of = Counter(report["vin"] for report in reports if report["code"] == WAVE.code)
    assert sum(cars_of.values()) > 3 * len(cars_of)
    assert any(report["status"] == "cleared" for report in reports if report["code"] == WAVE.code)
    stood = {
        car.vin: truth
        for car, truth in simulation.truths
        if truth.scenario == SCENARIO and truth.is_immobilised
    }
    assert 1 <= len(stood) < 0.02 * len(cars_of)
    for vin in stood:
        stops = [
            report for report in reports if report["vin"] == vin and report["severity"] == "stop"
        ]
        assert stops[0]["motion"] == "moving"


def test_the_rest_of_the_fleet_says_the_same_bytes() -> None:
    without, with_it = played(None).records(), played(LINE).records()
    others = {car.vin for car, _ in wave_truths(played(LINE))}

    def ordinary(records: list[Any]) -> list[bytes]:
        return [one.value for one in records if one.key.decode() not in others]

    assert ordinary(without) == ordinary(with_it)
    assert len(others) > 100
    before = {json.loads(one.value or b"")["id"]: one.value or b"" for one in without}
    after = {json.loads(one.value or b"")["id"]: one.value or b"" for one in with_it}
    changed = [name for name, value in before.items() if after.get(name) != value]
    assert any(name in after for name in changed)
    for name in changed:
        assert name not in after or json.loads(after[name])["data"] == {
            **json.loads(before[name])["data"],
            "software": WAVE.software,
        }


def wave_truths(simulation: Simulation) -> list[Any]:
    """The cars that had the update, after the records were made."""
    simulation.records()
    return [(car, truth) for car, truth in simulation.truths if truth.scenario == SCENARIO]


def test_the_same_seed_gives_the_same_bytes_and_every_record_is_usable() -> None:
    records = played(LINE, 600).records()
    assert records == played(LINE, 600).records()
    assert records != played(LINE, 600, seed=6).records()
    assert not any(one.rejected for one in decode(records, {}))
    named = played(Update("iX3", 9, "dtc:U0293"), 600).records()
    assert b'"dtc:U0293"' in b"".join(one.value or b"" for one in named)


def test_the_option_is_read_and_refused_in_words(tmp_path: Path) -> None:
    assert parse_update("iX3@9.5:dtc:P0A78") == Update("iX3", 9.5, "dtc:P0A78")
    for text, says in (
        ("iX3", "no MODEL@HOUR"),
        ("i9@3", "no model i9; there are iX3"),
        ("iX3@3:P0A78", "is no code"),
    ):
        with pytest.raises(Unusable, match=says):
            parse_update(text)
    truth = tmp_path / "truth.jsonl"
    words = f"simulate --json --vehicles 200 --hours 12 --tape {tmp_path / 'day.jsonl'}"
    done = CliRunner().invoke(app, [*words.split(), "--bad-update", "iX3@9", "--truth", str(truth)])
    assert done.exit_code == 0
    lines = [json.loads(line) for line in truth.read_text("utf-8").splitlines()]
    assert Counter(one["scenario"] for one in lines)[SCENARIO] > 20
