"""Fills sentences with a fault and with numbers as people read them.

A sentence names its fault as `{fault}`, its code alone as `{code}`, and numbers by their field. A
part in square brackets is left out when one of its numbers is not known; a number outside of
brackets is shown as `?` then.
"""

import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from string import Formatter
from typing import Final

from models.case import Fault, Text

# Gives the value of a field by its name; NaN for what is not known.
Numbers = Callable[[str], float]
FAULT: Final = "fault"
CODE: Final = "code"
_OPTIONAL: Final = re.compile(r"\[([^\]]*)\]")


def _number(value: float, digits: int = 0) -> str:
    return "?" if math.isnan(value) else f"{value:.{digits}f}"


def _whole(name: str) -> Callable[[Numbers], str]:
    return lambda numbers: _number(numbers(name))


_SPELLED: Final[Mapping[str, Callable[[Numbers], str]]] = {
    **{
        name: _whole(name)
        for name in (
            "actives",
            "limiteds",
            "returns",
            "age_hours",
            "vehicle_years",
            "odometer_km",
            "ambient_c",
            "coolant_c",
            "hv_temp_c",
            "range_km",
            "cell_spread_mv",
            "tyre_kpa",
            "speed_kph",
        )
    },
    "soc_percent": lambda numbers: _number(100 * numbers("state_of_charge")),
    "low_voltage_v": lambda numbers: _number(numbers("low_voltage_v"), 1),
    "together": lambda numbers: _number(numbers("actives") + numbers("folded")),
    "nth": lambda numbers: _number(numbers("cases_30d") + 1),
}
# The numbers that a sentence may name.
NAMES: Final = frozenset(_SPELLED)


@cache
def names_in(sentence: str) -> frozenset[str]:
    """Return the placeholders of a sentence.

    Raises `ValueError` for one without a name, with a format of its own, or for brackets that do
    not match, and for a fault in an optional part.
    """
    parts = [part for part in Formatter().parse(sentence) if part[1] is not None]
    if any(not name or spec or conversion for _, name, spec, conversion in parts):
        raise ValueError("a placeholder is a name in braces, and nothing else")
    rest = _OPTIONAL.sub("", sentence)
    if (
        "[" in rest
        or "]" in rest
        or any(f"{{{FAULT}}}" in part for part in _OPTIONAL.findall(sentence))
    ):
        raise ValueError("brackets hold numbers that may be unknown, and are closed")
    return frozenset(name for _, name, _, _ in parts if name)


@cache
def names_a_fault(sentence: Text) -> bool:
    """Say whether a sentence is about one fault, which it names."""
    return FAULT in names_in(sentence.zh) | names_in(sentence.en)


def of_fault(fault: Fault, row: Numbers, *, is_named: bool) -> Numbers:
    """Return the numbers that a sentence says of a fault: its own counts, all else from the row.

    Where the sentence names the fault, a reading is what the fault's own alerts brought.
    """
    own: dict[str, float] = {"returns": fault.returns}
    if is_named:
        own |= {name: fault.readings.get(name, math.nan) for name in _READINGS_OF_A_FAULT}
    return lambda name: own[name] if name in own else row(name)


_READINGS_OF_A_FAULT: Final = (
    "low_voltage_v",
    "coolant_c",
    "hv_temp_c",
    "cell_spread_mv",
    "tyre_kpa",
    "speed_kph",
)


def fill(sentence: Text, numbers: Numbers, fault: Text | None = None, code: str = "") -> Text:
    """Fill a sentence in both languages; `fault` and `code` are how its fault is called."""
    return Text(
        zh=_fill(sentence.zh, numbers, fault.zh if fault else "", code),
        en=_fill(sentence.en, numbers, fault.en if fault else "", code),
    )


def _fill(sentence: str, numbers: Numbers, fault: str, code: str) -> str:
    values = {name: _SPELLED[name](numbers) for name in names_in(sentence) if name in _SPELLED}

    def keep_if_known(part: re.Match[str]) -> str:
        return "" if any(values.get(name) == "?" for name in names_in(part[1])) else part[1]

    return _OPTIONAL.sub(keep_if_known, sentence).format(**values, **{FAULT: fault, CODE: code})
