"""A report as its vehicle's faults take it: what it says is held against what is known."""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from ingest.cluster.open_case import OpenCase
from models.batch import Report
from models.case import Fault
from models.signs.motion import Whereabouts, motion_of
from models.words import Motion


def believed(report: Report, open_case: OpenCase | None, waiting: Iterable[Fault]) -> Report:
    """Return the report with the motion to decide by; a `parked` that is not believed is marked."""
    alert = report.alert
    place = alert.position
    now = Whereabouts(
        report.observed_at, alert.odometer_km, (place.lat, place.lon) if place else None
    )
    trail = _trail(alert.source, open_case, waiting) if alert.motion is Motion.PARKED else ()
    motion = motion_of(alert.motion, alert.speed_kph, trail, now)
    if motion is alert.motion:
        return report
    is_doubted = alert.motion is Motion.PARKED
    return replace(
        report,
        alert=alert.model_copy(update={"motion": motion}),
        defaulted=tuple(sorted({*report.defaulted, *(("motion",) if is_doubted else ())})),
    )


def _trail(
    source: str, open_case: OpenCase | None, waiting: Iterable[Fault]
) -> Iterator[Whereabouts]:
    """Yield where the car was by earlier reports: its odometer by this source, and its place."""
    for fault in (*(open_case.faults.values() if open_case else ()), *waiting):
        if fault.source == source:
            yield Whereabouts(fault.last_seen, fault.readings.get("odometer_km"))
    if open_case and open_case.place:
        yield Whereabouts(open_case.place.at, point=open_case.place.point)
