"""The appointments that a dealer offers: half days on which it is open. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from dispatch.rules.calendar import business_days
from models.case import Desk
from models.errors import Unusable

_OFFERED: Final = 8
_AFTERNOON: Final = timedelta(hours=4)
_LEAD: Final = timedelta(hours=1)
_FARTHEST: Final = timedelta(days=90)


def offered(desk: Desk | None, at: datetime) -> list[datetime]:
    """Return the next mornings and afternoons from an hour from now on, UTC."""
    if desk is None:
        return []
    slots: list[datetime] = []
    for _, spans in business_days(desk, at):
        morning = spans[0][0]
        noon = morning + _AFTERNOON
        afternoons = [max(opens, noon) for opens, closes in spans if closes > noon]
        slots += [slot for slot in (morning, *afternoons[:1]) if slot > at + _LEAD]
        if len(slots) >= _OFFERED:
            break
    return slots[:_OFFERED]


def parse(spelled: str, zone: ZoneInfo, at: datetime) -> datetime:
    """Read an offered slot, or a local time typed by hand. Raises `Unusable`."""
    try:
        moment = datetime.fromisoformat(spelled)
    except ValueError:
        raise Unusable("Choose a time for the appointment.", field="slot") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    moment = moment.astimezone(UTC)
    if not at <= moment <= at + _FARTHEST:
        raise Unusable(
            "The appointment lies within the next %(days)d days.",
            {"days": _FARTHEST.days},
            field="slot",
        )
    return moment
