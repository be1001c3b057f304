"""Status of canary and workers, as health check and metrics show it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from models import tables as t
from pacc.watch.pulse import read_pulses

PULSE: Final = "canary"
# Unseen for so many of its intervals, the canary is late.
_LATE: Final = 3


@dataclass(frozen=True, slots=True)
class CanaryStatus:
    """When the canary was last sent, last seen in a queue, and how long that took."""

    every_seconds: float
    sent_at: datetime
    seen_at: datetime | None = None
    took_seconds: float | None = None
    missed: int = 0
    began_at: datetime | None = None

    def as_document(self, at: datetime) -> dict[str, Any]:
        """Return the status at `at` as values, and as a sentence."""
        began = self.seen_at or self.began_at or self.sent_at
        age = max(0.0, (at - began).total_seconds())
        is_late = age > _LATE * self.every_seconds
        waits = self.seen_at is None or self.seen_at < self.sent_at
        waiting = max(0.0, (at - self.sent_at).total_seconds()) if waits else None
        if self.seen_at is None:
            says = f"never seen in a queue, first sent {age:.1f} s ago"
        else:
            says = f"last seen in a queue {age:.1f} s ago, took {self.took_seconds:.1f} s"
        if is_late:
            says += ": the way from the topic to the queue is blocked"
        return {
            "ok": not is_late,
            "age_seconds": round(age, 1),
            "took_seconds": self.took_seconds,
            "waiting_seconds": None if waiting is None else round(waiting, 1),
            "missed": self.missed,
            "says": says,
        }


def read_canary_status(connection: sa.Connection) -> CanaryStatus | None:
    """Return the canary's status; None when none was ever sent."""
    p = t.pulse.c
    row = connection.execute(sa.select(p.detail).where(p.name == PULSE)).scalar()
    if not row:
        return None
    times = {name: _time(row.get(name)) for name in ("seen_at", "began_at")}
    sent_at = datetime.fromisoformat(row["sent_at"])
    return CanaryStatus(
        row["every_seconds"],
        sent_at,
        times["seen_at"],
        row["took_seconds"],
        row["missed"],
        times["began_at"],
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def canary_age(status: CanaryStatus | None, at: datetime) -> float:
    """Return the seconds since the canary was last seen; NaN when none was ever sent."""
    return math.nan if status is None else float(status.as_document(at)["age_seconds"])


def worker_health(connection: sa.Connection, at: datetime) -> Mapping[str, Any]:
    """Return how the workers are, by their pulses of the last two minutes."""
    pulses = read_pulses(connection, "run ", at - timedelta(minutes=2))
    behind = [pulse["detail"]["behind"] for pulse in pulses]
    known = [number for number in behind if number is not None]
    standing = max((pulse["detail"]["standing_seconds"] for pulse in pulses), default=0.0)
    says = f"{len(pulses)} workers, {sum(known)} records wait" if pulses else "no worker has told"
    if len(known) < len(pulses):
        says += ", Kafka does not tell all"
    if standing:
        says += f"; one has stood still for {standing:.0f} s"
    return {
        "workers": len(pulses),
        "behind": sum(known) if known else None,
        "standing_still_seconds": standing,
        "says": says,
    }
