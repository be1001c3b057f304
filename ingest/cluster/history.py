"""The ended cases that a vehicle remembers, and what a new case is to them."""

from datetime import timedelta

from models.batch import Report
from models.case import REMEMBERED, WITHDRAWN, Closed
from models.ids import digest


class History:
    """The last ended cases of a vehicle, the newest last.

    `past` leaves out those that were withdrawn: their ids are taken, and they say nothing.
    """

    def __init__(self, closed: tuple[Closed, ...]) -> None:
        self.closed = closed
        self.past = _without_withdrawn(closed)

    @property
    def last(self) -> Closed | None:
        """The case that ended last."""
        return self.past[-1] if self.past else None

    def with_ended(self, closed: Closed) -> "History":
        """Return the history after another case has ended."""
        return History((*self.closed, closed)[-REMEMBERED:])

    def without(self, reopened: Closed) -> "History":
        """Return the history after a case has been opened again."""
        return History(tuple([closed for closed in self.closed if closed is not reopened]))

    def previous_of(self, report: Report, within: timedelta) -> str | None:
        """Return the last case if it had the same root and ended not long before a new one."""
        last = self.last
        if last is None or last.root != report.alert.code:
            return None
        return last.case_id if report.received_at - last.closed_at <= within else None

    def is_repeat_repair(self, report: Report, within: timedelta) -> bool:
        """Return whether a repair of what is reported was recorded not long before."""
        return any(
            closed.root == report.alert.code and report.received_at - closed.repaired_at <= within
            for closed in self.past
            if closed.repaired_at is not None
        )

    def new_id(self, fingerprint: str) -> str:
        """Compute a case's id; an alert that comes again after it was withdrawn opens another."""
        case_id = digest("case", fingerprint)
        while any(closed.case_id == case_id for closed in self.closed):
            case_id = digest("case", case_id)
        return case_id


def _without_withdrawn(closed: tuple[Closed, ...]) -> tuple[Closed, ...]:
    return tuple([case for case in closed if case.root != WITHDRAWN])
