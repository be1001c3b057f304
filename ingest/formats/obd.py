"""Emission diagnostics of SAE J1979: confirmed, pending and permanent codes, and the lamp."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ingest.formats.foreign import foreign_document
from ingest.formats.parts import Bad, kind, read_object, shown
from ingest.names.words import word_of
from models.batch import Decoded, Record
from models.names.fault_code import is_no_fault, trouble_code
from models.words import Lamp, Reject, Severity, Status

# SAE J1979 and J2012: the lamp is the one for emissions. It asks for service where a code is of
# fuel and air, ignition or exhaust; of an engine too hot (P0217 to P0219), of high voltage or the
# brakes it does not say how grave they are.
_OF_EXHAUST: Final = re.compile(r"dtc:(?:P0(?:[0134]..|2(?!1[789])..)|P2[0-4]..).*")
# How grave the lamp is: steady asks for service, flashing means that driving on does damage.
_GRAVE: Final[Mapping[Lamp, Severity]] = {
    Lamp.OFF: Severity.SERVICE,
    Lamp.MALFUNCTION: Severity.SERVICE,
    Lamp.FLASHING: Severity.LIMITED,
}
_FLASHING: Final = ("2", "2.0")  # as dongles number it; 0 and 1 are off and steady
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
    lamp, unknown = _lamp(document.get("mil"))
    severity = (
        Severity.UNKNOWN if document.get("mil") is None else _GRAVE.get(lamp, Severity.UNKNOWN)
    )
    if not any(name in document for name, _ in _LISTS) and "mil" not in document:
        raise Bad(Reject.UNRECOGNISED, "neither codes (confirmed, pending, permanent) nor mil")
    foreign = foreign_document(record, document, "obd")
    # a steady lamp belongs to the confirmed codes, where there are any
    is_explained = lamp is not Lamp.FLASHING and any(
        status is Status.ACTIVE and _is_fault(raw) for _, raw, status in _codes(document)
    )
    seen: set[str] = set()
    for pointer, raw, status in _codes(document):
        code = trouble_code(raw) if isinstance(raw, str) else None
        if code is None:
            foreign.reject(Bad(Reject.BAD_CODE, f"{shown(raw)} is no trouble code", pointer))
        elif code not in seen and not is_no_fault(code):
            seen.add(code)
            own = Lamp.UNKNOWN if status is Status.PENDING and is_explained else lamp
            grave = _severity(code, lamp, severity)
            foreign.add(code, grave, status=status, lamp=own, unknown_words=unknown)
    foreign.snapshot("dtc")
    if lamp is Lamp.FLASHING:
        foreign.add("obd:MIL_FLASHING", severity, status=Status.LAMP_ONLY, lamp=lamp)
    elif lamp is not Lamp.OFF and not seen:
        foreign.add("obd:MIL", severity, status=Status.LAMP_ONLY, lamp=lamp, unknown_words=unknown)
    foreign.snapshot("obd")
    return foreign.decoded()


def _codes(document: dict[str, Any]) -> Iterator[tuple[str, Any, Status]]:
    for name, status in _LISTS:
        listed = document.get(name)
        if listed is None:
            continue
        if not isinstance(listed, list):
            raise Bad(Reject.WRONG_TYPE, f"{name} must be a list, not {kind(listed)}", f"/{name}")
        for place, raw in enumerate(listed):
            yield f"/{name}/{place}", raw, status


def _is_fault(raw: Any) -> bool:
    code = trouble_code(raw) if isinstance(raw, str) else None
    return code is not None and not is_no_fault(code)


def _lamp(mil: Any) -> tuple[Lamp, tuple[str, ...]]:
    """Read the lamp, and name it where its word is one that nobody knows; no word is no lamp.

    A number above 2 may be any of them.
    """
    if mil is None:
        return Lamp.OFF, ()
    if isinstance(mil, (str, int, float)) and str(mil).strip() in _FLASHING:
        return Lamp.FLASHING, ()
    lamp = word_of("lamp", mil)
    word = Lamp.MALFUNCTION if lamp.word is Lamp.AMBER else Lamp(lamp.word)
    return word, ("lamp",) if lamp.is_unknown else ()


def _severity(code: str, lamp: Lamp, of_lamp: Severity) -> Severity:
    """Return how grave a code is: a steady lamp speaks for the engine and its exhaust alone."""
    if lamp is Lamp.MALFUNCTION and not _OF_EXHAUST.fullmatch(code):
        return Severity.UNKNOWN
    return of_lamp
