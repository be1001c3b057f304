"""Which system a code concerns, by the range that it lies in: the answer for codes that the
catalogue does not name."""

import re
from bisect import bisect
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from models.documents.yaml import read_yaml
from models.words import System

_FORM: Final = re.compile(r"dtc:([PCBU])([0-3][0-9A-F])([0-9A-F]{2})")
# A maker's code, and one that the standard has not given out: what the letter says of it.
_BY_LETTER: Final = {
    "P": System.PROPULSION,
    "C": System.BRAKING,
    "B": System.BODY,
    "U": System.NETWORK,
}
_BY_SCHEME: Final = {"cbs": System.MAINTENANCE, "gbt": System.HIGH_VOLTAGE}

Blocks = Mapping[str, tuple[list[int], list[System]]]


def system_of(code: str) -> System:
    """Return the system of a code by its range; `unknown` for a scheme that has no ranges."""
    parts = _FORM.match(code)
    if parts is None:
        return _BY_SCHEME.get(code.partition(":")[0], System.UNKNOWN)
    letter, block, rest = parts.groups()
    starts, systems = _blocks().get(letter + block, ([], []))
    place = bisect(starts, int(rest, 16))
    return systems[place - 1] if place else _BY_LETTER[letter]


def parse_systems(text: str) -> Blocks:
    """Read the table of ranges; a mistake names its block."""
    return {block: _parse(block, line) for block, line in read_yaml(text).items()}


@cache
def _blocks() -> Blocks:
    table = files("prioritizer.features").joinpath("systems.yaml")
    return parse_systems(table.read_text("utf-8"))


def _parse(block: str, line: Any) -> tuple[list[int], list[System]]:
    pairs = [str(one).split() for one in line]
    try:
        starts = [int(start, 16) for start, _ in pairs]
        systems = [System(word) for _, word in pairs]
    except ValueError as error:
        raise ValueError(f"systems: {block}: {error}") from error
    if starts != sorted(set(starts)):
        raise ValueError(f"systems: {block}: the starts do not rise")
    return starts, systems
