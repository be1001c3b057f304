"""A flood is found as one fleet issue, nothing else is, and it ends when it is quiet."""

from datetime import timedelta
from pathlib import Path
from random import Random
from shutil import copyfile
from typing import Any

import pytest
import sqlalchemy as sa

from models import tables as t
from models.batch import Partition
from models.words import Feed, IssueState, SurgeRule
from pacc.process.database import make_engine
from tests.support.floods import CODE, Flood, flood, vin
from tests.worlds import START, Stream

__all__ = ["flood"]
DAY = 24 * 60


def test_a_flood_is_one_issue_with_its_code_model_software_and_vehicles(flood: Flood) -> None:
    (issue,) = flood.issues()
    assert (issue["code"], issue["model"], issue["software"]) == (CODE, "Nova 5", "11-2026.02")
    assert (issue["state"], issue["vehicles"], issue["open"], issue["held"]) == (
        "watched",
        200,
        200,
        0,
    )
    assert issue["first_seen"] == START + timedelta(minutes=5)
    assert issue["per_minute"] == 20
    assert flood.held() == set()
    flood.tends(minutes=5)
    assert len(flood.rows(t.fleet_issue)) == 1


@pytest.mark.parametrize("unknown", [{"software": None}, {"model": None}, {"software": " "}])
def test_unknown_is_no_group(engine: sa.Engine, unknown: dict[str, Any]) -> None:
    flood = Flood(engine).report(range(60), 5, **unknown).tends(minutes=10)
    assert flood.issues() == []


def test_an_everyday_fault_is_none_and_a_fivefold_day_is_one(engine: sa.Engine) -> None:
    flood = Flood(engine)
    for day, cars in enumerate((40, 60, 60)):
        flood.report(range(100 * day, 100 * day + cars), day * DAY + 5)
    assert flood.tends(days=2, minutes=10).issues() == []
    flood.report(range(300, 550), 2 * DAY + 15)
    (issue,) = flood.tends(minutes=10).issues()
    assert issue["vehicles"] == 310


def test_an_update_that_is_rolled_out_in_waves_is_one(engine: sa.Engine) -> None:
    """Twice as many each hour: never five times the hour before."""
    flood, first = Flood(engine), 0
    for hour, cars in enumerate((8, 16, 32, 64)):
        flood.report(range(first, first + cars), 60 * hour + 5)
        first += cars
    (issue,) = flood.tends(hours=4).issues()
    assert issue["vehicles"] >= 64


def test_a_flood_is_found_hours_behind_and_is_not_over_while_it_is_worked_off(
    engine: sa.Engine,
) -> None:
    """The pipeline comes four hours behind its topic, while another feed is at the present."""
    flood = Flood(engine, SurgeRule.HOLD)
    other = Partition(Feed.HTTP, "another", 0)
    now = Stream(other).says(vin(900), "dtc:B1342", 4 * 60, id="now").records
    flood.plays(now)
    flood.report(range(60), 5).tends(hours=4)
    (issue,) = flood.issues()
    assert (issue["state"], issue["vehicles"], issue["per_minute"]) == ("holding", 60, 6.0)
    for wave in range(3):  # it grows by our clock: it is not over
        flood.report(range(100 + 20 * wave, 120 + 20 * wave), 10 + wave).tends(hours=1)
    assert flood.issues()[0]["state"] == "holding"
    # the stream stands still: nobody knows whether it is over
    assert flood.tends(hours=5).issues()[0]["state"] == "holding"
    flood.report([901], 12 * 60, code="dtc:B1342").tends(minutes=1)
    assert flood.rows(t.fleet_issue)[0]["state"] == "over"


def test_a_quiet_issue_is_over_its_tasks_go_and_it_may_come_back(flood: Flood) -> None:
    flood.decides(IssueState.HOLDING)
    flood.tends(minutes=1).report([901], 3 * 60, code="dtc:B1342")
    flood.tends(hours=3)
    assert flood.rows(t.fleet_issue)[0]["state"] == "over"
    for _ in range(5):
        flood.tends(minutes=1)
    assert flood.held() == set()
    assert flood.issues() == []
    assert len(flood.issues(is_all=True)) == 1
    flood.report(range(400, 460), 4 * 60).tends(hours=1)
    assert flood.issues()[0]["state"] == "watched"


def _story(seed: int) -> list[tuple[float, range, dict[str, Any]]]:
    """Floods and single cars over five days: (minute, cars, what differs), in stream order."""
    chance = Random(seed)
    story: list[tuple[float, range, dict[str, Any]]] = []
    first = 0
    for _ in range(chance.randint(6, 12)):
        cars = chance.choice((1, 5, 30, 60, 120))
        more = {"code": chance.choice((CODE, "dtc:B1342")), "software": chance.choice(("a", "b"))}
        story.append((chance.uniform(0, 5 * DAY), range(first, first + cars), more))
        first += cars
    return sorted(story, key=lambda report: report[0])


def _issues_of(flood: Flood) -> list[tuple[Any, ...]]:
    names = ("issue_id", "code", "software", "first_seen")
    return [tuple(row[name] for name in names) for row in flood.rows(t.fleet_issue)]


@pytest.mark.parametrize("seed", range(6))
def test_looks_after_each_report_and_one_look_after_all_find_the_same(
    migrated_sqlite: Path, tmp_path: Path, seed: int
) -> None:
    engines = [
        make_engine(f"sqlite:///{copyfile(migrated_sqlite, tmp_path / name)}") for name in "ab"
    ]
    at_speed, live = map(Flood, engines)
    for minute, cars, more in _story(seed):
        at_speed.report(cars, minute, **more)
        live.report(cars, minute, **more)
        live.tends(minutes=max(1, minute - (live.now - START).total_seconds() / 60))
    live.tends(days=1)
    at_speed.tends(days=7)
    assert _issues_of(at_speed) == _issues_of(live)
    for engine in engines:
        engine.dispose()


def test_a_partition_that_is_days_behind_is_searched_where_it_stands(engine: sa.Engine) -> None:
    flood = Flood(engine)
    other = Stream(Partition(Feed.HTTP, "another", 0)).says(vin(900), "dtc:B1342", 3 * DAY, id="o")
    flood.plays(other.records)
    flood.tends(days=3)
    flood.report(range(60), 5)
    (issue,) = flood.tends(minutes=1).issues()
    assert issue["first_seen"] == START + timedelta(minutes=5)
    flood.report(range(60, 120), DAY + 5).tends(minutes=1)
    assert len(flood.rows(t.fleet_issue)) == 1
