"""Fleet-wide matters beside the pipeline: it learns which are held, `pacc tend` finds them."""

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

LOOK_EVERY: Final = timedelta(seconds=30)  # a look counts the cases of an hour

_Refresh = Callable[[sa.Connection, Policy], Policy]


def with_matters(rule: SurgeRule, refresh: _Refresh) -> _Refresh:
    """Let a worker also take over which matters are held, between two batches: one statement."""
    if rule is SurgeRule.OFF:
        return refresh

    def current(connection: sa.Connection, policy: Policy) -> Policy:
        matters = holding(connection)
        policy = refresh(connection, policy)
        return policy if matters == policy.matters else replace(policy, matters=matters)

    return current


class FleetWatch:
    """Looks for matters now and then, and moves their tasks at every turn."""

    def __init__(self) -> None:
        self._pace = Pace(LOOK_EVERY)
        self._is_more = False

    def turn(self, engine: sa.Engine, at: datetime, house: DispatchPolicy) -> Counter[str]:
        """Do what is due now; count what was done."""
        done: Counter[str] = Counter()
        if self._pace.is_due(at):
            with self._pace.timed(at):
                with engine.begin() as connection:
                    done += detect.look(Acting(connection, CLOCK, at, house))
                done["shelved"] += self._shelve(engine, at, house)
        elif self._is_more:
            done["shelved"] += self._shelve(engine, at, house)
        done["let_go"] += hold_back.let_go(engine, at, house)
        return +done

    def _shelve(self, engine: sa.Engine, at: datetime, house: DispatchPolicy) -> int:
        held = hold_back.shelve(engine, at, house)
        self._is_more = held > 0
        return held
