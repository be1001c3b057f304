"""How long after its clear a fault that is back still belongs to the same case."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

from models.documents.yaml import read_yaml
from models.words import System
from prioritizer.features.catalogue import Catalogue, load_catalogue

_DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class FlapWindows:
    """The window of each system; the catalogue knows the system of a code."""

    hours: Mapping[str, float]
    catalogue: Catalogue

    def __call__(self, code: str, make: str | None) -> timedelta:
        """Return the window of a code, as this make means it."""
        system = self.catalogue.entry(code, make).system.value
        return timedelta(hours=self.hours.get(system, self.hours[_DEFAULT]))


def parse_flap_windows(text: str) -> Mapping[str, float]:
    """Read the windows. Raises `ValueError` for one of no system or no time, or without default."""
    document: Mapping[str, Any] = read_yaml(text)
    known = {system.value for system in System} | {_DEFAULT}
    for name, hours in document.items():
        if name not in known:
            raise ValueError(f"flap windows: {name} is no system")
        if isinstance(hours, bool) or not isinstance(hours, (int, float)) or hours <= 0:
            raise ValueError(f"flap windows: {name}: a number of hours above 0 is wanted")
    if _DEFAULT not in document:
        raise ValueError("flap windows: a default is wanted")
    return document


@cache
def load_flap_windows() -> FlapWindows:
    """Return the windows that come with the package."""
    text = files("prioritizer.features").joinpath("flap_windows.yaml").read_text("utf-8")
    return FlapWindows(parse_flap_windows(text), load_catalogue())
