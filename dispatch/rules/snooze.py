"""How long a task may wait for the customer: one table for pages, API and store. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from models.errors import Unusable
from models.words import Priority

# Minutes that are offered; the last of them is the longest. A driver in danger waits ten at most.
SNOOZES: Final[Mapping[Priority, tuple[int, ...]]] = {
    Priority.URGENT: (5, 10),
    Priority.HIGH: (5, 10, 30, 60, 240),
    Priority.NORMAL: (5, 10, 30, 60, 240),
}
LONGEST: Final = max(max(offered) for offered in SNOOZES.values())
_USUAL: Final = timedelta(minutes=15)


def snooze(priority: Priority, wanted: timedelta | None) -> timedelta:
    """Return how long to wait; without a wish a quarter of an hour, or the longest that is allowed.

    Raises `Unusable` with the field for less than a minute and for more than the longest.
    """
    most = timedelta(minutes=SNOOZES[priority][-1])
    if wanted is None:
        return min(_USUAL, most)
    if not timedelta(minutes=1) <= wanted <= most:
        raise Unusable(
            "This case may wait from 1 to %(most)d minutes.",
            {"most": SNOOZES[priority][-1]},
            field="minutes",
        )
    return wanted
