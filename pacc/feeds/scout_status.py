"""What the scout asks the database, and what it tells: metrics, and a pulse for health."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from models import tables as t
from models.batch import Partition, Record
from models.words import Feed
from pacc.process.clock import utc_now
from pacc.watch.metrics import ScoutMetrics
from pacc.watch.pulse import beat, pulses

_PULSE: Final = "scout "
_EVERY: Final = timedelta(seconds=5)
_HEARD_WITHIN: Final = timedelta(seconds=30)


class ScoutStatus:
    """One scout's: `me` names it among others."""

    def __init__(self, engine: sa.Engine, me: str, metrics: ScoutMetrics) -> None:
        self._engine = engine
        self._name = _PULSE + me
        self._metrics = metrics
        self._passed = 0
        self._brought = 0
        self._due = utc_now()

    def positions(self) -> dict[Partition, int]:
        """Read the stored position of every partition of Kafka."""
        p = t.position.c
        query = sa.select(p.topic, p.part, p.next_offset).where(p.feed == Feed.KAFKA.value)
        with self._engine.begin() as connection:
            rows = connection.execute(query).all()
        return {Partition(Feed.KAFKA, row.topic, row.part): row.next_offset for row in rows}

    def brought(self, records: Sequence[Record], outcomes: Mapping[str, int]) -> None:
        """Note records whose stop faults are in their queues now, and how they ended."""
        self._brought += len(records)
        now = utc_now().timestamp()
        self._metrics.brought((now - one.timestamp / 1000 for one in records), outcomes)

    def looked(self, behind: int, unread: int, passed: int) -> None:
        """Note how far the pipeline is behind, what of it is unread, and how many were passed."""
        self._metrics.looked(behind, unread, passed - self._passed)
        self._passed = passed
        now = utc_now()
        if now >= self._due:
            self._due = now + _EVERY
            detail = {"behind": behind, "unread": unread, "brought": self._brought}
            with self._engine.begin() as connection:
                beat(connection, self._name, now, detail)


def scouts(connection: sa.Connection, at: datetime) -> Mapping[str, Any]:
    """Say how the scouts are, by what each has told in the last half minute."""
    told = [one["detail"] for one in pulses(connection, _PULSE, at - _HEARD_WITHIN)]
    unread = min((one["unread"] for one in told), default=None)
    brought = sum(one["brought"] for one in told)
    if not told:
        says = "no scout has told: behind a flood stop faults wait their turn (`pacc scout`)"
    elif unread:
        says = f"{unread} records of the backlog are unread, {brought} were brought forward"
    else:
        says = f"nothing is unread, {brought} records were brought forward"
    return {"scouts": len(told), "unread": unread, "brought": brought, "says": says}
