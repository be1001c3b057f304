"""The surge rule: which tasks a fleet issue holds back, and the sentence that says why. Pure.

A fleet issue is one code that many cars of one model with one software report at once. What
is unknown belongs to none, and an urgent task is never held (law 5).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from models.case import Build, Fault, Text
from models.ids import digest
from models.words import Priority, SurgeRule


@dataclass(frozen=True, slots=True)
class Surge:
    """When a flood is a fleet issue, and how its tasks are held and let go. Times are stream time.

    `vehicles` of one group within `within`, and `times` as many as a day before, are an issue;
    it is over when fewer than a tenth of them came within `over_after`, by our clock and by stream
    time. Held tasks are let go at `release` a minute.
    """

    rule: SurgeRule = SurgeRule.PROPOSE
    vehicles: int = 50
    within: timedelta = timedelta(hours=1)
    times: float = 5.0
    over_after: timedelta = timedelta(hours=2)
    release: int = 60


@dataclass(frozen=True, slots=True)
class FleetIssue:
    """A fleet issue whose tasks are held back, as the pipeline knows it."""

    issue_id: str
    code: str
    build: Build
    vehicles: int

    @property
    def because(self) -> Text:
        """Return why a task is held back, and what it is one of."""
        cars, code = f"{self.build.model} · {self.build.software}", self.code
        return Text(
            f"全车型问题，任务暂缓：{self.vehicles:,} 辆车（{cars}）同报 {code}",
            f"Held back as a fleet issue: one of {self.vehicles:,} vehicles ({cars}) with {code}",
        )


def issue_id(code: str, model: str, software: str) -> str:
    """Return the id of the issue of a code on the cars of a model with a software."""
    return digest("fleet issue", code, model, software)


def issue_of(faults: Iterable[Fault], build: Build) -> str | None:
    """Return the id of the issue that these active, unfolded faults could be part of.

    None unless all are one code, on a car whose model and software are known.
    """
    codes = {fault.code for fault in faults}
    if len(codes) != 1 or build.model is None or build.software is None:
        return None
    return issue_id(codes.pop(), build.model, build.software)


def may_hold(priority: Priority) -> bool:
    """Return whether a fleet issue may hold a task of this priority back: never an urgent one."""
    return priority is not Priority.URGENT
