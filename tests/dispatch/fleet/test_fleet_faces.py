"""Fleet issues where people meet them: the board, the API, the shell, the metrics."""

import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from dispatch.access.acting import Acting
from dispatch.fleet import detect, hold_back
from dispatch.read.queue import ROWS
from ingest.tape import write_tape
from models import tables as t
from models.batch import Partition
from models.person import CLOCK
from models.words import Feed, Role
from tests.support.commands import Pacc
from tests.support.consoles import Console
from tests.support.floods import CODE, vin
from tests.support.webs import blank
from tests.worlds import BEIJING, OTHER, Stream

BUILD: dict[str, Any] = {"model": "Nova <5>", "software": "11-2026.02"}


@pytest.fixture
def room(engine: sa.Engine) -> Console:
    """60 cars of one build around Beijing, of which `tend` has made one fleet issue."""
    room = Console(engine)
    stream = Stream()
    for number in range(60):
        stream.says(vin(number), CODE, 5, **BEIJING, **BUILD)
    room.centre.plays(stream.records)
    room.centre.later(minutes=10)
    with engine.begin() as connection:
        detect.update_issues(Acting(connection, CLOCK, room.centre.now, room.centre.house))
    room.person("zhao", Role.SUPERVISOR, name="Zhao", language="en")
    room.person("qian", Role.SUPERVISOR, name="Qian", language="zh")
    room.person("near", Role.SUPERVISOR, "rsa-beijing", name="Near", language="en")
    room.person("far", Role.SUPERVISOR, "rsa-wuhan", name="Far", language="en")
    room.person("adm", Role.ADMINISTRATOR, name="Adm", language="en")
    room.person("li", Role.OPERATOR, "rsa-beijing", name="Li", language="en")
    return room


def fleet_issue(room: Console) -> dict[str, Any]:
    """The fleet issue as it is stored."""
    (row,) = room.centre.rows(t.fleet_issue)
    return row


def test_the_board_shows_it_in_words_and_a_supervisor_holds_and_lets_go(room: Console) -> None:
    issue = fleet_issue(room)["issue_id"]
    room.enters("zhao")
    page = room.client.get("/board").text
    for said in ("Fleet issues", "Nova &lt;5&gt; · 11-2026.02", CODE, ">60<", "Watched"):
        assert said in page
    page = room.posts(f"/board/hold/{issue}", reason="bad update").text
    assert "Held back" in page
    assert "Zhao, " in page
    assert "bad update" in page
    assert fleet_issue(room)["state"] == "holding"
    again = room.posts(f"/board/hold/{issue}", reason="again")
    assert again.status_code == 409
    assert "are held back already" in again.text
    silent = room.posts(f"/board/release/{issue}", reason=" ")
    assert (silent.status_code, 'aria-invalid="true"' in silent.text) == (422, True)
    room.posts(f"/board/release/{issue}", reason="fixed")
    assert fleet_issue(room)["state"] == "released"
    kept = [(row["act"], row["actor"]) for row in room.centre.rows(t.audit)]
    assert kept == [("fleet_issue_held", "Zhao"), ("fleet_issue_released", "Zhao")]


def test_a_held_case_says_so_on_its_page_and_has_nothing_due(room: Console) -> None:
    task = room.centre.rows(t.task)[0]
    room.enters("zhao")
    assert "data-due" in room.client.get(f"/task/{task['task_id']}").text
    room.posts(f"/board/hold/{fleet_issue(room)['issue_id']}", reason="bad update")
    hold_back.hold_waiting(room.centre.engine, room.centre.now, room.centre.house)
    page = room.client.get(f"/task/{task['task_id']}").text
    assert "Held back as a fleet issue: one of 60 vehicles" in page
    assert "data-due" not in page
    room.enters("qian")
    assert "全车型问题，任务暂缓：60 辆车" in room.client.get(f"/task/{task['task_id']}").text


