"""The case of a vehicle that ended last, and what a report of one of its faults means to it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from ingest.cluster import fault as faults
from ingest.cluster.open_case import OpenCase
from models.batch import Report
from models.case import Closed
from models.words import CaseState, Outcome

# The time within which a fault that cleared and is back is the same story, by code and make.
FlapWindow = Callable[[str, str | None], timedelta]


class Meaning(Enum):
    """What a report means to the case that ended last."""

    ANOTHER = auto()  # nothing: what it reports is a story of its own
    STAYS = auto()  # the fault never went away: it is counted where a person ended it
    RETURNS = auto()  # the fault went away and is back within its window: the case is open again
    OUTDATED = auto()  # it was seen before the fault was repaired


@dataclass(slots=True)
class EndedCase:
    """A case that healed or that a person ended, with its faults as they are known."""

    case: OpenCase
    closed: Closed
    state: CaseState

    def meaning_of(self, report: Report, window: FlapWindow, make: str | None) -> Meaning:
        """Return what a report means here. It is no clear, and newer than the clear of its code.

        What a person ended stays ended until the fault has gone and is back, or until it is worse
        than it was. A repair ends the faults that were there: a later report is another story.
        """
        fault = self.case.faults.get(report.alert.code)
        if fault is None:
            return Meaning.ANOTHER
        if fault.is_over:
            gone_at = fault.cleared_at or fault.last_seen
            is_back = report.observed_at - gone_at <= window(fault.code, make)
            return Meaning.RETURNS if is_back else Meaning.ANOTHER
        repaired_at = self.closed.repaired_at
        if repaired_at is not None and fault.last_seen <= repaired_at:
            return Meaning.OUTDATED if report.observed_at <= repaired_at else Meaning.ANOTHER
        if self.state is not CaseState.CLOSED or faults.is_worse(fault, report):
            return Meaning.ANOTHER
        return Meaning.STAYS

    def count(self, report: Report) -> Outcome:
        """Count a report of a fault that never went away; the case stays ended."""
        before = self.case.faults[report.alert.code]
        after = faults.seen_again(before, report)
        self.case.put(after)
        return faults.outcome_of(before, after)
