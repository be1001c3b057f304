"""Emission diagnostics of SAE J1979: confirmed, pending and permanent codes, and the lamp."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ingest.formats.foreign import foreign_document
from ingest.formats.parts import Bad, kind, read_object, shown
from models.batch import Decoded, Record
from models.words import Lamp, Reject, Severity, Status

_TEXT: Final = re.compile(r"[PBCU][0-3][0-9A-F]{3}")
_RAW: Final = re.compile(r"[0-9A-F]{4}")
# SAE J1979 and J2012: the lamp is the one for emissions. It asks for service where a code is of
# fuel and air, ignition or exhaust; of an engine too hot (P0217 to P0219), of high voltage or the
# brakes it does not say how grave they are.
_OF_EXHAUST: Final = re.compile(r"P0(?:[0134]..|2(?!1[789])..)|P2[0-4]..")
_STEADY: Final = (Lamp.MALFUNCTION, Severity.SERVICE)
_FLASHING: Final = (Lamp.FLASHING, Severity.LIMITED)
_OFF: Final = (Lamp.OFF, Severity.SERVICE)
# The lamp by what dongles write: words, and 0, 1, 2 as numbers or as text.
_LAMPS: Final[Mapping[str, tuple[Lamp, Severity]]] = {
    **dict.fromkeys(("off", "0", "false", "no", "inactive", "unlit"), _OFF),
    **dict.fromkeys(
        ("on", "1", "true", "yes", "active", "lit", "solid", "steady", "continuous"), _STEADY
    ),
    **dict.fromkeys(
        ("flashing", "flash", "flashes", "blinking", "blink", "blinks", "2"), _FLASHING
    ),
}
_LISTS: Final = (
    ("confirmed", Status.ACTIVE),
    ("permanent", Status.ACTIVE),
    ("pending", Status.PENDING),
)


def decode(record: Record, value: bytes) -> Decoded:
    """Read one scan: one alert a code, the lamp alone where no code explains it.

    Raises `Bad` where there are neither codes nor a lamp.
    """
    document = read_object(value)
    lamp, severity = _lamp(document.get("mil"))
    if not any(name in document for name, _ in _LISTS) and "mil" not in document:
        raise Bad(Reject.UNRECOGNISED, "neither codes (confirmed, pending, permanent) nor mil")
    foreign = foreign_document(record, document, "obd")
    # a steady lamp belongs to the confirmed codes, where there are any
    is_explained = lamp is not Lamp.FLASHING and any(
        status is Status.ACTIVE and code_of(raw) for _, raw, status in _codes(document)
    )
    seen: set[str] = set()
    for pointer, raw, status in _codes(document):
        code = code_of(raw)
        if code is None:
            foreign.reject(Bad(Reject.BAD_CODE, f"{shown(raw)} is no trouble code", pointer))
        elif code not in seen:
            seen.add(code)
            own = Lamp.UNKNOWN if status is Status.PENDING and is_explained else lamp
            foreign.add(f"dtc:{code}", _severity(code, lamp, severity), status=status, lamp=own)
    foreign.snapshot("dtc")
    if lamp is Lamp.FLASHING:
        foreign.add("obd:MIL_FLASHING", severity, status=Status.LAMP_ONLY, lamp=lamp)
    elif lamp in (Lamp.MALFUNCTION, Lamp.UNKNOWN) and not seen:
        foreign.add("obd:MIL", severity, status=Status.LAMP_ONLY, lamp=lamp)
    foreign.snapshot("obd")
    return foreign.decoded()


def code_of(raw: Any) -> str | None:
    """Return a code as text, from text or from its two bytes in hexadecimal; None for no code."""
    if not isinstance(raw, str):
        return None
    text = raw.strip().upper()
    if _TEXT.fullmatch(text):
        return text
    if not _RAW.fullmatch(text):
        return None
    bits = int(text, 16)
    return f"{'PCBU'[bits >> 14]}{bits >> 12 & 3}{bits & 0xFFF:03X}"


def _codes(document: dict[str, Any]) -> Iterator[tuple[str, Any, Status]]:
    for name, status in _LISTS:
        listed = document.get(name)
        if listed is None:
            continue
        if not isinstance(listed, list):
            raise Bad(Reject.WRONG_TYPE, f"{name} must be a list, not {kind(listed)}", f"/{name}")
        for place, raw in enumerate(listed):
            yield f"/{name}/{place}", raw, status


def _lamp(mil: Any) -> tuple[Lamp, Severity]:
    """Read the lamp: steady asks for service, flashing means that driving on does damage.

    A word that we do not know, and a number above 2, may be any of them.
    """
    if mil is None:
        return Lamp.OFF, Severity.UNKNOWN
    if not isinstance(mil, (str, int, float)):
        return Lamp.UNKNOWN, Severity.UNKNOWN
    word = str(mil).strip().lower().removesuffix(".0")
    return _LAMPS.get(word, (Lamp.UNKNOWN, Severity.UNKNOWN))


def _severity(code: str, lamp: Lamp, of_lamp: Severity) -> Severity:
    """Return how grave a code is: a steady lamp speaks for the engine and its exhaust alone."""
    if lamp is Lamp.MALFUNCTION and not _OF_EXHAUST.fullmatch(code):
        return Severity.UNKNOWN
    return of_lamp