def test_no_button_offers_to_claim_what_is_held(room: Console) -> None:
    """Where a held task stands it says why; a claim would only be refused."""
    claim = re.compile(r'action="/task/[0-9a-f]+/(row/)?claim"')
    room.enters("zhao")
    name = room.centre.rows(t.task)[0]["task_id"]
    assert all(claim.search(room.client.get(path).text) for path in ("/queue", f"/task/{name}"))
    room.posts(f"/board/hold/{fleet_issue(room)['issue_id']}", reason="bad update")
    hold_back.hold_waiting(room.centre.engine, room.centre.now, room.centre.house)
    for path in ("/queue?tab=snoozed", f"/task/{name}"):
        page = room.client.get(path).text
        assert "Held back as a fleet issue" in page
        assert not claim.search(page)


@pytest.mark.parametrize(
    ("path", "severity", "lat", "lon", "cars"),
    [
        ("/customers", "service", 31.2, 121.5, 100),
        ("/handover", "limited", 39.9, 116.4, ROWS),
    ],
)
def test_what_is_held_leaves_room_for_the_others(
    engine: sa.Engine, path: str, severity: str, lat: float, lon: float, cars: int
) -> None:
    """As many customers of one bad update as a page shows, held back; and one of another fault."""
    room = Console(engine)
    more: dict[str, Any] = {"severity": severity, "position": {"lat": lat, "lon": lon}}
    stream = Stream()
    for number in range(cars):
        stream.says(vin(number), CODE, 5, **more, **BUILD)
    stream.says(OTHER, "dtc:P0C02", 6, **more)
    room.centre.plays(stream.records)
    room.centre.later(minutes=10)
    with engine.begin() as connection:
        detect.update_issues(Acting(connection, CLOCK, room.centre.now, room.centre.house))
    room.person("zhao", Role.SUPERVISOR, name="Zhao", language="en")
    room.enters("zhao")
    assert f"<td>{cars + 1}</td>" in room.client.get("/board").text
    room.posts(f"/board/hold/{fleet_issue(room)['issue_id']}", reason="bad update")
    hold_back.hold_waiting(engine, room.centre.now, room.centre.house)
    assert f"<td>{cars + 1}</td>" not in room.client.get("/board").text
    page = room.client.get(path).text
    assert OTHER[-6:] in page
    assert "F4000" not in page


def test_the_board_says_it_in_chinese(room: Console) -> None:
    room.enters("qian")
    page = room.client.get("/board").text
    for said in ("全车型问题", "观察中", "暂缓", "紧急任务从不暂缓"):
        assert said in page
    assert "Fleet-wide" not in page
    room.posts(f"/board/hold/{fleet_issue(room)['issue_id']}", reason="升级有误")
    again = room.posts(f"/board/hold/{fleet_issue(room)['issue_id']}", reason="再来")
    assert "该问题的任务已在暂缓中" in again.text


def test_law_8_a_matter_is_seen_where_its_tasks_lie_and_decided_for_all_desks(
    room: Console,
) -> None:
    issue = fleet_issue(room)["issue_id"]
    for login, sees in (("near", True), ("far", False), ("adm", True)):
        room.enters(login)
        page = room.client.get("/board").text
        assert (issue in page) is sees, login
        assert "/board/hold/" not in page, login
        answers = [room.posts(f"/board/hold/{one}", reason="r") for one in (issue, "0" * 32)]
        assert answers[0].status_code == (403 if sees else 404), login
        if not sees:
            assert answers[0].text == answers[1].text
    room.enters("li")
    assert room.client.get("/board").status_code == 403
    assert fleet_issue(room)["state"] == "watched"


def test_the_api_lists_holds_and_releases_and_answers_once(room: Console) -> None:
    boss = room.key(Role.SUPERVISOR, name="Boss")
    (issue,) = room.asks(boss, "/v1/fleet-issues").json()
    assert (issue["code"], issue["vehicles"], issue["state"], issue["held"]) == (
        CODE,
        60,
        "watched",
        0,
    )
    path = f"/v1/fleet-issues/{issue['issue_id']}"
    for _ in range(2):
        done = room.asks(boss, f"{path}/hold", {"reason": "bad"}, Idempotency_Key="k")
        assert (done.status_code, done.json()["state"]) == (200, "holding")
    assert room.asks(boss, f"{path}/hold", {"reason": "bad"}).status_code == 409
    assert room.asks(boss, f"{path}/release", {}).status_code == 422
    assert room.asks(boss, f"{path}/release", {"reason": "ok"}).json()["changed_by"] == "Boss"


