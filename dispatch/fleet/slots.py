"""Counts the vehicles of a code, model and software in slots of half a window of stream time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from dispatch.rules.fleet_issue import Surge
from models import tables as t
from models.canary import CANARY_VIN

_DAY: Final = timedelta(days=1)
Group = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Slot:
    """Half a window of one group: its number, how many vehicles, the first and the newest case."""

    number: int
    vehicles: int
    first_seen: datetime
    last_seen: datetime


def known_build() -> sa.ColumnElement[bool]:
    """Return the condition that a case can belong to a fleet issue: its build is known."""
    c = t.case.c
    return sa.and_(c.software.is_not(None), c.model.is_not(None), c.vin != CANARY_VIN)


def count_slots(
    connection: sa.Connection, since: datetime, now: datetime, surge: Surge
) -> dict[Group, dict[int, Slot]]:
    """Count the vehicles of the groups that may be an issue, with what came before, in slots."""
    c = t.case.c
    of = (c.root, c.model, c.software)
    half = sa.literal_column(str(_half(surge)), sa.BigInteger)
    slot = sa.cast(sa.extract("epoch", c.opened_at), sa.BigInteger) // half
    many = sa.select(*of).where(known_build(), c.opened_at > since, c.opened_at <= now)
    many = many.group_by(*of, slot).having(sa.func.count() * 2 >= surge.vehicles).distinct()
    groups: dict[Group, dict[int, Slot]] = {
        (row.root, row.model, row.software): {} for row in connection.execute(many)
    }
    if not groups:
        return {}
    query = (
        sa.select(
            *of,
            slot.label("slot"),
            sa.func.count(c.vin.distinct()).label("vehicles"),
            sa.func.min(c.opened_at).label("first_seen"),
            sa.func.max(c.opened_at).label("last_seen"),
        )
        .where(known_build(), c.opened_at > since - _before(surge) - surge.within)
        .where(c.opened_at <= now)
        .where(c.root.in_(sorted({root for root, _, _ in groups})))
        .group_by(*of, slot)
    )
    for row in connection.execute(query):
        slots = groups.get((row.root, row.model, row.software))
        if slots is not None:
            slots[row.slot] = Slot(row.slot, row.vehicles, row.first_seen, row.last_seen)
    return groups


def slot_of(at: datetime, surge: Surge) -> float:
    """Return the number of the slot that a time lies in."""
    return at.timestamp() // _half(surge)


def windows(slots: Mapping[int, Slot]) -> Iterator[tuple[int, list[Slot]]]:
    """Yield the windows that end with a slot in which something was."""
    for number in sorted(slots):
        yield number, [slots[one] for one in (number - 1, number) if one in slots]


def surges(slots: Mapping[int, Slot], since: datetime, surge: Surge) -> Iterator[list[Slot]]:
    """Yield the windows that are far above the same time of the day before, the first one first."""
    day = round(_before(surge).total_seconds() / _half(surge))
    for number, window in windows(slots):
        if number <= slot_of(since, surge):
            continue
        vehicles = sum(one.vehicles for one in window)
        usual = sum(slots[one].vehicles for one in (number - 1 - day, number - day) if one in slots)
        if vehicles >= surge.vehicles and vehicles >= surge.times * usual:
            yield window


def _half(surge: Surge) -> int:
    """Return half a window in whole seconds: any two slots side by side are one window."""
    return max(1, int(surge.within.total_seconds() / 2))


def _before(surge: Surge) -> timedelta:
    """Return how much earlier lies what is usual: a day, or the window before if it is longer."""
    return max(_DAY, surge.within)
