"""One optional value of a document: a finite number, or a text of bounded length."""

import math
from typing import Any


def finite(value: Any) -> float | None:
    """Return a JSON number as a float; None for `true`, a text, NaN, infinity, all else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def spelled_number(value: Any) -> Any:
    """Return the number that a text spells; anything else as it is.

    For the formats whose documents spell their numbers as texts.
    """
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def fraction(percent: Any) -> Any:
    """Return a share of 0 to 1 for a number in percent; anything else as it is."""
    number = finite(spelled_number(percent))
    return percent if number is None else number / 100


def text_of(value: Any, most: int) -> tuple[str | None, bool]:
    """Return a text, cut to `most` signs, and whether it is what was sent."""
    if not isinstance(value, str):
        return None, False
    return value[:most], len(value) <= most


def spelled_name(value: Any) -> Any:
    """Return a number as the text that names the same; anything else as it is."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return str(value) if is_number else value
