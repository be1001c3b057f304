"""Opening hours between their spelling, their column and minutes of a weekday. Pure and total."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

# From, and until before which, in minutes from the midnight at which the day begins: past 1,440
# the interval goes on over the next midnight.
Interval = tuple[int, int]
Hours = Mapping[int, tuple[Interval, ...]]

DAY: Final = 24 * 60
USUAL_HOURS: Final[Hours] = dict.fromkeys(range(1, 6), ((9 * 60, 18 * 60),))
ALWAYS: Final[Hours] = dict.fromkeys(range(1, 8), ((0, DAY),))
_ALWAYS: Final = frozenset({"24h", "24/7"})
_DASHES: Final = str.maketrans(dict.fromkeys("–—‒−~〜至", "-"))
_CLOCK: Final = re.compile(r"(\d{1,2}):([0-5]\d)(?::00)?")
_DAYS: Final = re.compile(r"([1-7])(?:-([1-7]))?")


def read_hours(spelled: str) -> Hours:
    """Read `1-5 08:30-12:00,13:30-17:30; 6 22:00-06:00; 7 00:00-24:00`, `24h`, or nothing: usual.

    Days are ISO weekdays, Monday is 1. An interval that ends before it begins ends on the next
    day. Raises `ValueError` with a sentence for what cannot be said this way.
    """
    plain = unicodedata.normalize("NFKC", spelled).translate(_DASHES).strip().rstrip(";")
    if plain.lower() in _ALWAYS:
        return dict(ALWAYS)
    hours: dict[int, tuple[Interval, ...]] = {}
    for part in plain.split(";") if plain else ():
        days, _, intervals = re.sub(r"\s*([-,])\s*", r"\1", part.strip()).partition(" ")
        intervals_of_day = _intervals(intervals, part.strip())
        for day in _days(days):
            if day in hours:
                message = f"day {day} stands twice: give all its hours in one part"
                raise ValueError(message)
            hours[day] = intervals_of_day
    return hours


def stored_hours(hours: Hours) -> dict[str, list[list[str]]]:
    """Return what the column of a desk holds: weekday → intervals, each two times of day."""
    return {
        str(day): [[_clock(opens), _clock(closes)] for opens, closes in intervals]
        for day, intervals in sorted(hours.items())
    }


def hours_of(column: Any) -> Hours:
    """Read the column of a desk, of older schemas too: there a day had one interval, and its last
    minute was 23:59. What says nothing that can be understood is left out.
    """
    hours: dict[int, tuple[Interval, ...]] = {}
    for day, spelled in column.items() if isinstance(column, Mapping) else ():
        pairs = [spelled] if _is_pair(spelled) else spelled
        intervals = [_stored(pair) for pair in pairs] if isinstance(pairs, Sequence) else []
        understood = tuple(sorted(interval for interval in intervals if interval))
        if str(day) in "1234567" and understood:
            hours[int(day)] = understood
    return hours


def _days(spelled: str) -> list[int]:
    days: list[int] = []
    for part in spelled.split(","):
        match = _DAYS.fullmatch(part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last:
            message = f"{spelled!r} are no days: 1 is Monday, 7 is Sunday, 1-5 is Monday to Friday"
            raise ValueError(message)
        days += range(first, last + 1)
    return days


def _intervals(spelled: str, part: str) -> tuple[Interval, ...]:
    if not spelled:
        message = f"{part!r}: days and hours are wanted, such as 1-5 09:00-18:00"
        raise ValueError(message)
    intervals = sorted(_interval(pair) for pair in spelled.split(","))
    for (_, closes), (opens, _) in pairwise(intervals):
        if opens < closes:
            message = f"{spelled}: two intervals overlap"
            raise ValueError(message)
    return tuple(intervals)


def _interval(pair: str) -> Interval:
    opens, _, closes = pair.partition("-")
    first, last = _minutes(opens), _minutes(closes)
    if first is None or last is None or first == DAY:
        message = f"{pair!r} is no interval: 09:00-18:00 is one, and 00:00-24:00 the whole day"
        raise ValueError(message)
    if first == last:
        message = f"{pair} begins and ends at the same time: the whole day is 00:00-24:00"
        raise ValueError(message)
    return first, last if last > first else last + DAY


def _minutes(clock: str) -> int | None:
    match = _CLOCK.fullmatch(clock.strip())
    if match is None:
        return None
    minutes = int(match[1]) * 60 + int(match[2])
    return minutes if minutes <= DAY else None


def _clock(minutes: int) -> str:
    """Spell minutes of a day; past midnight as the time of the next day."""
    of_day = minutes if minutes <= DAY else minutes - DAY
    return f"{of_day // 60:02d}:{of_day % 60:02d}"


def _is_pair(spelled: Any) -> bool:
    match spelled:
        case [str(), str()]:
            return True
    return False


def _stored(pair: Any) -> Interval | None:
    if not _is_pair(pair):
        return None
    try:
        first, last = _interval("-".join(pair))
    except ValueError:
        return None
    return first, DAY if last == DAY - 1 else last
