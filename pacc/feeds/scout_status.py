"""Status of the scouts: what each reports as metrics and pulse, and what `/ready` says of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from models import tables as t
from models.batch import Partition, Record, moment_of
from models.words import Feed
from pacc.process.clock import utc_now
from pacc.watch.metrics import ScoutMetrics
from pacc.watch.pulse import read_pulses, write_pulse

_PULSE: Final = "scout "
_PULSE_EVERY: Final = timedelta(seconds=5)
_ALIVE_WITHIN: Final = timedelta(seconds=30)


class ScoutStatus:
    """The status of one scout: `owner` names it among others."""

    def __init__(self, engine: sa.Engine, owner: str, metrics: ScoutMetrics) -> None:
        self._engine = engine
        self._name = _PULSE + owner
        self._metrics = metrics
        self._passed = 0
        self._brought = 0
        self._pulse_due = utc_now()

    def read_positions(self) -> dict[Partition, int]:
        """Read the stored position of every Kafka partition."""
        p = t.position.c
        query = sa.select(p.topic, p.part, p.next_offset).where(p.feed == Feed.KAFKA.value)
        with self._engine.begin() as connection:
            rows = connection.execute(query).all()
        return {Partition(Feed.KAFKA, row.topic, row.part): row.next_offset for row in rows}

    def report_brought(self, records: Sequence[Record], outcomes: Mapping[str, int]) -> None:
        """Report records whose stop faults were brought forward, and how many ended how."""
        self._brought += len(records)
        now = utc_now()
        times = [moment_of(record.timestamp) for record in records]
        self._metrics.observe_brought(
            ((now - at).total_seconds() for at in times if at is not None), outcomes
        )

    def report_lag(self, behind: int, unread: int, passed: int) -> None:
        """Report the pipeline's lag, what of it is unread, and how many records were passed."""
        self._metrics.observe_lag(behind, unread, passed - self._passed)
        self._passed = passed
        now = utc_now()
        if now >= self._pulse_due:
            self._pulse_due = now + _PULSE_EVERY
            detail = {"behind": behind, "unread": unread, "brought": self._brought}
            with self._engine.begin() as connection:
                write_pulse(connection, self._name, now, detail)


def scout_health(connection: sa.Connection, at: datetime) -> Mapping[str, Any]:
    """Return how the scouts are, by their pulses of the last half minute."""
    details = [pulse["detail"] for pulse in read_pulses(connection, _PULSE, at - _ALIVE_WITHIN)]
    unread = min((detail["unread"] for detail in details), default=None)
    brought = sum(detail["brought"] for detail in details)
    if not details:
        says = "no scout has told: behind a flood stop faults wait their turn (`pacc scout`)"
    elif unread:
        says = f"{unread} records of the backlog are unread, {brought} were brought forward"
    else:
        says = f"nothing is unread, {brought} records were brought forward"
    return {"scouts": len(details), "unread": unread, "brought": brought, "says": says}
