"""A bad update: cars of one build report one code, and a centre looks after the fleet issue."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from dispatch.fleet import issues
from dispatch.rules.fleet_issue import Surge
from models import tables as t
from models.words import IssueState, SurgeRule
from pacc.pipeline.worker import same_policy
from pacc.tend.fleet import FleetWatch, with_fleet_issues
from tests.worlds import BEIJING, Centre, Stream, supervisor

CODE = "dtc:P0C01"
BUILD: dict[str, Any] = {"model": "Nova 5", "software": "11-2026.02"}


def vin(number: int) -> str:
    return f"LBV8P2C05L7F4{number:04d}"


class Flood(Centre):
    """A centre whose cars report one after the other, and whose `tend` looks after fleet issues."""

    def __init__(self, engine: sa.Engine, rule: SurgeRule = SurgeRule.PROPOSE) -> None:
        super().__init__(engine)
        self.house = replace(self.house, surge=Surge(rule=rule, release=60))
        self.worker._refresh = with_fleet_issues(rule, same_policy)
        self.watch = FleetWatch()
        self.stream = Stream()
        self.done: Any = {}

    def report(self, numbers: Any, minute: float, **more: Any) -> "Flood":
        """Let cars report, and the pipeline hear them."""
        first = len(self.stream.records)
        fields = {**BUILD, **BEIJING, "code": CODE, **more}
        code = fields.pop("code")
        for number in numbers:
            self.stream.says(vin(number), code, minute, **fields)
        self.plays(self.stream.records[first:])
        return self

    def tends(self, **by: float) -> "Flood":
        """Let time pass, and `tend` look."""
        self.later(**by)
        self.done = self.watch.tick(self.engine, self.now, self.house)
        return self

    def issues(self, actor: Any = None, **more: Any) -> list[dict[str, Any]]:
        with self.engine.begin() as connection:
            return issues.list_issues(connection, actor or supervisor(), **more)

    def decides(self, to: IssueState, reason: str = "bad update", actor: Any = None) -> None:
        (issue,) = self.issues()
        self.act(issues.decide_on, issue["issue_id"], actor or supervisor(), to=to, reason=reason)

    def held(self) -> set[str]:
        return {row["vin"] for row in self.rows(t.task) if row["held_en"] is not None}


@pytest.fixture
def flood(engine: sa.Engine) -> Flood:
    """200 cars of one build and one other car, within ten minutes."""
    centre = Flood(engine).report(range(200), 5).report([900], 6, code="dtc:B1342")
    return centre.tends(minutes=10)
