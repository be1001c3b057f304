"""The cars of an invented fleet: VINs that belong to nobody, homes in cities that exist."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ingest.formats.parts import check_digit

# (name, powertrain, share of the fleet)
_MODELS: Final = (
    ("iX3", "bev", 0.22),
    ("i4", "bev", 0.10),
    ("iX", "bev", 0.08),
    ("530Le", "phev", 0.12),
    ("325Li", "ice", 0.28),
    ("X3", "ice", 0.20),
)
# (key in the desks' ids, region, latitude, longitude)
_CITIES: Final = (
    ("beijing", "north", 39.9042, 116.4074),
    ("shanghai", "east", 31.2304, 121.4737),
    ("guangzhou", "south", 23.1291, 113.2644),
    ("shenzhen", "south-coast", 22.5431, 114.0579),
    ("chengdu", "southwest", 30.5728, 104.0668),
    ("hangzhou", "zhejiang", 30.2741, 120.1551),
    ("wuhan", "central", 30.5928, 114.3055),
    ("xian", "northwest", 34.3416, 108.9398),
    ("nanjing", "jiangsu", 32.0603, 118.7969),
    ("shenyang", "northeast", 41.8057, 123.4315),
    ("chongqing", "chongqing", 29.563, 106.5516),
    ("qingdao", "shandong", 36.0671, 120.3826),
)
COLD: Final = frozenset({"beijing", "shenyang", "xian", "qingdao"})
_SPREAD_DEGREES: Final = 0.05
_DEALERS_IN_A_CITY: Final = 5


@dataclass(frozen=True, slots=True)
class Car:
    """One car of the fleet. `number` counts from 0 and seeds all that happens to it."""

    number: int
    vin: str
    model: str
    powertrain: str
    city: str
    region: str
    lat: float
    lon: float
    dealer: str


def cars(count: int, seed: int) -> Iterator[Car]:
    """Make the first `count` cars of a seed's fleet; a larger fleet begins with the same ones."""
    for number in range(count):
        chance = random.Random(f"{seed} car {number}")
        model, powertrain, _ = chance.choices(_MODELS, [share for *_, share in _MODELS])[0]
        city, region, lat, lon = chance.choice(_CITIES)
        yield Car(
            number=number,
            vin=vin_of(number),
            model=model,
            powertrain=powertrain,
            city=city,
            region=region,
            lat=round(lat + chance.gauss(0, _SPREAD_DEGREES), 5),
            lon=round(lon + chance.gauss(0, _SPREAD_DEGREES), 5),
            dealer=f"dealer-{city}-{chance.randint(1, _DEALERS_IN_A_CITY)}",
        )


def vin_of(number: int) -> str:
    """Spell the VIN of a car with its check digit; the maker's part is nobody's."""
    body = f"LZZS1M0L0T{number:07d}"
    return body[:8] + check_digit(body) + body[9:]


def master_row(car: Car) -> Mapping[str, object]:
    """Give the car's row for `pacc vehicle import`; the number to call belongs to nobody."""
    return {
        "vin": car.vin,
        "plate": f"样{car.number:06d}",
        "model": car.model,
        "powertrain": car.powertrain,
        "market": "CN",
        "region": car.region,
        "preferred_dealer": car.dealer,
        "home_lat": car.lat,
        "home_lon": car.lon,
        "name": f"示例车主{car.number}",
        "phone": f"+86 000 {car.number:08d}",
        "language": "zh-CN",
        "has_consent": "true",
    }
