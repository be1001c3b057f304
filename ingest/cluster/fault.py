"""How one fault changes when its code is reported again or cleared."""

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from ingest.cluster.voices import gravest, heard, noted, status_of, voices_of, waits
from models.alert import Alert
from models.batch import Report
from models.case import Fault
from models.voice import Voices
from models.words import SEVERITY_RANK, Lamp, Motion, Outcome, Severity, Status

# A pending code is confirmed by its third drive. Two reports belong to two drives if there was the
# time to cool down between them (ours: a night), and if the car was driven, where it says how far.
CONFIRMING_DRIVES: Final = 3
_COOLED_DOWN: Final = timedelta(hours=8)
_DRIVEN_KM: Final = 1.0


def first_seen(report: Report) -> Fault:
    """Make the fault of a code that the vehicle did not have."""
    alert = report.alert
    is_pending = waits(alert)
    fault = Fault(
        code=alert.code,
        source=alert.source,
        severity=alert.severity,
        status=status_of(alert),
        first_seen=report.observed_at,
        last_seen=report.observed_at,
        pending_count=1 if is_pending else 0,
        counted_at=report.observed_at if is_pending else None,
        counted_km=alert.odometer_km if is_pending else None,
        lamp=alert.lamp,
        motion=alert.motion,
        stop_in_motion=_may_be_stop_in_motion(alert),
        defaulted=report.defaulted,
        readings=readings_of(alert),
    )
    return _said_by(fault, heard({}, report))


def seen_again(fault: Fault, report: Report) -> Fault:
    """Add a report to a fault that is known.

    Severity and lamp only rise until the code is cleared; the newest report by the vehicle's time
    gives motion and readings; a fault that is pending on a third drive is confirmed, however often
    it was asked for. A report that the test passes ends what its own origin said, and no more.
    """
    alert = report.alert
    voices = heard(voices_of(fault), report)
    is_newer = report.observed_at >= fault.last_seen
    if waits(alert) and _is_another_drive(fault, report):
        fault = replace(
            fault,
            pending_count=fault.pending_count + 1,
            counted_at=report.observed_at,
            counted_km=alert.odometer_km,
        )
    severity = fault.severity
    if SEVERITY_RANK[alert.severity] > SEVERITY_RANK[severity]:
        severity = alert.severity
    after = replace(
        fault,
        source=alert.source if is_newer else fault.source,
        severity=severity,
        first_seen=min(fault.first_seen, report.observed_at),
        last_seen=max(fault.last_seen, report.observed_at),
        count=fault.count + 1,
        lamp=_worse_lamp(fault.lamp, alert.lamp),
        motion=alert.motion if is_newer else fault.motion,
        stop_in_motion=fault.stop_in_motion or _may_be_stop_in_motion(alert),
        defaulted=_union(fault.defaulted, report.defaulted),
        readings={**fault.readings, **readings_of(alert)}
        if is_newer
        else {**readings_of(alert), **fault.readings},
    )
    return stands(after, voices, report.observed_at, "vehicle")


def reported(before: Fault, report: Report) -> Fault:
    """Add a report to a fault of the case; one that was over and is active again starts anew."""
    after = seen_again(before, report)
    if not before.is_over or not after.is_active:
        return after
    now = replace(
        first_seen(report),
        pending_count=after.pending_count,
        counted_at=after.counted_at,
        counted_km=after.counted_km,
    )
    return back_again(before, now)


def back_again(before: Fault, now: Fault) -> Fault:
    """Reopen a fault that was over as it is now: it keeps its first sight, its count, and who says
    it still."""
    fault = replace(
        now,
        first_seen=before.first_seen,
        count=before.count + now.count,
        returns=before.returns + 1,
    )
    return _said_by(fault, {**voices_of(before), **voices_of(now)})


def stands(fault: Fault, voices: Voices, at: datetime, by: str) -> Fault:
    """Return a fault as these voices say it; where it is no longer active, since the time `at`."""
    after = _said_by(fault, voices)
    if after.is_active:
        return replace(after, cleared_at=None, cleared_by=None) if after.is_over else after
    ceases = fault.is_active or (after.status is Status.CLEARED and fault.status is Status.PENDING)
    if not ceases or after.is_over:
        return after
    return replace(
        after,
        cleared_at=at,
        cleared_by=by,
        pending_count=0,
        counted_at=None,
        counted_km=None,
        stop_in_motion=False,
        folded_under=None,
        fold_reason=None,
    )


def outcome_of(before: Fault, after: Fault) -> Outcome:
    """Return the outcome of a report of a fault that the case has."""
    if before.is_active and not after.is_active:
        return Outcome.CLEARED
    return Outcome.REPEATED if after.status is before.status else Outcome.JOINED


def _said_by(fault: Fault, voices: Voices) -> Fault:
    status = gravest(voices)
    if status is Status.PENDING and fault.pending_count >= CONFIRMING_DRIVES:
        status = Status.ACTIVE
    spoken = replace(fault, status=status)
    return replace(spoken, voices=noted(spoken, voices))


def is_worse(fault: Fault, report: Report) -> bool:
    """Return whether a report says more than is known of a fault: confirmed, graver, in motion."""
    alert = report.alert
    return (
        SEVERITY_RANK[alert.severity] > SEVERITY_RANK[fault.severity]
        or (not fault.is_active and status_of(alert) in (Status.ACTIVE, Status.LAMP_ONLY))
        or (_may_be_stop_in_motion(alert) and not fault.stop_in_motion)
    )


def _is_another_drive(fault: Fault, report: Report) -> bool:
    if fault.counted_at is None:
        return True
    if report.observed_at - fault.counted_at < _COOLED_DOWN:
        return False
    odometer_km = report.alert.odometer_km
    if fault.counted_km is None or odometer_km is None:
        return True
    return odometer_km - fault.counted_km >= _DRIVEN_KM


def readings_of(alert: Alert) -> dict[str, float]:
    """Collect the numbers of an alert under the names that the rules know; minus zero is zero."""
    readings = dict(alert.signals)
    for name in ("speed_kph", "odometer_km", "state_of_charge"):
        value = getattr(alert, name)
        if value is not None:
            readings[name] = value
    return {name: value + 0.0 for name, value in readings.items()}


def _may_be_stop_in_motion(alert: Alert) -> bool:
    is_grave = alert.severity in (Severity.STOP, Severity.UNKNOWN) or alert.lamp is Lamp.RED
    is_now = status_of(alert) is not Status.VERIFYING
    return is_grave and is_now and alert.motion is not Motion.PARKED


_LAMP_RANK: Final = {
    Lamp.OFF: 0,
    Lamp.UNKNOWN: 1,
    Lamp.MALFUNCTION: 2,
    Lamp.AMBER: 3,
    Lamp.FLASHING: 4,
    Lamp.RED: 5,
}


def _worse_lamp(before: Lamp, now: Lamp) -> Lamp:
    return now if _LAMP_RANK[now] > _LAMP_RANK[before] else before


def _union(before: tuple[str, ...], now: tuple[str, ...]) -> tuple[str, ...]:
    return before if before == now else tuple(sorted({*before, *now}))
