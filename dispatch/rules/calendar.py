"""When a desk works: one calendar for deadlines, pauses, attempts, routing and appointments. Pure.

Every function is total: for a desk that is never open, or not within the coming year, the answer
is None. An interval belongs to the day on which it begins: a holiday shuts the day's intervals, and
not the end of the night before. Local times are read as RFC 5545 (3.3.5) has it: one that a clock
change leaves out by the offset before it, one that comes twice the first time.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from dispatch.rules.opening_hours import USUAL_HOURS, Interval
from models.case import Desk

_FARTHEST_DAYS: Final = 400
_NOTHING: Final = timedelta(0)
Span = tuple[datetime, datetime]


def is_at_work(desk: Desk, at: datetime) -> bool:
    """Return whether the desk works at `at`."""
    return next_open(desk, at) == at


def next_open(desk: Desk, at: datetime) -> datetime | None:
    """Return `at` if the desk is open then, else when it opens next."""
    return next((opens for opens, _ in _spans(desk, at)), None)


def add_working(desk: Desk, at: datetime, duration: timedelta) -> datetime | None:
    """Return when the desk has worked for `duration` from `at` on: a moment at which it is open."""
    left = duration
    for opens, closes in _spans(desk, at):
        if opens + left < closes:
            return opens + left
        left -= closes - opens
    return None


def working_between(desk: Desk, start: datetime, end: datetime) -> timedelta:
    """Return how long the desk works between two times, no farther than the look-ahead."""
    worked = _NOTHING
    for opens, closes in _spans(desk, start):
        if opens >= end:
            break
        worked += min(closes, end) - opens
    return worked


def next_business_day(desk: Desk, at: datetime) -> datetime | None:
    """Return one business day later: the same local time of the next day on which it is open, or
    when it opens next after that. While it is shut the count starts at the next opening.
    """
    days = business_days(desk, at)
    today, spans = next(days, (None, []))
    if today is None:
        return None
    start = max(at, next(opens for opens, closes in spans if closes > at))
    zone = zone_of(desk.timezone)
    wall = start.astimezone(zone).replace(tzinfo=None) - datetime.combine(today, time())
    later: datetime | None = None
    for day, spans_of_day in days:
        later = later or _moment(day, wall, zone)
        for opens, closes in spans_of_day:
            if later < closes:
                return max(later, opens)
    return None


def business_days(desk: Desk, at: datetime) -> Iterator[tuple[date, list[Span]]]:
    """Yield the days on which the desk is open after `at`, each with its opening hours in UTC."""
    if not desk.is_open:
        return
    zone = zone_of(desk.timezone)
    hours = desk.hours or USUAL_HOURS
    first = at.astimezone(zone).date() - timedelta(days=1)  # its night may go on
    for ahead in range(_FARTHEST_DAYS):
        day = first + timedelta(days=ahead)
        intervals = hours.get(day.isoweekday())
        if not intervals or (desk.holidays and day.isoformat() in desk.holidays):
            continue
        spans = _spans_of_day(day, intervals, zone)
        if spans and spans[-1][1] > at:
            yield day, list(spans)


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """Return a time zone; one that this machine does not know counts as UTC."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return ZoneInfo("UTC")


def _spans(desk: Desk, at: datetime) -> Iterator[Span]:
    """Yield when the desk is open from `at` on, in order, no moment twice."""
    after = at
    for _, spans in business_days(desk, at):
        for opens, closes in spans:
            if closes > after:
                yield max(opens, after), closes
                after = closes


@lru_cache(maxsize=65_536)
def _spans_of_day(day: date, intervals: tuple[Interval, ...], zone: ZoneInfo) -> tuple[Span, ...]:
    minutes = [(timedelta(minutes=opens), timedelta(minutes=closes)) for opens, closes in intervals]
    spans = [(_moment(day, opens, zone), _moment(day, closes, zone)) for opens, closes in minutes]
    return tuple(sorted(span for span in spans if span[0] < span[1]))


def _moment(day: date, wall: timedelta, zone: ZoneInfo) -> datetime:
    """Return in UTC when the clocks of a zone show so long after a day's midnight."""
    local = datetime.combine(day, time()) + wall
    return local.replace(tzinfo=zone).astimezone(UTC)
