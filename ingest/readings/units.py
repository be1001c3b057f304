"""Distances in the unit that a document names beside them."""

from collections.abc import Mapping
from typing import Any, Final

from ingest.readings.numbers import finite, spelled_number

# How many kilometres one is, by the names that documents use, without blanks, dots and case.
_KILOMETRES: Final[Mapping[str, float]] = {
    **dict.fromkeys(("km", "kms", "kilometer", "kilometers", "kilometre", "kilometres", "公里"), 1),
    **dict.fromkeys(("mi", "mile", "miles", "英里"), 1.609344),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), 0.001),
}
# Where documents name the unit of their distances, beside the distance or around it.
_BESIDE: Final = ("unit", "units", "unitOfLength", "unitOfDistance", "lengthUnit", "distanceUnit")
_INSIDE: Final = ("mileage", "value", "distance")


def distance_in(document: Mapping[str, Any], name: str) -> Any:
    """Return a document's distance in km, by the unit that stands in it or beside it.

    The member is a number, its text, or an object that holds it. What is none, or is in a unit that
    nobody knows, is returned as it stands, so that whoever believes readings leaves it out.
    """
    raw = document.get(name)
    if isinstance(raw, Mapping):
        inner = next((key for key in _INSIDE if key in raw), None)
        return raw if inner is None else kilometres(raw[inner], _unit_of(raw, inner))
    return kilometres(raw, _unit_of(document, name))


def kilometres(value: Any, unit: Any) -> Any:
    """Return a distance in km; where its unit is not known, or it is no number, what was sent.

    Without a unit it is in km. A unit that nobody knows leaves nothing to believe.
    """
    spelled = spelled_number(value)
    number = finite(spelled)
    if number is None or unit is None or unit == "":
        return spelled
    factor = _KILOMETRES.get(unit.strip().strip(".").lower()) if isinstance(unit, str) else None
    return f"{value} {unit!r:.20}" if factor is None else number * factor


def _unit_of(document: Mapping[str, Any], name: str) -> Any:
    """Return the unit that a document names for one of its members, its own before the common."""
    names = (f"{name}Unit", f"{name}Units", f"{name}_unit", *_BESIDE)
    return next((document[key] for key in names if document.get(key) not in (None, "")), None)
