"""Which vehicle a record speaks of: its document says it, its key stands in."""

from typing import Any, Final, NamedTuple

from models.canary import CANARY_VIN
from models.names.vin import read_vin

_LONGEST_KEY: Final = 256  # bytes


class Vehicle(NamedTuple):
    """A legal VIN, or None with the reason; `is_doubted` where document and key do not agree."""

    vin: str | None
    is_doubted: bool = False
    mistake: str = ""


def vehicle_of(said: Any, key: bytes | None) -> Vehicle:
    """Return the vehicle of a document that says `said` in a record of this key.

    The document outranks the key. The key stands in where the document has no VIN, a placeholder,
    or a text that is none.
    """
    vin, mistake = read_vin(said) if isinstance(said, str) else ("", _no_text(said))
    if key is None or len(key) > _LONGEST_KEY:
        return Vehicle(vin) if mistake is None else Vehicle(None, mistake=mistake)
    other, key_mistake = read_vin(key.decode("utf-8", "replace"))
    if other == CANARY_VIN:  # its document must say so: nothing else is the canary
        key_mistake = "the mark of the canary"
    if mistake is None:
        return Vehicle(vin, is_doubted=key_mistake is None and other != vin)
    if key_mistake is not None:
        beside = "the same" if key_mistake == mistake else key_mistake
        return Vehicle(None, mistake=f"{mistake}; the record's key is none either: {beside}")
    return Vehicle(other, is_doubted=said is not None)


def _no_text(said: Any) -> str:
    return "the document names no vehicle" if said is None else "a VIN is a text"
