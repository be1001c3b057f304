"""Fleet issues: `pacc tend` detects them, workers learn which are held back."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from msgspec.structs import replace

from dispatch.access.acting import Acting
from dispatch.fleet import detect, hold_back
from dispatch.fleet.issues import holding
from dispatch.rules.policy import DispatchPolicy
from models.person import CLOCK
from models.words import SurgeRule
from pacc.decide.policy import Policy
from pacc.process.pace import Pace

DETECT_EVERY: Final = timedelta(seconds=30)  # it counts the cases of an hour

_Refresh = Callable[[sa.Connection, Policy], Policy]


def with_fleet_issues(rule: SurgeRule, refresh: _Refresh) -> _Refresh:
    """Extend `refresh` of a worker by the issues that hold tasks back: one statement a batch."""
    if rule is SurgeRule.OFF:
        return refresh

    def current(connection: sa.Connection, policy: Policy) -> Policy:
        issues = holding(connection)
        policy = refresh(connection, policy)
        return policy if issues == policy.fleet_issues else replace(policy, fleet_issues=issues)

    return current


class FleetWatch:
    """Detects issues every `DETECT_EVERY`; holds back and releases their tasks at every tick."""

    def __init__(self) -> None:
        self._pace = Pace(DETECT_EVERY)
        self._has_more = False

    def tick(self, engine: sa.Engine, at: datetime, policy: DispatchPolicy) -> Counter[str]:
        """Do what is due now; return the changes, counted by kind."""
        changes: Counter[str] = Counter()
        if self._pace.is_due(at):
            with self._pace.timed(at):
                with engine.begin() as connection:
                    changes += detect.update_issues(Acting(connection, CLOCK, at, policy))
                changes["shelved"] += self._hold_back(engine, at, policy)
        elif self._has_more:
            changes["shelved"] += self._hold_back(engine, at, policy)
        changes["let_go"] += hold_back.release(engine, at, policy)
        return +changes

    def _hold_back(self, engine: sa.Engine, at: datetime, policy: DispatchPolicy) -> int:
        count = hold_back.hold_waiting(engine, at, policy)
        self._has_more = count > 0
        return count
