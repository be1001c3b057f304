"""How the canary is, and how the workers are: what health and metrics say."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from models import tables as t
from pacc.watch.pulse import pulses

PULSE: Final = "canary"
# Beyond so many of its intervals without a sight of it the way is called blocked.
_LATE: Final = 3


@dataclass(frozen=True, slots=True)
class CanaryStatus:
    """How the canary is: when it was last sent, last seen in a queue, and how long that took."""

    every_seconds: float
    sent_at: datetime
    seen_at: datetime | None = None
    took_seconds: float | None = None
    missed: int = 0
    began_at: datetime | None = None

    def shown(self, at: datetime) -> dict[str, Any]:
        """Say how it is at `at`, in values and in words."""
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


def flight(connection: sa.Connection) -> CanaryStatus | None:
    """Read how the canary is; None where none was ever sent."""
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


def _time(spelled: str | None) -> datetime | None:
    return datetime.fromisoformat(spelled) if spelled else None


def age_of(one: CanaryStatus | None, at: datetime) -> float:
    """Give the seconds since the canary was last seen; NaN where none was ever sent."""
    return math.nan if one is None else float(one.shown(at)["age_seconds"])


def streams(connection: sa.Connection, at: datetime) -> Mapping[str, Any]:
    """Say how the workers are, by what each has told in the last two minutes."""
    told = pulses(connection, "run ", at - timedelta(minutes=2))
    behind = [one["detail"]["behind"] for one in told]
    known = [number for number in behind if number is not None]
    standing = max((one["detail"]["standing_seconds"] for one in told), default=0.0)
    says = f"{len(told)} workers, {sum(known)} records wait" if told else "no worker has told"
    if len(known) < len(told):
        says += ", Kafka does not tell all"
    if standing:
        says += f"; one has stood still for {standing:.0f} s"
    return {
        "workers": len(told),
        "behind": sum(known) if known else None,
        "standing_still_seconds": standing,
        "says": says,
    }
