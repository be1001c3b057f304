"""What ends a fault: a newer answer of its origin that asked for it and did not find it."""

from collections.abc import Mapping, Set
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ingest.cluster.fault import stands
from ingest.cluster.voices import said, voices_of
from models.batch import Report, Snapshot
from models.case import Fault
from models.voice import Origin
from models.words import Status

# Sources that count as another: BMW's CarData took the place of the older states.
DEFAULT_ALIASES: Final[Mapping[str, str]] = {"bmw.cardata": "bmw.state"}
# How many clears a vehicle remembers, so that a late report does not bring a code back.
REMEMBERED_CLEARS: Final = 128


class Denial(Struct, frozen=True):
    """Where an answer did not find a code: a source, a unit, and its lists (None: all of them)."""

    source: str
    unit: str | None
    lists: frozenset[str] | None
    at: datetime
    by: str


def asked_by(snapshot: Snapshot) -> Denial:
    """Return what a snapshot says of the codes that it did not find."""
    lists, at = snapshot.lists, snapshot.observed_at
    return Denial(snapshot.source, snapshot.unit, lists, at, "snapshot")


def denial_of(report: Report) -> Denial | None:
    """Return what a report denies if it does nothing else: a clear, or its lists say no more."""
    alert = report.alert
    if alert.status is Status.CLEARED:
        return Denial(alert.source, alert.unit, None, report.observed_at, "vehicle")
    if any(status is not Status.CLEARED for _, status in said(report)):
        return None
    lists = frozenset(listed for listed, _ in report.lists)
    return Denial(alert.source, alert.unit, lists, report.observed_at, "vehicle")


def is_denied(code: str, snapshot: Snapshot) -> bool:
    """Return whether a snapshot asked for the codes of this scheme, and did not find this one."""
    return code.partition(":")[0] == snapshot.scheme and code not in snapshot.codes


class Clearing:
    """Ends faults of one vehicle, and remembers when each code was cleared, by its origin.

    `aliases` are the sources that count as another: name → the name by which it is compared.
    """

    def __init__(self, cleared: Mapping[str, datetime], aliases: Mapping[str, str]) -> None:
        self.cleared = dict(cleared)
        self._aliases = aliases

    def denied(self, fault: Fault, denial: Denial) -> Fault:
        """Return the fault without the voices that a denial ends; itself where it ends none."""
        voices = voices_of(fault)
        after = {
            origin: voice
            for origin, voice in voices.items()
            if voice.last_seen >= denial.at or not self._covers(denial, origin)
        }
        if len(after) == len(voices):
            return fault
        if denial.lists is not None:
            self.note(fault.code, voices.keys() - after.keys(), denial.at)
        return stands(fault, after, denial.at, denial.by)

    def concerns(self, fault: Fault, denial: Denial) -> bool:
        """Return whether a denial speaks of what is still said of a fault, however old it is."""
        return any(self._covers(denial, origin) for origin in voices_of(fault))

    def note(self, code: str, origins: Set[Origin], at: datetime) -> None:
        """Remember that origins cleared a code; of too many clears, the oldest are forgotten."""
        for origin in origins:
            key = self._key(code, origin)
            self.cleared[key] = max(at, self.cleared.get(key, at))
        while len(self.cleared) > REMEMBERED_CLEARS:
            del self.cleared[min(self.cleared, key=lambda key: (self.cleared[key], key))]

    def note_lists(self, fault: Fault, report: Report) -> None:
        """Remember which lists of a report end what they said of a fault before."""
        voices = voices_of(fault)
        ended = {
            origin
            for origin, status in said(report)
            if status is Status.CLEARED
            and origin in voices
            and voices[origin].last_seen < report.observed_at
        }
        self.note(fault.code, ended, report.observed_at)

    def note_clear(self, code: str, denial: Denial) -> None:
        """Remember an explicit clear, whatever it finds: it is of all lists of its unit."""
        if denial.lists is None:
            self.note(code, {Origin(denial.source, denial.unit, _EVERY)}, denial.at)

    def timely(self, report: Report) -> Report | None:
        """Return a report without the lists that were cleared since; None if nothing is left."""
        if not self.cleared:
            return report
        alert, at = report.alert, report.observed_at
        every = self._key(alert.code, Origin(alert.source, alert.unit, _EVERY))
        # of an older schema a clear is remembered by its code alone
        if any(at < self.cleared.get(key, at) for key in (alert.code, every)):
            return None
        late = {
            origin.listed
            for origin, status in said(report)
            if status is not Status.CLEARED
            and at < self.cleared.get(self._key(alert.code, origin), at)
        }
        if not late:
            return report
        kept = tuple([pair for pair in report.lists if pair[0] not in late])
        return replace(report, lists=kept) if kept else None

    def _covers(self, denial: Denial, origin: Origin) -> bool:
        return (
            origin.unit == denial.unit
            and (denial.lists is None or origin.listed in denial.lists)
            and self._name(origin.source) == self._name(denial.source)
        )

    def _key(self, code: str, origin: Origin) -> str:
        """Join what a clear is remembered by; no name holds a tabulator."""
        return "\t".join((code, self._name(origin.source), origin.unit or "", origin.listed))

    def _name(self, source: str) -> str:
        return self._aliases.get(source, source)


# In place of a list: all of them.
_EVERY: Final = "*"
