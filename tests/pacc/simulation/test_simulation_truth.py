"""What the simulator promises of its hidden truth, and of how hard it is to see."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import yaml

from models.words import Severity
from pacc.simulation.day import FINDINGS, Truth
from pacc.simulation.fleet import Car, cars
from pacc.simulation.oracle import oracle
from pacc.simulation.parameters import load_parameters
from pacc.simulation.stream import START, Simulation, Trouble

CALM = Trouble(0, 0, 0)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
Said = Mapping[str, Any]


@lru_cache(maxsize=4)
def played(vehicles: int, hours: float, start: datetime = START) -> Simulation:
    """A calm simulation whose records were made."""
    simulation = Simulation("pacc.alerts", vehicles, hours, 3, CALM, start=start)
    simulation.records()
    return simulation


@lru_cache(maxsize=1)
def ten_days() -> tuple[Simulation, list[tuple[datetime, Said]]]:
    """Ten days of 2,000 cars: when each alert was seen, and its data."""
    simulation = Simulation("pacc.alerts", 2000, 24 * 10, 3, CALM)
    said = [json.loads(record.value or b"")["data"] for record in simulation.records()]
    return simulation, [(datetime.fromisoformat(data["observed_at"]), data) for data in said]


def standing(simulation: Simulation) -> list[tuple[Car, Truth, datetime]]:
    """The cars that came to stand, and when."""
    return [
        (car, truth, simulation.start + timedelta(seconds=truth.immobilised_at))
        for car, truth in simulation.truths
        if truth.immobilised_at is not None
    ]


def test_each_block_of_figures_names_its_source() -> None:
    text = files("pacc.simulation").joinpath("parameters.yaml").read_text("utf-8")
    blocks = yaml.safe_load(text)
    for name in ("scenarios", "harmless"):
        blocks |= blocks.pop(name)
    assert [name for name, block in blocks.items() if not block.get("source")] == []


def test_the_shares_of_each_scenarios_endings_are_whole() -> None:
    for scenario in load_parameters().scenarios:
        assert sum(one.share for one in scenario.endings) == pytest.approx(1)
        assert scenario.finding in FINDINGS


def test_whatever_a_car_says_at_its_end_harmless_cars_say_too() -> None:
    figures = load_parameters()
    ends = {
        (one.code, one.severity)
        for scenario in figures.scenarios
        for ending in scenario.endings
        for one in ending.says
    }
    harmless = {
        (one.code, one.severity)
        for kind in figures.harmless
        for _, says, _ in kind.says
        for one in says
    }
    for scenario in figures.scenarios:
        harmless |= {(one.code, one.severity) for stage in scenario.phrases for one in stage}
        assert scenario.name == "sudden" or scenario.twins >= 1
    assert ends - harmless == set()


def test_the_vin_tells_the_model_year_that_fits_the_age() -> None:
    letters = "ABCDEFGHJKLMNPRSTVWXY123456789"
    for car in cars(300, 1):
        assert car.vin[9] == letters[(car.model_year - 2010) % 30]
        assert 0 <= 2026 - car.model_year - car.age_years <= 1.2


def test_more_batteries_begin_to_fail_in_the_cold() -> None:
    def batteries(start: datetime) -> int:
        truths = played(1500, 24 * 7, start).truths
        return sum(one.scenario == "weak_12v" and one.second >= 0 for _, one in truths)

    assert batteries(START) > 1.2 * batteries(datetime(2026, 5, 14, 16, tzinfo=UTC))


def test_new_software_brings_an_unknown_word_and_another_code() -> None:
    words = load_parameters().vocabulary
    known = {word.value for word in Severity}
    simulation, said = ten_days()
    changed = {
        car.vin for car in cars(simulation.vehicles, simulation.seed) if car.new_words_day < 7
    }
    foreign = [data for _, data in said if data["severity"] not in known]
    assert {data["severity"] for data in foreign} == set(words.severity.values())
    assert {data["software"] for data in foreign} == {words.software}
    later = [
        data for at, data in said if data["vin"] in changed and at > simulation.start + 7 * DAY
    ]
    assert later
    assert not {data["code"] for data in later} & set(words.codes)
    assert any(data["code"] in words.codes.values() for data in later)


def test_some_cars_fall_silent_for_good() -> None:
    simulation, said = ten_days()
    last = {data["vin"]: at for at, data in said}
    silent = [
        (car, simulation.start + car.silent_day * DAY)
        for car in cars(simulation.vehicles, simulation.seed)
        if car.silent_day < 10
    ]
    assert len(silent) > 5
    assert all(last.get(car.vin, at) <= at for car, at in silent)


def test_nothing_moves_while_it_stands_and_then_it_is_repaired_and_cleared() -> None:
    simulation, said = ten_days()
    by_vin = defaultdict(list)
    for at, data in said:
        by_vin[data["vin"]].append((at, data))
    repaired = 0
    for car, truth, stands in standing(simulation):
        ends = simulation.start + timedelta(seconds=truth.repaired_at or 1e9)
        between = [(at, data) for at, data in by_vin[car.vin] if stands < at < ends - SECOND]
        assert all(data["speed_kph"] == 0 for _, data in between)
        assert all(at <= stands + timedelta(minutes=31) for at, _ in between)
        if truth.repaired_at is not None:
            assert DAY <= ends - stands <= 4 * DAY
            repaired += any(
                data["status"] == "cleared" and ends - SECOND <= at < ends + DAY
                for at, data in by_vin[car.vin]
            )
    assert repaired > 30


def test_a_car_stands_for_one_reason_at_a_time() -> None:
    simulation, _ = ten_days()
    spans = defaultdict(list)
    for car, truth, stands in standing(simulation):
        spans[car.vin].append((stands, truth.repaired_at))
    for of_car in spans.values():
        of_car.sort()
        for (_, repaired), (stands, _) in pairwise(of_car):
            assert repaired is not None
            assert simulation.start + timedelta(seconds=repaired) <= stands


def test_each_component_strands_and_some_strand_without_a_word() -> None:
    simulation, said = ten_days()
    components = Counter(truth.component for _, truth, _ in standing(simulation))
    assert set(components) == {one.component for one in load_parameters().scenarios}
    share = components["low_voltage_battery"] / components.total()
    assert 0.25 < share < 0.55
    heard = {one["vin"] for _, one in said}
    mute = [car for car, _, _ in standing(simulation) if car.vin not in heard]
    assert 0 < len(mute) < 0.08 * components.total()


def test_false_alarms_flicker_lamps_and_flocks_are_in_the_stream() -> None:
    _, said = ten_days()
    statuses = Counter(one["status"] for _, one in said)
    assert {"active", "cleared", "pending", "lamp_only"} == set(statuses)
    flocks = Counter(
        (one["vin"], at.replace(minute=0, second=0, microsecond=0))
        for at, one in said
        if one["code"].startswith("dtc:U")
    )
    assert max(flocks.values()) >= 4


def auc(scores: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> float:
    """The area under the curve of a reading, in whichever direction it is better; ties at half."""
    order = np.sort(scores)
    ranks = (np.searchsorted(order, scores, "left") + np.searchsorted(order, scores, "right")) / 2
    few, many = labels.sum(), (~labels).sum()
    area = (ranks[labels].sum() - few * few / 2) / (few * many)
    return float(max(area, 1 - area))


@lru_cache(maxsize=1)
def labelled() -> tuple[list[Said], np.ndarray[Any, Any]]:
    """Each alert before a car stands, and whether it does within 24 hours."""
    simulation, said = ten_days()
    stands = defaultdict(list)
    for car, _, at in standing(simulation):
        stands[car.vin].append(at)
    labels = [any(at <= one <= at + DAY for one in stands[data["vin"]]) for at, data in said]
    return [data for _, data in said], np.array(labels)


def test_no_code_and_no_reading_alone_gives_the_truth_away() -> None:
    said, labels = labelled()
    for code in {one["code"] for one in said}:
        has = np.array([float(one["code"] == code) for one in said])
        assert auc(has, labels) < 0.8, code
        assert labels[has > 0].mean() < 0.95 or has.sum() < 20, code
    names = {name for one in said for name in one["signals"]} | {"state_of_charge", "odometer_km"}
    assert {"low_voltage_v", "cell_spread_mv", "coolant_c", "hv_temp_c", "tyre_kpa"} <= names
    for name in names:
        values = np.array([one["signals"].get(name, one.get(name, np.nan)) for one in said], float)
        sent = ~np.isnan(values)
        assert auc(values[sent], labels[sent]) < 0.95, name


def test_the_oracle_ranks_better_than_any_reading_and_is_calibrated() -> None:
    simulation, said = ten_days()
    _, labels = labelled()
    says = oracle(simulation)
    moments = [
        (number, data["vin"], at)
        for number, (at, data) in enumerate(said)
        if at < simulation.start + 9 * DAY and not number % 3
    ]
    scores = np.array([says(vin, at) for _, vin, at in moments])
    seen = labels[[number for number, _, _ in moments]]
    assert ((scores >= 0) & (scores <= 1)).all()
    assert auc(scores, seen) > 0.9
    days = [
        (car.vin, simulation.start + day * DAY)
        for car in cars(simulation.vehicles, simulation.seed)
        for day in range(9)
    ]
    expected = sum(says(vin, at) for vin, at in days if not is_standing(vin, at))
    happened = sum(START <= at < START + 9 * DAY for _, _, at in standing(simulation))
    assert expected == pytest.approx(happened, rel=0.2)


@lru_cache(maxsize=1)
def _spans() -> dict[str, list[tuple[datetime, datetime]]]:
    simulation, _ = ten_days()
    spans = defaultdict(list)
    for car, truth, stands in standing(simulation):
        spans[car.vin].append(
            (stands, simulation.start + timedelta(seconds=truth.repaired_at or 1e9))
        )
    return spans


def is_standing(vin: str, at: datetime) -> bool:
    """Whether a car stands at a moment."""
    return any(first <= at < last for first, last in _spans().get(vin, []))


def test_acceleration_scales_onsets_only() -> None:
    def scenarios(acceleration: float) -> int:
        simulation = Simulation("t", 1500, 48, 3, CALM, acceleration=acceleration)
        simulation.records()
        return len(simulation.truths)

    assert scenarios(0) == 0
    assert scenarios(50) == pytest.approx(2 * scenarios(25), rel=0.15)
