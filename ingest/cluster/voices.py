"""Which origins say a code, and what they say together."""

from collections.abc import Iterator
from typing import Final

from models.alert import Alert
from models.batch import Report
from models.case import Fault
from models.voice import Origin, Voice, Voices
from models.words import LIT, Severity, Status

# How many voices a fault keeps. Of more, the mildest that are silent the longest are forgotten, so
# that a source that makes up names fills no row, and no fault grows milder by it.
MOST: Final = 16
_RANK: Final = {
    Status.CLEARED: -1,
    Status.VERIFYING: 0,
    Status.PENDING: 1,
    Status.LAMP_ONLY: 2,
    Status.ACTIVE: 3,
}


def voices_of(fault: Fault) -> Voices:
    """Return who says a fault; where none is noted, its source alone says all."""
    if fault.voices or fault.status is Status.CLEARED:
        return fault.voices
    return {Origin(fault.source): Voice(fault.status, fault.last_seen)}


def noted(fault: Fault, voices: Voices) -> Voices:
    """Return what is to be noted of a fault's voices: nothing where its source alone says all."""
    own = voices.get(Origin(fault.source))
    is_alone = len(voices) == 1 and own == Voice(fault.status, fault.last_seen)
    return {} if is_alone else voices


def gravest(voices: Voices) -> Status:
    """Return the gravest word that is said; `cleared` where nobody says anything."""
    return max((voice.status for voice in voices.values()), key=_rank, default=Status.CLEARED)


def heard(voices: Voices, report: Report) -> Voices:
    """Return who says a fault after another report of it.

    A list that was asked and did not hold the code ends what it said before.
    """
    after, at = dict(voices), report.observed_at
    for origin, status in said(report):
        before = after.get(origin)
        if status is Status.CLEARED:
            _end(after, origin, report)
        elif before is None:
            after[origin] = Voice(status, at)
        else:
            after[origin] = Voice(_again(before, status, report), max(before.last_seen, at))
    if len(after) <= MOST:
        return after
    kept = sorted(after, key=lambda origin: (_rank(after[origin].status), after[origin].last_seen))
    return {origin: after[origin] for origin in kept[-MOST:]}


def said(report: Report) -> Iterator[tuple[Origin, Status]]:
    """Yield what each origin of a report says; a lit lamp counts for the word of the alert."""
    alert = report.alert
    for listed, status in report.lists or (("", alert.status),):
        word = status_of(alert) if status is alert.status else status
        yield Origin(alert.source, alert.unit, listed), word


def status_of(alert: Alert) -> Status:
    """Return what an alert says, a lit lamp counted: it is the car's own alarm."""
    if alert.status is Status.PENDING and not waits(alert):
        return Status.ACTIVE
    if alert.status is Status.VERIFYING and alert.lamp in LIT:
        return Status.ACTIVE
    return alert.status


def waits(alert: Alert) -> bool:
    """Return whether a report waits to be confirmed: pending, and nothing that cannot wait.

    A lamp that the driver sees is the car's own alarm, whatever its codes wait for.
    """
    return (
        alert.status is Status.PENDING
        and alert.severity is not Severity.STOP
        and alert.lamp not in LIT
    )


def _end(voices: dict[Origin, Voice], origin: Origin, report: Report) -> None:
    before = voices.get(origin)
    if before is not None and before.last_seen < report.observed_at:
        del voices[origin]


def _again(before: Voice, status: Status, report: Report) -> Status:
    """Return what an origin says after another word: that its test passes counts where it is newer;
    of other words the graver stays until the code is cleared."""
    at = report.observed_at
    if status is Status.VERIFYING:
        return status if at > before.last_seen else before.status
    if before.status is Status.VERIFYING:
        return status if at >= before.last_seen else before.status
    return max(before.status, status, key=_rank)


def _rank(status: Status) -> int:
    return _RANK[status]
