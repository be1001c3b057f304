"""Reading what somebody typed into a form; a mistake names its field."""

from collections.abc import Mapping
from typing import Any

from models.errors import Unusable


def words(fields: Mapping[str, str], name: str) -> str:
    """Read words that must be there. Raises `Unusable` with the field."""
    given = fields.get(name, "").strip()
    if not given:
        raise Unusable("Say why, in a few words.", field=name)
    return given[:2000]


def number(fields: Mapping[str, str], name: str, least: int, most: int) -> int:
    """Read a whole number within bounds. Raises `Unusable` with the field."""
    try:
        value = int(fields.get(name, ""))
    except ValueError:
        raise Unusable(f"{name} is a whole number.", field=name) from None
    if not least <= value <= most:
        raise Unusable(f"{name} is from {least} to {most}.", field=name)
    return value


def word(known: Any, fields: Mapping[str, str], name: str) -> Any:
    """Read a word of a closed list. Raises `Unusable` with the field."""
    try:
        return known(fields.get(name, ""))
    except ValueError:
        raise Unusable(f"Choose one of the list for {name}.", field=name) from None
