"""A report as its vehicle's faults take it: what it says is held against what is known."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from msgspec.structs import replace

from ingest.cluster.open_case import OpenCase
from models.batch import Report
from models.case import Fault
from models.signs.motion import Whereabouts, motion_of
from models.words import Motion

# Sources round, and some count in miles: an odometer that is less by no more has not fallen.
_ROUNDED_KM: Final = 2.0


def believed(
    report: Report, open_case: OpenCase | None, waiting: Iterable[Fault], past: Iterable[Fault]
) -> Report:
    """Return the report with the motion and the odometer to decide by; what is not believed of
    them is marked. `past` are the faults of the case that ended last."""
    alert = report.alert
    place = alert.position
    now = Whereabouts(
        report.observed_at, alert.odometer_km, (place.lat, place.lon) if place else None
    )
    of_case = tuple(open_case.faults.values()) if open_case else ()
    known = (*of_case, *waiting)
    is_parked = alert.motion is Motion.PARKED
    trail = _trail(alert.source, open_case, known) if is_parked else ()
    motion = motion_of(alert.motion, alert.speed_kph, trail, now)
    change: dict[str, Any] = {} if motion is alert.motion else {"motion": motion}
    marks = {"motion"} if change and is_parked else set()
    if now.odometer_km is not None and _has_fallen(now, (*known, *past)):
        change["odometer_km"] = None
        marks.add("odometer_km")
    if not change:
        return report
    marked = tuple(sorted({*report.defaulted, *marks}))
    return replace(report, alert=alert.model_copy(update=change), defaulted=marked)


def _has_fallen(now: Whereabouts, known: Iterable[Fault]) -> bool:
    """Return whether an odometer says less than an earlier report did: it never goes back."""
    least = (now.odometer_km or 0.0) + _ROUNDED_KM
    return any(
        fault.readings.get("odometer_km", 0.0) > least and fault.last_seen <= now.at
        for fault in known
    )


def _trail(
    source: str, open_case: OpenCase | None, known: Iterable[Fault]
) -> Iterator[Whereabouts]:
    """Yield where the car was by earlier reports: its odometer by this source, and its place."""
    for fault in known:
        if fault.source == source:
            yield Whereabouts(fault.last_seen, fault.readings.get("odometer_km"))
    if open_case and open_case.place:
        yield Whereabouts(open_case.place.at, point=open_case.place.point)