def test_law_8_over_the_api_another_desks_issue_is_not_there(room: Console) -> None:
    issue = fleet_issue(room)["issue_id"]
    for role, desk, seen in (
        (Role.SUPERVISOR, "rsa-wuhan", 404),
        (Role.SUPERVISOR, "rsa-beijing", 403),
        (Role.OPERATOR, "rsa-beijing", 403),
        (Role.DEALER, "dealer-shanghai-1", 403),
        (Role.ENGINEER, None, 403),
        (Role.ADMINISTRATOR, None, 403),
    ):
        key = room.key(role, desk)
        for what in ("hold", "release"):
            theirs, none = (
                room.asks(key, f"/v1/fleet-issues/{one}/{what}", {"reason": "r"})
                for one in (issue, "0" * 32)
            )
            assert theirs.status_code == seen, (role, desk)
            if desk != "rsa-beijing" or role is not Role.SUPERVISOR:
                assert blank(theirs, {"i": issue}) == blank(none, {"i": "0" * 32})
        listed = room.asks(key, "/v1/fleet-issues")
        if desk == "rsa-wuhan":
            assert listed.json() == []
    assert fleet_issue(room)["state"] == "watched"


def test_metrics_count_fleet_issues_and_what_they_hold(room: Console) -> None:
    room.enters("zhao")
    room.posts(f"/board/hold/{fleet_issue(room)['issue_id']}", reason="r")
    with room.centre.engine.begin() as connection:
        connection.execute(sa.update(t.task).values(issue_id="x").where(t.task.c.vin.like("%00")))
        room.metrics.read_database(connection, room.centre.now)
    value = room.metrics.registry.get_sample_value
    assert value("pacc_fleet_issues", {"state": "holding"}) == 1
    assert value("pacc_fleet_issues", {"state": "watched"}) == 0
    assert value("pacc_fleet_issue_vehicles") == 60
    assert value("pacc_fleet_issue_held") == 1


def test_what_the_shell_holds_the_pipeline_knows(room: Console, tmp_path: Path) -> None:
    """The worker that the wiring makes learns of a holding fleet issue, unless the rule is off."""
    url = room.centre.engine.url.render_as_string(hide_password=False)
    feed = Partition(Feed.TAPE, "another", 0)
    for number, rule in ((1, "propose"), (2, "off")):
        pacc = Pacc(PACC_DATABASE_URL=url, PACC_SURGE=rule)
        if rule == "propose":
            pacc("fleet", "hold", fleet_issue(room)["issue_id"], "--reason", "bad")
        car = f"LBV8P2C05L7F5{number:04d}"
        stream = Stream(feed).says(car, CODE, 20 + number, id=car, **BUILD)
        write_tape(stream.records, tmp_path / "tape.jsonl")
        pacc("replay", str(tmp_path / "tape.jsonl"))
        (task,) = room.centre.rows(t.task, vin=car)
        assert (task["issue_id"] is not None) is (rule == "propose"), rule


def test_the_shell_lists_holds_and_releases(room: Console) -> None:
    url = room.centre.engine.url.render_as_string(hide_password=False)
    pacc = Pacc(PACC_DATABASE_URL=url, PACC_SURGE="hold", PACC_RELAY="false")
    changed = pacc("tend", "--once")["changed"]
    assert (changed["fleet_issue_held"], changed["shelved"]) == (1, 60)
    (issue,) = pacc("fleet", "list")
    assert (issue["state"], issue["held"]) == ("holding", 60)
    assert pacc("fleet", "release", issue["issue_id"], "--reason", "wait")["state"] == "released"
    assert pacc("fleet", "hold", issue["issue_id"], "--reason", "bad")["state"] == "holding"
    assert pacc("fleet", "release", issue["issue_id"], "--reason", "ok")["state"] == "released"
