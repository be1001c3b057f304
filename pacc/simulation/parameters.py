"""Reads the figures of the invented fleet from the one file that holds them all."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from models.documents.yaml import read_yaml

Span = tuple[float, float]
_LISTS: Final = ("early", "middle", "late")


@dataclass(frozen=True, slots=True)
class Phrase:
    """What a car says: a code with its severity and status."""

    code: str
    severity: str
    status: str = "active"


@dataclass(frozen=True, slots=True)
class Ending:
    """One way in which a car comes to stand; without phrases nothing is ever heard of it."""

    share: float
    says: tuple[Phrase, ...]
    has_flock: bool
    is_moving: bool


@dataclass(frozen=True, slots=True)
class Scenario:
    """How a component fails; the figures are explained in `parameters.yaml`."""

    name: str
    component: str
    powertrains: frozenset[str]
    a_year: float
    age: float
    use: float
    cold: Span
    heat: Span
    away: float
    days: Span
    hazard: float
    steep: float
    visit: float
    reports: Span
    repeats: float
    flicker: float
    twins: float
    twin_days: float
    twin_level: Span
    moving: float
    phrases: tuple[tuple[Phrase, ...], tuple[Phrase, ...], tuple[Phrase, ...]]
    endings: tuple[Ending, ...]
    finding: str


@dataclass(frozen=True, slots=True)
class Harmless:
    """What cars say without being about to stand. `says`: weight, phrases, powertrains."""

    name: str
    component: str
    a_year: float
    days: float
    reports: float
    repeats: float
    flicker: float
    moving: float
    finding: str
    says: tuple[tuple[float, tuple[Phrase, ...], frozenset[str]], ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What new software spells otherwise: words of severity and codes."""

    models: frozenset[str]
    share: float
    within_days: float
    software: str
    before: str
    severity: Mapping[str, str]
    codes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wave:
    """How one bad update goes through a model line."""

    software: str
    share: float
    within_hours: float
    code: str
    first_within: Span
    gap: Span
    repeats: float
    flicker: float
    moving: float
    stop: float
    stop_code: str
    lasts_hours: float
    cleared: float
    finding: str


@dataclass(frozen=True, slots=True)
class Parameters:
    """All figures."""

    acceleration: float
    fleet: Mapping[str, Any]
    climate: Mapping[str, Span]
    weather: Mapping[str, Any]
    quarters: tuple[float, ...]
    repair_days: Span
    vocabulary: Vocabulary
    flock: tuple[Phrase, ...]
    flock_size: tuple[int, int]
    twins_lean: float
    scenarios: tuple[Scenario, ...]
    harmless: tuple[Harmless, ...]
    bad_update: Wave


@lru_cache(maxsize=1)
def load_parameters() -> Parameters:
    """Read the figures that come with the package."""
    return parse_parameters(files("pacc.simulation").joinpath("parameters.yaml").read_text("utf-8"))


def parse_parameters(text: str) -> Parameters:
    """Return the figures of the file's text."""
    document = read_yaml(text)
    vocabulary = _without_source(document["vocabulary"])
    return Parameters(
        acceleration=float(document["acceleration"]["value"]),
        fleet=_without_source(document["fleet"]),
        climate={city: _span(line) for city, line in _without_source(document["climate"]).items()},
        weather=_without_source(document["weather"]),
        quarters=tuple(document["use"]["quarters"]),
        repair_days=_span(document["use"]["repair_days"]),
        vocabulary=Vocabulary(**{**vocabulary, "models": frozenset(vocabulary["models"])}),
        flock=_phrases(document["flock"]["codes"]),
        flock_size=(int(document["flock"]["how_many"][0]), int(document["flock"]["how_many"][1])),
        twins_lean=float(document["twins"]["readings"]),
        scenarios=tuple(_scenario(name, line) for name, line in document["scenarios"].items()),
        harmless=tuple(_harmless(name, line) for name, line in document["harmless"].items()),
        bad_update=_wave(document["bad_update"]),
    )


def _scenario(name: str, line: Mapping[str, Any]) -> Scenario:
    kept = {
        key: value for key, value in _without_source(line).items() if key not in (*_LISTS, "final")
    }
    for key in ("cold", "heat", "days", "reports", "twin_level"):
        kept[key] = _span(kept[key])
    early, middle, late = (_phrases(line[key]) for key in _LISTS)
    return Scenario(
        **{
            "away": 1.0,
            **kept,
            "name": name,
            "powertrains": frozenset(line["powertrains"]),
            "phrases": (early, (*early, *middle), (*middle, *late)),
            "endings": tuple(
                Ending(
                    share=ending["share"],
                    says=_phrases(ending["says"]),
                    has_flock=ending.get("flock", False),
                    is_moving=ending.get("moving", False),
                )
                for ending in line["final"]
            ),
        }
    )


def _harmless(name: str, line: Mapping[str, Any]) -> Harmless:
    says = tuple(
        (choice["weight"], _phrases(choice["codes"]), frozenset(choice["powertrains"]))
        for choice in line["says"]
    )
    return Harmless(**{**_without_source(line), "name": name, "says": says})


def _wave(line: Mapping[str, Any]) -> Wave:
    spans = {name: _span(line[name]) for name in ("first_within", "gap")}
    return Wave(**{**_without_source(line), **spans})


def _phrases(lines: list[str]) -> tuple[Phrase, ...]:
    return tuple(Phrase(*line.split()) for line in lines)


def _span(pair: list[float]) -> Span:
    first, second = pair
    return float(first), float(second)


def _without_source(line: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in line.items() if key != "source"}
