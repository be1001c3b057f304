"""When a dealer tries again to reach a customer, and by which channel. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dispatch.rules.calendar import next_open
from models.case import Desk
from models.words import Channel


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of the cadence, so long after the first one."""

    channel: Channel
    after_first: timedelta


# Two calls, two messages and a letter within three days, then once more on day 7 and day 14.
CADENCE: Final = (
    Attempt(Channel.CALL, timedelta(0)),
    Attempt(Channel.MESSAGE, timedelta(hours=2)),
    Attempt(Channel.CALL, timedelta(days=1)),
    Attempt(Channel.MESSAGE, timedelta(days=2)),
    Attempt(Channel.LETTER, timedelta(days=3)),
    Attempt(Channel.CALL, timedelta(days=7)),
    Attempt(Channel.CALL, timedelta(days=14)),
)


def planned(attempts: int) -> Channel:
    """Return by which channel to approach the customer after so many attempts."""
    return CADENCE[min(attempts, len(CADENCE) - 1)].channel


def next_attempt(attempts: int, desk: Desk | None, at: datetime) -> datetime | None:
    """Return when to try again after the latest of the attempts, at `at`; None: all were made.

    Outside the desk's opening hours the attempt waits for the next opening.
    """
    if attempts >= len(CADENCE):
        return None
    due = at + CADENCE[attempts].after_first - CADENCE[attempts - 1].after_first
    return due if desk is None else next_open(desk, due) or due
