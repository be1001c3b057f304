"""Fault memory read by ISO 14229-1 (UDS): code, status byte and severity mask."""

import re
from typing import Any, Final

from ingest.formats.foreign import foreign_document
from ingest.formats.obd import code_of
from ingest.formats.parts import Bad, kind, read_object, shown
from models.batch import Decoded, Record
from models.words import Lamp, Reject, Severity, Status

# ISO 14229-1, DTC status mask
TEST_FAILED, PENDING, CONFIRMED, LAMP_REQUESTED = 0x01, 0x04, 0x08, 0x80
# ISO 14229-1, DTC severity mask
_SEVERITIES: Final = (
    (0x80, Severity.STOP),
    (0x40, Severity.LIMITED),
    (0x20, Severity.SERVICE),
)
_WITH_TYPE: Final = re.compile(r"([PBCU][0-3][0-9A-F]{3})-?([0-9A-F]{2})")
_RAW: Final = re.compile(r"[0-9A-F]{6}")


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
        f"dtc:{code}",
        severity,
        status=Status.ACTIVE if is_active else Status.PENDING,
        lamp=Lamp.MALFUNCTION if (status or 0) & LAMP_REQUESTED else Lamp.UNKNOWN,
        defaulted=("status",) if status is None else (),
    )


def _code(raw: Any) -> str:
    text = raw.strip().upper() if isinstance(raw, str) else ""
    typed = _WITH_TYPE.fullmatch(text)
    if typed:
        return f"{typed[1]}-{typed[2]}"
    if _RAW.fullmatch(text):
        base, kind_byte = code_of(text[:4]), text[4:]
        return f"{base}-{kind_byte}" if kind_byte != "00" else str(base)
    plain = code_of(raw)
    if plain is None:
        raise Bad(Reject.BAD_CODE, f"{shown(raw)} is no trouble code", "/code")
    return plain


def _byte(raw: Any) -> int | None:
    """Return a byte from a number or from its hexadecimal digits; None for what is none."""
    value: int | None = None
    if isinstance(raw, int) and not isinstance(raw, bool):
        value = raw
    elif isinstance(raw, str) and re.fullmatch(r"(0[xX])?[0-9A-Fa-f]{1,2}", raw):
        value = int(raw, 16)
    return value if value is not None and 0 <= value <= 0xFF else None  # noqa: PLR2004 - one byte
