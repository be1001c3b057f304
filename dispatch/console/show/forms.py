"""Reading what somebody typed into a form; a mistake names its field."""

from collections.abc import Mapping
from typing import Any

from models.errors import Unusable


def words(fields: Mapping[str, str], name: str) -> str:
    """Read words that must be there. Raises `Unusable` with the field."""
    reason = text(fields, name, 500).strip()
    if not reason:
        raise Unusable("Say why, in a few words.", field=name)
    return reason


def text(fields: Mapping[str, str], name: str, most: int) -> str:
    """Read what may be empty. Raises `Unusable` with the field rather than cut a word off."""
    typed = fields.get(name, "")
    if len(typed) > most:
        raise Unusable("At most %(most)d characters.", {"most": most}, field=name)
    return typed


def number(fields: Mapping[str, str], name: str, least: int, most: int) -> int:
    """Read a whole number within bounds. Raises `Unusable` with the field."""
    bounds = {"least": least, "most": most}
    try:
        value = int(fields.get(name, ""))
    except ValueError:
        raise Unusable(
            "A whole number from %(least)d to %(most)d, please.", bounds, field=name
        ) from None
    if not least <= value <= most:
        raise Unusable("From %(least)d to %(most)d, please.", bounds, field=name)
    return value


def word(known: Any, fields: Mapping[str, str], name: str) -> Any:
    """Read a word of a closed list. Raises `Unusable` with the field."""
    try:
        return known(fields.get(name, ""))
    except ValueError:
        raise Unusable("Choose one of the list.", field=name) from None
