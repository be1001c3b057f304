"""Which places are believed: a receiver without satellites says 0, 0, a pole or the date line."""

from collections.abc import Mapping
from typing import Any, Final

from ingest.readings.numbers import finite, text_of

_MOST_LATITUDE: Final = 90.0
_MOST_LONGITUDE: Final = 180.0
_MOST_ACCURACY_M: Final = 1_000_000
_MOST_ROAD: Final = 128


def is_place(latitude: float, longitude: float) -> bool:
    """Return whether two degrees are a place, and not what is written where there is none.

    A coordinate of exactly 0 was not filled in (kia_uvo#1783), -1, -1 is an error's number, and
    the bounds themselves are what a receiver writes into a field that must be legal.
    """
    if latitude == 0 or longitude == 0 or (latitude, longitude) == (-1, -1):
        return False
    return abs(latitude) < _MOST_LATITUDE and abs(longitude) < _MOST_LONGITUDE


def place_of(raw: Any) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """Return the place of a `position` member, None where it is none, and what was left out."""
    if not isinstance(raw, Mapping):
        return None, ("position",)
    latitude, longitude = finite(raw.get("lat")), finite(raw.get("lon"))
    if latitude is None or longitude is None or not is_place(latitude, longitude):
        return None, ("position",)
    place: dict[str, Any] = {"lat": latitude, "lon": longitude}
    left_out = []
    if raw.get("accuracy_m") is not None:
        accuracy = finite(raw["accuracy_m"])
        if accuracy is not None and 0 <= accuracy <= _MOST_ACCURACY_M:
            place["accuracy_m"] = accuracy
        else:
            left_out.append("position.accuracy_m")
    if raw.get("road") is not None:
        road, is_whole = text_of(raw["road"], _MOST_ROAD)
        place |= {} if road is None else {"road": road}
        left_out += [] if is_whole else ["position.road"]
    return place, tuple(left_out)
