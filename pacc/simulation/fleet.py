"""The cars of an invented fleet: VINs that belong to nobody, homes in cities that exist."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ingest.formats.parts import check_digit
from pacc.simulation.parameters import Parameters, load_parameters

# (name, powertrain, share of the fleet)
MODELS: Final = (
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
_SPREAD_DEGREES: Final = 0.05
_DEALERS_IN_A_CITY: Final = 5
_YEARS: Final = "ABCDEFGHJKLMNPRSTVWXY123456789"  # ISO 3779, from 2010 on
_FIRST_YEAR: Final = 2010
_SERIALS: Final = 10_000_000
_DAYS_A_YEAR: Final = 365


@dataclass(frozen=True, slots=True)
class Car:
    """One car of the fleet. `number` counts from 0 and seeds all that happens to it.

    `age_years` and `odometer_km` are those of the first day; `frailty` is hidden and multiplies how
    often anything begins to fail; `new_words_day` is the day from which it speaks the vocabulary
    of newer software, `silent_day` that from which nothing is heard of it.
    """

    number: int
    vin: str
    model: str
    powertrain: str
    city: str
    region: str
    lat: float
    lon: float
    dealer: str
    model_year: int
    age_years: float
    km_a_day: float
    odometer_km: float
    frailty: float
    has_short_trips: bool
    new_words_day: float
    silent_day: float


def cars(count: int, seed: int) -> Iterator[Car]:
    """Yield the first `count` cars of a seed's fleet; a larger fleet begins with the same ones."""
    figures = load_parameters()
    shares = [share for *_, share in MODELS]
    for number in range(count):
        yield _car(number, random.Random(f"{seed} car {number}"), shares, figures)


def _car(number: int, chance: random.Random, shares: list[float], figures: Parameters) -> Car:
    fleet, words = figures.fleet, figures.vocabulary
    model, powertrain, _ = chance.choices(MODELS, shares)[0]
    city, region, lat, lon = chance.choice(_CITIES)
    lived = chance.expovariate(1 / fleet["mean_age_years"][powertrain])
    age = 0.1 + min(lived, fleet["oldest_years"])
    year = fleet["newest_model_year"] - int(age)
    km_a_day = fleet["km_a_day"] * chance.lognormvariate(0, fleet["km_spread"])
    updates = model in words.models and chance.random() < words.share
    return Car(
        number=number,
        vin=vin_of(number, year),
        model=model,
        powertrain=powertrain,
        city=city,
        region=region,
        lat=round(lat + chance.gauss(0, _SPREAD_DEGREES), 5),
        lon=round(lon + chance.gauss(0, _SPREAD_DEGREES), 5),
        dealer=f"dealer-{city}-{chance.randint(1, _DEALERS_IN_A_CITY)}",
        model_year=year,
        age_years=age,
        km_a_day=km_a_day,
        odometer_km=age * _DAYS_A_YEAR * km_a_day * chance.uniform(0.85, 1.1),
        frailty=chance.lognormvariate(0, fleet["frailty"]),
        has_short_trips=chance.random() < fleet["short_trips"],
        new_words_day=chance.uniform(0, words.within_days) if updates else float("inf"),
        silent_day=chance.expovariate(fleet["silent_a_year"] / _DAYS_A_YEAR),
    )


def vin_of(number: int, model_year: int) -> str:
    """Return a VIN with model year and check digit (ISO 3779); the maker's part is nobody's."""
    year = _YEARS[(model_year - _FIRST_YEAR) % len(_YEARS)]
    body = f"LZZS1M{number // _SERIALS}L0{year}{number % _SERIALS:07d}"
    return body[:8] + check_digit(body) + body[9:]


def master_row(car: Car) -> Mapping[str, object]:
    """Return the car's row for `pacc vehicle import`; the number to call belongs to nobody."""
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
        "phone": f"+86 10 0{car.number:07d}",  # no number in Beijing begins with 0
        "language": "zh-CN",
        "has_consent": "true",
    }
