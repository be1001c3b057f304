"""The tasks of a fleet issue: who may hold them, what is held, and how it is let go."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dispatch.fleet import hold_back
from dispatch.rules.fleet_issue import Surge
from dispatch.tasks import actions, silences
from models import tables as t
from models.errors import Conflict, NotAllowed, NotThere
from models.words import IssueState, SurgeRule
from pacc.reconcile.cases import cases_against_tasks, tasks_made
from pacc.reconcile.events import outbox
from tests.support.floods import Flood, flood, vin
from tests.worlds import START, operator, supervisor

__all__ = ["flood"]


def freed_ids(flood: Flood) -> set[str]:
    """The tasks that were let go just now."""
    return {
        row["task_id"] for row in flood.rows(t.entry, kind="task_unheld") if row["at"] == flood.now
    }


def sound(flood: Flood) -> None:
    """`pacc reconcile` finds nothing wrong."""
    with flood.engine.begin() as connection:
        assert cases_against_tasks(connection) == []
        assert tasks_made(connection, is_full=True) == []
        assert outbox(connection, flood.now, None, is_full=True) == []


def test_from_the_flood_to_its_end(flood: Flood) -> None:
    flood.decides(IssueState.HOLDING)
    flood.tends(minutes=1)
    assert flood.done["shelved"] == 200
    assert len(flood.held()) == 200
    assert flood.issues()[0]["held"] == 200
    flood.report(range(300, 310), 12).report([910], 12, code="dtc:B1342")
    flood.report([911], 12, software="11-2025.40")
    assert flood.held() == {vin(number) for number in (*range(200), *range(300, 310))}
    (task,) = flood.rows(t.task, vin=vin(300))
    assert task["held_en"] == (
        "Held back as a fleet issue: one of 200 vehicles (Nova 5 · 11-2026.02) with dtc:P0C01"
    )
    assert task["held_zh"] == "全车型问题，任务暂缓：200 辆车（Nova 5 · 11-2026.02）同报 dtc:P0C01"
    # another fault lets go at once, and so does danger
    flood.report([7], 13, code="dtc:B1342").report([8], 13, severity="stop", motion="moving")
    flood.report([9], 13)
    assert {vin(7), vin(8)}.isdisjoint(flood.held())
    assert vin(9) in flood.held()
    (freed,) = flood.rows(t.task, vin=vin(7))
    assert freed["claim_by"] is None or freed["claim_by"] > START + timedelta(minutes=13)
    assert flood.rows(t.task, vin=vin(8))[0]["priority"] == "urgent"
    # the clock neither lets go nor misses a promise of what is held
    before = len(flood.held())
    flood.tends(hours=1)
    assert len(flood.held()) == before
    held_back = [row for row in flood.rows(t.task) if row["held_en"]]
    assert not [row for row in held_back if row["claim_missed_at"] or row["contact_missed_at"]]
    flood.decides(IssueState.RELEASED, "the fix is out")
    flood.tends(seconds=10)
    assert len(flood.held()) == before - 10
    assert all(
        row["claim_by"] is None or row["claim_by"] > flood.now
        for row in flood.rows(t.task)
        if row["task_id"] in freed_ids(flood)
    )
    flood.tends(seconds=1)
    assert len(flood.held()) == before - 11
    for _ in range(4):
        flood.tends(minutes=1)
    assert flood.held() == set()
    sound(flood)


def test_the_worst_goes_first_and_a_repeat_of_its_fault_lets_nothing_go(flood: Flood) -> None:
    flood.report([5], 11, severity="stop", motion="parked")
    flood.decides(IssueState.HOLDING)
    flood.tends(minutes=1).report([5, 6], 14)
    assert {vin(5), vin(6)} <= flood.held()
    flood.decides(IssueState.RELEASED)
    flood.report([6], 15)
    assert vin(6) in flood.held()
    ranks = {row["vin"]: (row["priority_rank"], row["score"]) for row in flood.rows(t.task)}
    flood.tends(seconds=3)
    let_go = {row["vin"] for row in flood.rows(t.task) if row["task_id"] in freed_ids(flood)}
    assert len(let_go) == 3
    assert min(ranks[one] for one in let_go) >= max(ranks[one] for one in flood.held())


def test_a_task_that_a_person_has_or_had_is_not_held(flood: Flood) -> None:
    first, second = flood.rows(t.task, queue="roadside")[:2]
    for task in (first, second):
        flood.act(actions.claim, task["task_id"], operator())
    flood.later(minutes=2)
    flood.act(actions.claim, second["task_id"], operator())
    flood.decides(IssueState.HOLDING)
    flood.tends(minutes=1)
    assert {first["vin"], second["vin"]}.isdisjoint(flood.held())
    assert len(flood.held()) == 198
    (third, *_) = [row for row in flood.rows(t.task) if row["held_en"]]
    with pytest.raises(Conflict, match="fleet issue"):
        flood.act(actions.claim, third["task_id"], operator())
    flood.act(actions.take_over, third["task_id"], supervisor(), reason="she called")
    assert third["vin"] not in flood.held()
    sound(flood)


def test_by_itself_only_if_told_and_off_lets_go(engine: sa.Engine) -> None:
    flood = Flood(engine, SurgeRule.HOLD).report(range(60), 5).tends(minutes=10)
    assert (flood.issues()[0]["state"], len(flood.held())) == ("holding", 60)
    flood.decides(IssueState.RELEASED)
    assert flood.tends(minutes=1).issues()[0]["state"] == "released"
    flood.decides(IssueState.HOLDING)
    flood.house = replace(flood.house, surge=Surge(rule=SurgeRule.OFF))
    assert flood.tends(minutes=1).issues()[0]["state"] == "released"
    with pytest.raises(Conflict, match="switched off"):
        flood.decides(IssueState.HOLDING)


def test_every_decision_is_kept_and_only_a_supervisor_of_all_desks_decides(flood: Flood) -> None:
    with pytest.raises(NotAllowed):
        flood.decides(IssueState.HOLDING, actor=operator())
    with pytest.raises(NotAllowed, match="all desks"):
        flood.decides(IssueState.HOLDING, actor=supervisor("rsa-beijing"))
    with pytest.raises(NotThere):
        flood.decides(IssueState.HOLDING, actor=supervisor("rsa-wuhan"))
    with pytest.raises(Conflict, match="not held"):
        flood.decides(IssueState.RELEASED)
    flood.decides(IssueState.HOLDING, "bad update")
    with pytest.raises(Conflict, match="already"):
        flood.decides(IssueState.HOLDING)
    flood.decides(IssueState.RELEASED, "fixed")
    with pytest.raises(Conflict):
        flood.decides(IssueState.RELEASED)
    kept = [(row["act"], row["actor"], row["detail"]["reason"]) for row in flood.rows(t.audit)]
    assert kept == [
        ("fleet_issue_held", "Zhao", "bad update"),
        ("fleet_issue_released", "Zhao", "fixed"),
    ]
    assert flood.issues(supervisor("rsa-wuhan")) == []
    tasks = [row["desk"] for row in flood.rows(t.task) if row["vin"] != vin(900)]
    for desk in set(tasks):
        (issue,) = flood.issues(supervisor(desk))
        assert issue["open"] == tasks.count(desk)


def test_a_promise_missed_before_is_none_and_the_new_one_can_be_missed(flood: Flood) -> None:
    flood.tends(minutes=15)
    (task, *_) = [row for row in flood.rows(t.task) if row["claim_missed_at"]]
    flood.decides(IssueState.HOLDING)
    flood.tends(minutes=1)
    (waiting,) = flood.rows(t.task, task_id=task["task_id"])
    assert waiting["held_en"]
    assert waiting["claim_missed_at"] is None
    flood.decides(IssueState.RELEASED)
    for _ in range(5):
        flood.tends(minutes=1)
    (free,) = flood.rows(t.task, task_id=task["task_id"])
    assert free["held_en"] is None
    flood.tends(hours=1)
    assert flood.rows(t.task, task_id=task["task_id"])[0]["claim_missed_at"] is not None


def test_a_silence_beside_a_fleet_issue_goes_on_when_the_issue_ends(flood: Flood) -> None:
    flood.decides(IssueState.HOLDING)
    flood.tends(minutes=1)
    flood.act(
        silences.silence, vin(3), supervisor(), kind="silence", ends_at=None, reason="test car"
    )
    for _ in range(3):  # the clock finds nothing that it could let go
        assert "unheld" not in flood.tends(minutes=1).done
    flood.decides(IssueState.RELEASED)
    for _ in range(5):
        flood.tends(minutes=1)
    assert flood.held() == {vin(3)}
    assert flood.rows(t.task, vin=vin(3))[0]["held_en"] == (
        "Held back: the vehicle is silenced: test car"
    )


def test_lifting_a_silence_lets_nothing_go_that_a_fleet_issue_holds(flood: Flood) -> None:
    flood.decides(IssueState.HOLDING)
    flood.tends(minutes=1)
    boss = supervisor()
    silence_id = flood.act(
        silences.silence, vin(3), boss, kind="silence", ends_at=None, reason="test car"
    )
    flood.act(silences.lift, silence_id, boss)
    assert vin(3) in flood.held()


def test_tasks_that_a_fleet_issue_holds_starve_no_silence_that_ended(engine: sa.Engine) -> None:
    """The clock looks at 500 held tasks at once: of these, none is a fleet issue's."""
    others = range(900, 940)
    flood = Flood(engine).report(range(500), 5).report(others, 5, code="dtc:B1342")
    flood.tends(minutes=10).decides(IssueState.HOLDING)
    end = flood.now + timedelta(minutes=5)
    for car in others:
        flood.act(silences.silence, vin(car), supervisor(), kind="silence", ends_at=end, reason="r")
    flood.tends(minutes=1)
    assert len(flood.held()) == 540
    flood.later(minutes=10)
    assert flood.held() == {vin(car) for car in range(500)}


def test_a_step_costs_a_fixed_number_of_statements_however_many_tasks(engine: sa.Engine) -> None:
    counts = []
    for cars in (60, 240):
        with engine.begin() as connection:
            for table in (t.fleet_issue, t.task, t.case, t.fault, t.alert, t.position, t.ledger):
                connection.execute(sa.delete(table))
        flood = Flood(engine).report(range(cars), 5).tends(minutes=10)
        flood.decides(IssueState.HOLDING)
        seen: list[str] = []

        def note(*arguments: Any, seen: list[str] = seen) -> None:
            seen.append(arguments[2])

        sa.event.listen(engine, "before_cursor_execute", note)
        hold_back.hold_waiting(engine, flood.now, flood.house)
        with engine.begin() as connection:
            flood.worker.refresh(connection)
        sa.event.remove(engine, "before_cursor_execute", note)
        counts.append(len(seen))
        assert len(flood.held()) == cars
    assert counts[0] == counts[1]
