"""Whether a car moves: of signs that contradict each other the worse counts.

Everything that decides by motion asks here: what a car says of its motion, its speed, and how far
it has come since its last report.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import cos, hypot, radians
from typing import Final, NamedTuple

from models.words import Motion

# Satellite receivers show up to a walking pace of a car that stands.
STANDS_AT_MOST_KPH: Final = 5.0
# Within so long a car does not drive a way and park: it was moving at one of the two reports.
_ONE_DRIVE: Final = timedelta(minutes=10)
_LEAST_WAY_KM: Final = 0.5  # more than places and odometers are wrong by
_KM_OF_A_DEGREE: Final = 111.2  # of latitude; of longitude at the equator
_HOUR: Final = timedelta(hours=1)


class Whereabouts(NamedTuple):
    """When a car was where, as its odometer and its place (latitude, longitude) say."""

    at: datetime
    odometer_km: float | None = None
    point: tuple[float, float] | None = None


def motion_of(
    word: Motion,
    speed_kph: float | None,
    trail: Iterable[Whereabouts] = (),
    now: Whereabouts | None = None,
) -> Motion:
    """Return the motion to decide by, from a report's word and speed and from where the car was.

    `parked` at more than a walking pace is moving. `parked` of a car that has just come some way
    proves nothing: its source may never say `moving`.
    """
    if speed_kph is not None and speed_kph > STANDS_AT_MOST_KPH:
        return Motion.MOVING
    if (
        word is Motion.PARKED
        and now is not None
        and any(_has_just_moved(before, now) for before in trail)
    ):
        return Motion.UNKNOWN
    return word


def is_driving(motion: Motion, speed_kph: float | None) -> bool:
    """Say whether a car drives as far as anybody knows: an unknown motion counts as moving.

    The speed decides only where the motion is unknown: it may be of an older report.
    """
    if motion is Motion.UNKNOWN:
        return speed_kph is None or speed_kph > 0
    return motion is Motion.MOVING


def _has_just_moved(before: Whereabouts, now: Whereabouts) -> bool:
    between = now.at - before.at
    if not timedelta(0) < between <= _ONE_DRIVE:
        return False
    way = max(_by_odometer(before, now), _by_place(before, now))
    return way >= _LEAST_WAY_KM and way / (between / _HOUR) > STANDS_AT_MOST_KPH


def _by_odometer(before: Whereabouts, now: Whereabouts) -> float:
    if before.odometer_km is None or now.odometer_km is None:
        return 0.0
    return now.odometer_km - before.odometer_km


def _by_place(before: Whereabouts, now: Whereabouts) -> float:
    """Return the way in km between two places near each other, as on a flat map."""
    if before.point is None or now.point is None:
        return 0.0
    (lat, lon), (lat_now, lon_now) = before.point, now.point
    east = (lon_now - lon) * cos(radians((lat + lat_now) / 2))
    return _KM_OF_A_DEGREE * hypot(lat_now - lat, east)
