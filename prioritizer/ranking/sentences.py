"""Fills sentences with the numbers of a row, as people read them; `?` for what is not known."""

import math
from collections.abc import Callable, Mapping
from functools import cache
from string import Formatter
from typing import Final

from models.case import Text

# Returns a row's value of a column by its name.
Row = Callable[[str], float]


def _number(value: float, digits: int = 0) -> str:
    return "?" if math.isnan(value) else f"{value:.{digits}f}"


def _whole(name: str) -> Callable[[Row], str]:
    return lambda row: _number(row(name))


_SPELLED: Final[Mapping[str, Callable[[Row], str]]] = {
    **{
        name: _whole(name)
        for name in (
            "actives",
            "limiteds",
            "reports",
            "age_hours",
            "vehicle_years",
            "odometer_km",
            "ambient_c",
            "range_km",
            "cell_spread_mv",
            "tyre_kpa",
            "speed_kph",
        )
    },
    "soc_percent": lambda row: _number(100 * row("state_of_charge")),
    "low_voltage_v": lambda row: _number(row("low_voltage_v"), 1),
    "together": lambda row: _number(row("actives") + row("folded")),
    "nth": lambda row: _number(row("cases_30d") + 1),
}
# What a sentence may name besides the title of the fault and its code.
NAMES: Final = frozenset(_SPELLED)


@cache
def _numbers_of(sentence: Text) -> tuple[str, ...]:
    """Return the names of the numbers that a sentence has in either language."""
    parsed = [*Formatter().parse(sentence.zh), *Formatter().parse(sentence.en)]
    return tuple(dict.fromkeys(name for _, name, _, _ in parsed if name and name in _SPELLED))


def fill(sentence: Text, row: Row, title: Text, code: str = "") -> Text:
    """Return a sentence with its numbers filled in, in both languages."""
    numbers = {name: _SPELLED[name](row) for name in _numbers_of(sentence)}
    return Text(
        zh=sentence.zh.format(title=title.zh, code=code, **numbers),
        en=sentence.en.format(title=title.en, code=code, **numbers),
    )
