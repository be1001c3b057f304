"""When a task must be claimed and its customer reached; business time of a desk."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from models.case import Desk
from models.words import Priority, Queue

# Claim and contact within, by priority (the service promise, docs/console.md)
_PROMISES: Final = {
    Priority.URGENT: (timedelta(seconds=60), timedelta(minutes=5)),
    Priority.HIGH: (timedelta(minutes=10), timedelta(minutes=30)),
}
_USUAL_HOURS: Final = dict.fromkeys(range(1, 6), ("09:00", "18:00"))
_FARTHEST_DAYS: Final = 366


class Deadlines(Struct, frozen=True):
    """Latest times of the claim and of the first contact; None where there is none."""

    claim_by: datetime | None
    contact_by: datetime | None


def deadlines(priority: Priority, queue: Queue, desk: Desk | None, at: datetime) -> Deadlines:
    """Return the deadlines of a task opened at `at`.

    A normal task's customer is reached within one business day of its desk: by the same time of
    the next day on which it is open.
    """
    if priority in _PROMISES:
        claim, contact = _PROMISES[priority]
        return Deadlines(at + claim, at + contact)
    if desk is None or queue is Queue.ROADSIDE:
        return Deadlines(None, at + timedelta(days=1))
    return Deadlines(None, next_business_day(desk, at))


def next_open(desk: Desk, at: datetime) -> datetime:
    """Return `at` if the desk is open then, else when it opens next."""
    days = open_days(desk, at)
    opens, closes = next(days)
    if at >= closes:
        opens, _ = next(days)
    return max(at, opens)


def next_business_day(desk: Desk, at: datetime) -> datetime:
    """Return one business day later: outside opening hours the count starts at the next opening."""
    days = open_days(desk, at)
    opens, closes = next(days)
    start = min(max(at, opens), closes)
    while start >= closes:
        opens, closes = next(days)
        start = opens
    opens_next, closes_next = next(days)
    zone = ZoneInfo(desk.timezone)
    same_time = datetime.combine(
        opens_next.astimezone(zone).date(), start.astimezone(zone).time(), zone
    ).astimezone(UTC)
    return min(max(same_time, opens_next), closes_next)


def open_days(desk: Desk, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield opening and closing time of each business day, from the day of `at` on, in UTC."""
    zone = ZoneInfo(desk.timezone)
    hours = desk.hours or _USUAL_HOURS
    first = at.astimezone(zone).date()
    for ahead in range(_FARTHEST_DAYS):
        day: date = first + timedelta(days=ahead)
        if day.isoweekday() not in hours or day.isoformat() in desk.holidays:
            continue
        opens, closes = hours[day.isoweekday()]
        yield _time_of_day(day, opens, zone), _time_of_day(day, closes, zone)
    message = f"desk {desk.desk_id} is not open on two days of the coming year"
    raise ValueError(message)


@lru_cache(maxsize=4096)
def _time_of_day(day: date, text: str, zone: ZoneInfo) -> datetime:
    """Return a time of day, 'HH:MM', in UTC."""
    return datetime.combine(day, time.fromisoformat(text), zone).astimezone(UTC)
