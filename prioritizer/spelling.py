"""Fills sentences with the numbers of a row, as people read them; `?` for what is not known."""

import math
from collections.abc import Callable, Mapping
from typing import Final

from models.case import Text

# Gives a row's value of a column by its name.
Row = Callable[[str], float]


def _number(value: float, digits: int = 0) -> str:
    return "?" if math.isnan(value) else f"{value:.{digits}f}"


def _whole(name: str) -> Callable[[Row], str]:
    return lambda row: _number(row(name))


_SPELLED: Final[Mapping[str, Callable[[Row], str]]] = {
    **{
        name: _whole(name)
        for name in ("actives", "limiteds", "reports", "age_hours", "vehicle_years", "odometer_km",
                     "ambient_c", "range_km", "cell_spread_mv", "tyre_kpa", "speed_kph")
    },
    "soc_percent": lambda row: _number(100 * row("state_of_charge")),
    "low_voltage_v": lambda row: _number(row("low_voltage_v"), 1),
    "together": lambda row: _number(row("actives") + row("folded")),
    "nth": lambda row: _number(row("cases_30d") + 1),
}  # fmt: skip
# What a sentence may name besides the title of the fault and its code.
NAMES: Final = frozenset(_SPELLED)


class _Words(dict[str, str]):
    """What a sentence names, spelled when it is asked for."""

    def __init__(self, row: Row, title: str, code: str) -> None:
        super().__init__(title=title, code=code)
        self._row = row

    def __missing__(self, name: str) -> str:
        return _SPELLED[name](self._row)


def fill(sentence: Text, row: Row, title: Text, code: str = "") -> Text:
    """Fill a sentence in both languages."""
    return Text(
        zh=sentence.zh.format_map(_Words(row, title.zh, code)),
        en=sentence.en.format_map(_Words(row, title.en, code)),
    )
