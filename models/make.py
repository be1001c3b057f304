"""Who made a car, by its VIN, and whether a code is the maker's own."""

import re
from typing import Final

# The cars of the simulator: no maker's.
INVENTED: Final = "*"
# A VIN's first signs (ISO 3780, the world manufacturer identifier) → who made the car. The invented
# fleet takes six of them, so that no maker's car is meant.
_MAKES: Final = {
    "LZZS1M": INVENTED,
    "WBA": "BMW",
    "WBS": "BMW",
    "WBX": "BMW",
    "WBY": "BMW",
    "LBV": "BMW",
    "KMH": "Hyundai",
    "KNA": "Kia",
    "KNE": "Kia",
    "TMB": "Skoda",
    "YV1": "Volvo",
    "LYV": "Volvo",
    "WDD": "Mercedes-Benz",
    "W1K": "Mercedes-Benz",
    "W1N": "Mercedes-Benz",
    "LE4": "Mercedes-Benz",
}
MAKES: Final = frozenset(_MAKES.values())
# SAE J2012: P0, P2, P34 to P39, B0, C0, U0 and U3 are the standard's, all others the makers'.
_STANDARD: Final = re.compile(r"dtc:(?:P0|P2|P3[4-9]|[BCU]0|U3)")


def make_of(vin: str) -> str | None:
    """Name who made a car; `*` for an invented one, None for a maker that is not listed."""
    return _MAKES.get(vin[:6]) or _MAKES.get(vin[:3])


def is_makers_own(code: str) -> bool:
    """Whether the maker of the car and not SAE J2012 says what a trouble code means."""
    return code.startswith("dtc:") and _STANDARD.match(code) is None
