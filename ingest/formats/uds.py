"""Fault memory read by ISO 14229-1 (UDS): code, status byte and severity mask."""

import re
from typing import Any, Final

from ingest.formats.foreign import foreign_document
from ingest.formats.parts import Bad, kind, read_object, shown
from models.batch import Decoded, Record
from models.names.fault_code import trouble_code
from models.words import Lamp, Reject, Severity, Status

# ISO 14229-1, DTC status mask
TEST_FAILED, PENDING, CONFIRMED, LAMP_REQUESTED = 0x01, 0x04, 0x08, 0x80
# ISO 14229-1, DTC severity mask
_SEVERITIES: Final = (
    (0x80, Severity.STOP),
    (0x40, Severity.LIMITED),
    (0x20, Severity.SERVICE),
)


def decode(record: Record, value: bytes) -> Decoded:
    """Read one fault memory; a code whose tests passed and that is not stored gives no alert.

    Raises `Bad` where there is no list of codes.
    """
    document = read_object(value)
    listed = document.get("dtcs")
    if listed is None:
        raise Bad(Reject.UNRECOGNISED, "there is no dtcs", "/dtcs")
    if not isinstance(listed, list):
        raise Bad(Reject.WRONG_TYPE, f"dtcs must be a list, not {kind(listed)}", "/dtcs")
    foreign = foreign_document(record, document, "uds")
    for place, entry in enumerate(listed):
        try:
            _read(foreign.add, entry)
        except Bad as bad:
            where = f"/dtcs/{place}{bad.rejected.pointer}"
            foreign.reject(Bad(bad.rejected.reason, bad.rejected.detail, where))
    return foreign.decoded()


def _read(add: Any, entry: Any) -> None:
    if not isinstance(entry, dict):
        raise Bad(Reject.WRONG_TYPE, f"an object is wanted, not {kind(entry)}")
    code = _code(entry.get("code"))
    status, mask = _byte(entry.get("status")), _byte(entry.get("severity"))
    severity = next((word for bit, word in _SEVERITIES if (mask or 0) & bit), Severity.UNKNOWN)
    if status is not None and not status & (TEST_FAILED | PENDING | CONFIRMED):
        return
    is_active = status is None or status & (TEST_FAILED | CONFIRMED)
    add(
        code,
        severity,
        status=Status.ACTIVE if is_active else Status.PENDING,
        lamp=Lamp.MALFUNCTION if (status or 0) & LAMP_REQUESTED else Lamp.UNKNOWN,
        defaulted=("status",) if status is None else (),
    )


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
