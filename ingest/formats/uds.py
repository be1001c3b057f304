"""Fault memory read by ISO 14229-1 (UDS): code, status byte and severity mask."""

import re
from collections.abc import Mapping
from typing import Any, Final

from ingest.formats.foreign import Foreign, foreign_document
from ingest.formats.parts import Bad, kind, read_object, shown
from models.alert import unit_of
from models.batch import Decoded, Record
from models.names.fault_code import trouble_code
from models.words import Lamp, Reject, Severity, Status

# ISO 14229-1, annex D.2: the DTC status byte
TEST_FAILED, FAILED_THIS_CYCLE, PENDING, CONFIRMED = 0x01, 0x02, 0x04, 0x08
NOT_TESTED_SINCE_CLEAR, NOT_TESTED_THIS_CYCLE, LAMP_REQUESTED = 0x10, 0x40, 0x80
_SAYS_A_FAULT: Final = TEST_FAILED | PENDING | CONFIRMED
# A confirmed code that has none of them was tested in this drive, and passed.
_SAYS_IT_IS_THERE: Final = (
    TEST_FAILED
    | FAILED_THIS_CYCLE
    | PENDING
    | NOT_TESTED_SINCE_CLEAR
    | NOT_TESTED_THIS_CYCLE
    | LAMP_REQUESTED
)
# ISO 14229-1, DTC severity mask
_SEVERITIES: Final = (
    (0x80, Severity.STOP),
    (0x40, Severity.LIMITED),
    (0x20, Severity.SERVICE),
)


def decode(record: Record, value: bytes) -> Decoded:
    """Read one fault memory; a code whose tests passed and that is not stored is none.

    It is that of the control unit `unit` (or `ecu`), or of several: an entry may name its own, and
    `units` lists those that were asked. It is whole unless `complete` or `status_mask` says
    otherwise: then it tells of the codes that it lists alone. Raises `Bad` without a list of codes.
    """
    document = read_object(value)
    listed = document.get("dtcs")
    if listed is None:
        raise Bad(Reject.UNRECOGNISED, "there is no dtcs", "/dtcs")
    if not isinstance(listed, list):
        raise Bad(Reject.WRONG_TYPE, f"dtcs must be a list, not {kind(listed)}", "/dtcs")
    foreign = foreign_document(record, document, "uds")
    own = _unit_of(document)
    units = _asked(document, own)
    is_whole = _is_whole(document)
    for place, entry in enumerate(listed):
        try:
            units[_read(foreign, entry, own, is_whole=is_whole)] = None
        except Bad as bad:
            where = f"/dtcs/{place}{bad.rejected.pointer}"
            foreign.reject(Bad(bad.rejected.reason, bad.rejected.detail, where))
    for unit in (units or {own: None}) if is_whole else ():
        foreign.snapshot("dtc", unit=unit)
    return foreign.decoded()


def status_of(byte: int) -> Status:
    """Return what a status byte says; without the bits 0, 2 and 3 there is no fault.

    A confirmed code is only stored where its test has run on this drive and passes, did not fail on
    the last, and asks for no lamp: a test that did not run passes nothing.
    """
    if not byte & _SAYS_A_FAULT:
        return Status.CLEARED
    if not byte & (TEST_FAILED | CONFIRMED):
        return Status.PENDING
    return Status.ACTIVE if byte & _SAYS_IT_IS_THERE else Status.VERIFYING


def _read(foreign: Foreign, entry: Any, own: str | None, *, is_whole: bool) -> str | None:
    """Add what an entry says, and return of which unit it speaks.

    A whole memory ends what it does not say, and need not say so of each code.
    """
    if not isinstance(entry, dict):
        raise Bad(Reject.WRONG_TYPE, f"an object is wanted, not {kind(entry)}")
    code, unit = _code(entry.get("code")), _unit_of(entry) or own
    byte, mask = _byte(entry.get("status")), _byte(entry.get("severity"))
    severity = next((word for bit, word in _SEVERITIES if (mask or 0) & bit), Severity.UNKNOWN)
    status = Status.ACTIVE if byte is None else status_of(byte)
    if status is not Status.CLEARED or not is_whole:
        foreign.add(
            code,
            severity,
            status=status,
            lamp=Lamp.MALFUNCTION if (byte or 0) & LAMP_REQUESTED else Lamp.UNKNOWN,
            defaulted=("status",) if byte is None else (),
            unit=unit,
        )
    return unit


def _unit_of(document: Mapping[str, Any]) -> str | None:
    return unit_of(document.get("unit")) or unit_of(document.get("ecu"))


def _asked(document: Mapping[str, Any], own: str | None) -> dict[str | None, None]:
    """Return the units that a document says it asked, besides those of its entries."""
    named = document.get("units")
    units = [unit_of(unit) for unit in named] if isinstance(named, list) else []
    return dict.fromkeys(unit for unit in (own, *units) if unit is not None)


def _is_whole(document: Mapping[str, Any]) -> bool:
    """Return whether what is not listed is no fault: all of the memory was asked for."""
    raw = document.get("status_mask")
    mask = 0xFF if raw is None else _byte(raw) or 0
    return mask & _SAYS_A_FAULT == _SAYS_A_FAULT and document.get("complete", True) is True


def _code(raw: Any) -> str:
    code = trouble_code(raw) if isinstance(raw, str) else None
    if code is None:
        raise Bad(Reject.BAD_CODE, f"{shown(raw)} is no trouble code", "/code")
    return code


def _byte(raw: Any) -> int | None:
    """Return a byte from a number or from its hexadecimal digits; None for what is none."""
    value: int | None = None
    if isinstance(raw, int) and not isinstance(raw, bool):
        value = raw
    elif isinstance(raw, str) and re.fullmatch(r"(0[xX])?[0-9A-Fa-f]{1,2}", raw):
        value = int(raw, 16)
    return value if value is not None and 0 <= value <= 0xFF else None  # noqa: PLR2004 - one byte
