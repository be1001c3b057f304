"""The calendar of a desk, held against a count of minutes, against NumPy and the tz database."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.rules.calendar import (
    add_working,
    is_at_work,
    next_business_day,
    next_open,
    working_between,
)
from dispatch.rules.call_cadence import CADENCE, next_attempt
from dispatch.rules.deadlines import after_pause, deadlines, shut_beyond_promise
from dispatch.rules.lifecycle import new_task
from dispatch.rules.opening_hours import DAY, USUAL_HOURS, Hours, read_hours
from dispatch.rules.routing import Directory, Routed, route
from models.case import Desk, Task, Text, VehicleInfo
from models.words import Priority, Queue
from tests.dispatch.rules.test_opening_hours import weeks

FRIDAY = datetime(2026, 1, 16)  # noqa: DTZ001 - local, of whichever zone
MINUTE = timedelta(minutes=1)


def desk(hours: str | Hours = "", *holidays: str, zone: str = "Asia/Shanghai") -> Desk:
    """A dealer with these hours."""
    return Desk(
        desk_id="d",
        kind=Queue.DEALER,
        name=Text("店", "Dealer"),
        market="CN",
        region="east",
        lat=31.2,
        lon=121.5,
        timezone=zone,
        hours=read_hours(hours) if isinstance(hours, str) else hours,
        holidays=frozenset(holidays),
    )


def task(queue: Queue) -> Task:
    """A task of a normal case."""
    routed = Routed(queue, "d", Text("近", "near"))
    return new_task("c", 0, Priority.NORMAL, routed, Directory([]), local("Fri 9:00"))


def local(text: str, zone: str = "Asia/Shanghai") -> datetime:
    """A local time in UTC: a date, or a day near Friday, 16 January 2026, and what clocks show."""
    day, _, clock = text.partition(" ")
    ahead = {"Thu": -1, "Fri": 0, "Sat": 1, "Sun": 2, "Mon": 3, "Tue": 4, "Wed": 5}
    begin = FRIDAY + timedelta(days=ahead[day]) if day in ahead else datetime.fromisoformat(day)
    hour, _, minute = clock.partition(":")
    moment = begin.replace(hour=int(hour), minute=int(minute), tzinfo=ZoneInfo(zone))
    return moment.astimezone(UTC)


@pytest.mark.parametrize(
    ("hours", "holidays", "opened", "due"),
    [
        ("", "", "Thu 10:00", "Fri 10:00"),
        ("", "", "Fri 10:00", "Mon 10:00"),
        ("", "", "Sat 10:00", "Tue 9:00"),  # counts from Monday's opening
        ("", "", "Thu 20:00", "Mon 9:00"),  # counts from Friday's opening
        ("", "2026-01-19", "Fri 10:00", "Tue 10:00"),
        ("1-5 09:00-18:00; 6 09:00-12:00", "", "Fri 15:00", "Mon 9:00"),  # Saturday ends earlier
        ("1-5 08:30-12:00,13:30-17:30", "", "Thu 12:30", "Fri 13:30"),
        ("1-3 09:00-18:00; 4 09:00-18:00; 5 09:00-12:00,14:00-18:00", "", "Thu 13:00", "Fri 14:00"),
        ("1-7 22:00-06:00", "", "Sat 02:00", "Sun 02:00"),
        ("1-7 22:00-06:00", "", "Sat 12:00", "Sun 22:00"),
        ("24h", "", "Sat 03:00", "Sun 03:00"),
    ],
)
def test_one_business_day(hours: str, holidays: str, opened: str, due: str) -> None:
    assert next_business_day(desk(hours, *holidays.split()), local(opened)) == local(due)


@pytest.mark.parametrize(
    ("hours", "holidays", "due", "paused", "resumed", "later"),
    [
        ("", "", "Fri 17:55", "Fri 13:50", "Fri 17:50", "Mon 12:55"),
        ("1-5 08:30-12:00,13:30-17:30", "", "Fri 17:00", "Fri 11:00", "Fri 14:00", "Mon 9:30"),
        ("", "2026-01-19", "Fri 17:55", "Fri 13:50", "Fri 17:50", "Tue 12:55"),
        ("1-7 22:00-06:00", "", "Sat 04:00", "Fri 23:00", "Sat 05:00", "Sun 02:00"),
        ("24h", "", "Sat 04:00", "Fri 23:00", "Sat 05:00", "Sat 10:00"),
        ("", "", "Mon 10:00", "Fri 17:00", "Sat 12:00", "Mon 11:00"),  # shut time counts nothing
        ("", "", "Fri 10:00", "Fri 11:00", "Fri 12:00", "Fri 10:00"),  # was due before
    ],
)
def test_a_pause_adds_working_time(
    hours: str, holidays: str, due: str, paused: str, resumed: str, later: str
) -> None:
    dealer = desk(hours, *holidays.split())
    times = (local(paused), local(resumed))
    assert after_pause(local(due), task(Queue.DEALER), dealer, *times) == local(later)
    roadside = after_pause(local(due), task(Queue.ROADSIDE), dealer, *times)
    assert roadside == max(local(due), local(due) + (times[1] - times[0]) * (times[0] < local(due)))


@pytest.mark.parametrize(
    ("night", "hours_worked"),
    [("2026-03-28", 7), ("2026-03-27", 8), ("2026-10-24", 9), ("2026-10-25", 8)],
)
def test_a_night_in_berlin_is_as_long_as_its_clocks_say(night: str, hours_worked: int) -> None:
    berlin = desk("1-7 22:00-06:00", zone="Europe/Berlin")
    begin = local(f"{night} 22:00", "Europe/Berlin")
    assert is_at_work(berlin, begin)
    assert working_between(berlin, begin, begin + timedelta(hours=15)) == timedelta(
        hours=hours_worked
    )
    end = (datetime.fromisoformat(night) + timedelta(days=1)).date().isoformat()
    assert not is_at_work(berlin, local(f"{end} 6:00", "Europe/Berlin"))
    assert is_at_work(berlin, local(f"{end} 6:00", "Europe/Berlin") - MINUTE)


def test_the_night_before_a_holiday_ends_on_it() -> None:
    night = desk("1-7 22:00-06:00", "2026-01-17")
    assert is_at_work(night, local("Sat 05:00"))
    assert not is_at_work(night, local("Sat 23:00"))
    assert not is_at_work(night, local("Sun 05:00"))
    assert is_at_work(night, local("Sun 22:00"))


def is_shown_open(dealer: Desk, at: datetime) -> bool:
    """The oracle: what the clock on the wall shows lies in an interval of its day or the night."""
    wall = at.astimezone(ZoneInfo(dealer.timezone)).replace(tzinfo=None)
    for back in (0, 1):
        day = wall.date() - timedelta(days=back)
        minute = wall.hour * 60 + wall.minute + back * DAY
        intervals = (dealer.hours or USUAL_HOURS).get(day.isoweekday(), ())
        if day.isoformat() not in dealer.holidays and any(a <= minute < b for a, b in intervals):
            return True
    return False


ZONES = st.sampled_from(["Asia/Shanghai", "Asia/Kolkata", "Pacific/Chatham", "UTC"])
# No clock changes in these: a January, and Chatham's is in April.
TIMES = st.integers(0, 10 * DAY).map(
    lambda minutes: datetime(2026, 1, 10, tzinfo=UTC) + minutes * MINUTE
)
HOLIDAYS = st.frozensets(st.dates(date(2026, 1, 8), date(2026, 1, 26)).map(date.isoformat))


@settings(max_examples=60)
@given(weeks(), HOLIDAYS, ZONES, TIMES, st.integers(0, 3 * DAY))
def test_the_calendar_agrees_with_a_count_of_minutes(
    hours: Hours, holidays: frozenset[str], zone: str, at: datetime, span: int
) -> None:
    dealer = desk(hours, *holidays, zone=zone)
    open_minutes = [n for n in range(span) if is_shown_open(dealer, at + n * MINUTE)]
    assert is_at_work(dealer, at) is is_shown_open(dealer, at)
    assert working_between(dealer, at, at + span * MINUTE) == len(open_minutes) * MINUTE
    if open_minutes:
        assert next_open(dealer, at) == at + open_minutes[0] * MINUTE
        middle = len(open_minutes) // 2
        reached = at + open_minutes[middle] * MINUTE
        assert add_working(dealer, at, middle * MINUTE) == reached


@given(
    st.frozensets(st.integers(1, 7), min_size=1),
    st.frozensets(st.dates(date(2026, 1, 8), date(2026, 3, 26)), max_size=12),
    st.dates(date(2026, 1, 10), date(2026, 3, 10)),
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York"]),
)
def test_a_business_day_is_numpys(
    week: frozenset[int], shut: frozenset[date], day: date, zone: str
) -> None:
    dealer = desk(
        dict.fromkeys(week, ((540, 1080),)), *(one.isoformat() for one in shut), zone=zone
    )
    due = next_business_day(dealer, local(f"{day} 10:00", zone))
    mask = [number in week for number in range(1, 8)]
    rolled = np.busday_offset(day, 0, "forward", weekmask=mask, holidays=sorted(shut))
    expected = np.busday_offset(rolled, 1, weekmask=mask, holidays=sorted(shut))
    clock = "10:00" if rolled == np.datetime64(day) else "9:00"
    assert due == local(f"{expected} {clock}", zone)


ANY_ZONE = st.sampled_from(["Europe/Berlin", "Pacific/Apia", "Africa/Casablanca", "no/where"])
ANY_TIME = st.datetimes(datetime(1980, 1, 1), datetime(2900, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(weeks(), st.booleans(), HOLIDAYS, ANY_ZONE, ANY_TIME)
def test_every_desk_has_an_answer_at_every_time(
    hours: Hours,
    is_shut: bool,  # noqa: FBT001 - drawn
    holidays: frozenset[str],
    zone: str,
    at: datetime,
) -> None:
    days = (at.date() + timedelta(days=ahead) for ahead in range(-2, 500))
    all_days = frozenset(day.isoformat() for day in days) if is_shut else frozenset[str]()
    dealer = desk(hours, *holidays, *all_days, zone=zone)
    due = deadlines(Priority.NORMAL, Queue.DEALER, dealer, at).contact_by
    assert due is not None
    assert due > at
    assert next_attempt(len(CADENCE) - 1, dealer, at) is not None
    assert after_pause(due, task(Queue.DEALER), dealer, at, at + timedelta(hours=4)) >= due
    centre = Desk("c", Queue.ROADSIDE, Text("救", "C"), "CN", "east", 31.2, 121.5, "UTC")
    routed = route(
        Priority.NORMAL,
        VehicleInfo(preferred_dealer="d", market="CN"),
        None,
        Directory([dealer, centre]),
        needs=frozenset(),
        at=at,
    )
    assert routed.reason.zh
    assert routed.reason.en
    if next_open(dealer, at) is None:
        assert routed.desk == "c"
    elif routed.desk == "d":
        assert is_at_work(dealer, due)


@pytest.mark.parametrize(
    ("holidays", "at", "is_passed_over"),
    [
        ("", "Sat 10:00", False),  # a weekend is within the promise
        ("2026-01-19", "Sat 10:00", False),  # and so is a holiday of one day
        ("2026-01-19 2026-01-20", "Sat 10:00", True),
        ("2026-01-19 2026-01-20", "Fri 17:00", False),  # it works now
        ("2026-01-19 2026-01-20", "Fri 18:00", True),
        ("2026-01-19 2026-01-20 2026-01-21", "Tue 10:00", True),
    ],
)
def test_a_dealer_on_holiday_is_passed_over(holidays: str, at: str, is_passed_over: bool) -> None:  # noqa: FBT001
    assert shut_beyond_promise(desk("", *holidays.split()), local(at)) is is_passed_over
