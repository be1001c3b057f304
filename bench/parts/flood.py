"""A storm of records: every car of a fleet, one bad update in one line, made by the thousand."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from models.batch import Message

REPORTS = 5  # of each car
LINE = 3  # every third car is of the line with the update
STOPS = 2000  # one car of so many of the line stops in motion
SOFTWARE = "05-2026.10"
ORDINARY = ("dtc:C0083", "ccm:164", "dtc:U0155", "cbs:VEHICLE_CHECK", "dtc:B1342")
PLACES = ((39.9042, 116.4074), (31.2304, 121.4737), (23.1291, 113.2644), (30.5728, 104.0668))
_ALERT = (
    '{"id":"%s","source":"urn:bench","vin":"%s","observed_at":"%s","code":"%s","status":"%s",'
    '"severity":"%s","motion":"%s","model":"%s","software":"%s","odometer_km":%d,'
    '"position":{"lat":%.4f,"lon":%.4f}}'
)


def flood(count: int, first: int = 0, fleet: int | None = None) -> Iterator[Message]:
    """Return alerts from number `first` on; without a `fleet` every car speaks REPORTS times."""
    cars = max(1, fleet or count // REPORTS)
    began = datetime.now(UTC)
    for number in range(first, first + count):
        at = began + timedelta(milliseconds=(number - first) // 10)
        yield _one(number, number % cars, (number - first) // cars, at)


def _one(number: int, car: int, report: int, at: datetime) -> Message:
    vin = f"LZZS1M0L{car:09d}"
    code, severity, status, motion = ORDINARY[car % len(ORDINARY)], "service", "active", "parked"
    is_of_line = car % LINE == 0
    if is_of_line:
        code, severity, motion = "dtc:P0A78", "limited", ("parked", "moving")[report % 2]
        status = "cleared" if report % 4 == 2 else "active"
        if car // LINE % STOPS == STOPS - 1:
            code, severity, status, motion = "dtc:P0C01", "stop", "active", "moving"
    lat, lon = PLACES[car % len(PLACES)]
    value = _ALERT % (
        f"flood {number}",
        vin,
        at.isoformat(),
        code,
        status,
        severity,
        motion,
        "iX3" if is_of_line else "X3",
        SOFTWARE if is_of_line else "11-2025.30",
        10_000 + report,
        lat + car % 97 / 2000,
        lon + car % 89 / 2000,
    )
    return Message("", vin.encode(), value.encode(), (), int(at.timestamp() * 1000))


def urgent(number: int) -> Message:
    """Return a stop fault in motion of a car that the flood does not know."""
    vin, at = f"LZZS1M0U{number:09d}", datetime.now(UTC)
    lat, lon = PLACES[number % len(PLACES)]
    value = _ALERT % (
        f"urgent {number}",
        vin,
        at.isoformat(),
        "dtc:P0C01",
        "active",
        "stop",
        "moving",
        "X3",
        "11-2025.30",
        10_000,
        lat,
        lon,
    )
    return Message("", vin.encode(), value.encode(), (), int(at.timestamp() * 1000))
