"""Emission diagnostics of SAE J1979: confirmed, pending and permanent codes, and the lamp."""

import re
from collections.abc import Iterator
from typing import Any, Final

from ingest.formats.foreign import foreign_document
from ingest.formats.parts import Bad, kind, read_object, shown
from models.batch import Decoded, Record
from models.words import Lamp, Reject, Severity, Status

_TEXT: Final = re.compile(r"[PBCU][0-3][0-9A-F]{3}")
_RAW: Final = re.compile(r"[0-9A-F]{4}")
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
    mil = document.get("mil")
    lamp, severity = _lamp(mil)
    if not any(name in document for name, _ in _LISTS) and "mil" not in document:
        raise Bad(Reject.UNRECOGNISED, "neither codes (confirmed, pending, permanent) nor mil")
    foreign = foreign_document(record, document, "obd")
    seen: set[str] = set()
    for pointer, raw, status in _codes(document):
        code = code_of(raw)
        if code is None:
            foreign.reject(Bad(Reject.BAD_CODE, f"{shown(raw)} is no trouble code", pointer))
        elif code not in seen:
            seen.add(code)
            foreign.add(f"dtc:{code}", severity, status=status, lamp=lamp)
    foreign.snapshot("dtc")
    if mil == "flashing":
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
    """Read the lamp: steady asks for service, flashing means that driving on does damage."""
    if mil is True or mil == "on":
        return Lamp.MALFUNCTION, Severity.SERVICE
    if mil == "flashing":
        return Lamp.MALFUNCTION, Severity.LIMITED
    if mil is False or mil == "off":
        return Lamp.OFF, Severity.SERVICE
    return (Lamp.OFF if mil is None else Lamp.UNKNOWN), Severity.UNKNOWN
