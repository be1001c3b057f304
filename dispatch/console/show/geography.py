"""Where a vehicle is, in words: the nearest city, how far and in which direction; and map links.

Coordinates are kept as WGS-84; what a Chinese map provider wants is made here, at the edge.
"""

import csv
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from math import atan2, cos, degrees, pi, radians, sin, sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dispatch.console.show.languages import N_

_EARTH_KM: Final = 6371.0088  # mean radius, IUGG 1980
_IN_TOWN_KM: Final = 5.0
DIRECTIONS: Final = (
    N_("north"),
    N_("north-east"),
    N_("east"),
    N_("south-east"),
    N_("south"),
    N_("south-west"),
    N_("west"),
    N_("north-west"),
)
# The ellipsoid of the Chinese obfuscated datum (Krasovsky 1940): half axis in metres, squared
# eccentricity. GCJ-02 is secret; this is the approximation in public use, good to a few metres.
_AXIS: Final = 6378245.0
_ECCENTRICITY: Final = 0.00669342162296594323
_MAINLAND: Final = ((0.8293, 55.8271), (72.004, 137.8347))  # where the datum is in use, degrees


@dataclass(frozen=True, slots=True)
class Nearby:
    """The nearest city, the way from it in km, and the direction; no direction in the city."""

    city_zh: str
    city_en: str
    km: float
    direction: str | None


@cache
def _cities() -> tuple[list[tuple[str, str]], NDArray[np.float64]]:
    """Names (zh, en), and unit vectors of shape (cities, 3). From GeoNames, CC BY 4.0."""
    text = files("dispatch.console.show").joinpath("cities.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    points = np.radians([(float(row["lat"]), float(row["lon"])) for row in rows])
    return [(row["zh"], row["en"]) for row in rows], _vectors(points)


@lru_cache(maxsize=10_000)  # the same cars are on everybody's list, over and over
def nearby(lat: float, lon: float) -> Nearby:
    """Name the nearest city of those that the list holds (in China from 100,000 people)."""
    names, vectors = _cities()
    here = _vectors(np.radians([(lat, lon)]))[0]
    place = int(np.argmax(vectors @ here))
    apart = float(np.linalg.norm(vectors[place] - here))  # a chord: exact also where it is short
    km = 2 * _EARTH_KM * float(np.arcsin(min(1.0, apart / 2)))
    zh, en = names[place]
    if km < _IN_TOWN_KM:
        return Nearby(zh, en, km, None)
    return Nearby(zh, en, km, DIRECTIONS[round(_bearing(vectors[place], here) / 45) % 8])


def gcj02(lat: float, lon: float) -> tuple[float, float]:
    """Shift a WGS-84 point to GCJ-02; points outside mainland China stay as they are."""
    (south, north_end), (west, east_end) = _MAINLAND
    if not (south <= lat <= north_end and west <= lon <= east_end):
        return lat, lon
    x, y = lon - 105.0, lat - 35.0
    wave = (20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)) * 2 / 3
    north = (
        -100
        + 2 * x
        + 3 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * sqrt(abs(x))
        + wave
        + (20 * sin(y * pi) + 40 * sin(y / 3 * pi)) * 2 / 3
        + (160 * sin(y / 12 * pi) + 320 * sin(y * pi / 30)) * 2 / 3
    )
    east = (
        300
        + x
        + 2 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * sqrt(abs(x))
        + wave
        + (20 * sin(x * pi) + 40 * sin(x / 3 * pi)) * 2 / 3
        + (150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3
    )
    phi = radians(lat)
    bend = 1 - _ECCENTRICITY * sin(phi) ** 2
    meridian = _AXIS * (1 - _ECCENTRICITY) / (bend * sqrt(bend))
    return lat + degrees(north / meridian), lon + degrees(east * sqrt(bend) / (_AXIS * cos(phi)))


def map_link(template: str, datum: str, lat: float, lon: float) -> str:
    """Fill a map provider's address with a point in the datum that it wants."""
    at = gcj02(lat, lon) if datum == "gcj02" else (lat, lon)
    return template.replace("{lat}", f"{at[0]:.6f}").replace("{lon}", f"{at[1]:.6f}")


def _vectors(points: NDArray[np.float64]) -> NDArray[np.float64]:
    lat, lon = points[:, 0], points[:, 1]
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def _bearing(origin: Any, target: Any) -> float:
    """Degrees clockwise from north, of a short way seen from its origin."""
    lat, lon = np.arcsin(origin[2]), np.arctan2(origin[1], origin[0])
    east = -sin(lon) * target[0] + cos(lon) * target[1]
    inward = cos(lon) * target[0] + sin(lon) * target[1]
    north = cos(lat) * target[2] - sin(lat) * inward
    return degrees(atan2(east, north)) % 360
