"""What the formats share: reading JSON safely, times, words, and the alert in its place."""

import json
import math
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import mul
from typing import Any, Final

import orjson
from pydantic import ValidationError

from ingest.readings.members import doubted, mend
from ingest.readings.record_time import OLDEST, arrival, marks_of
from models.alert import Alert
from models.batch import Decoded, Record, Rejected, Report
from models.canary import CANARY_VIN
from models.ids import digest
from models.words import Lamp, Motion, Reject, Severity, Status

MAX_AHEAD: Final = timedelta(minutes=5)
_LEAP_SECOND: Final = re.compile(r"(?<=:\d\d):60(?=[.Zz+-])")
_VOCABULARIES: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(word.value for word in words)
    for name, words in (
        ("severity", Severity),
        ("lamp", Lamp),
        ("motion", Motion),
        ("status", Status),
    )
}
_FIELDS: Final = frozenset(Alert.model_fields)
_VIN_VALUES: Final = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True)
)
_VIN_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VIN_BYTES: Final = bytes(_VIN_VALUES.get(chr(byte), byte & 0xF) for byte in range(256))


class Bad(Exception):
    """This record, or this part of it, cannot be used. Never leaves `ingest`."""

    def __init__(self, reason: Reject, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.rejected = Rejected(reason, detail[:500], pointer)


def refuse(record: Record, bad: Bad) -> Decoded:
    """Return the result for a record of which nothing is usable."""
    return Decoded(record, rejected=(bad.rejected,))


def read_json(value: bytes) -> Any:
    """Read strict JSON: UTF-8, no NaN, bounded depth. Raises `Bad` for anything else."""
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        try:
            value.decode("utf-8")
        except UnicodeDecodeError as broken:
            raise Bad(Reject.NOT_UTF8, f"byte {broken.start} is not UTF-8") from error
        raise Bad(Reject.NOT_JSON, str(error)) from error


def read_object(value: bytes) -> dict[str, Any]:
    """Read a JSON object. Raises `Bad` for anything else."""
    document = read_json(value)
    if not isinstance(document, dict):
        raise Bad(Reject.NOT_AN_OBJECT, f"a JSON object is wanted, not {kind(document)}")
    return document


def kind(value: Any) -> str:
    """Return the name of a value's JSON type."""
    names = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


def shown(value: Any) -> str:
    """Return a JSON value in few signs; of a list or an object only its type, however deep it is.

    A number may be a code too: `100` is shown as it stands.
    """
    return f"an {kind(value)}" if isinstance(value, (list, dict)) else f"{value!r:.80}"


def stamp_of(*candidates: Any) -> str:
    """Return the first text or whole number as a document's own mark; '' where there is none."""
    for candidate in candidates:
        if (
            isinstance(candidate, (str, int))
            and not isinstance(candidate, bool)
            and candidate != ""
        ):
            return str(candidate)
    return ""


def received_at(record: Record, own: datetime | None = None) -> datetime:
    """Return when a record came: by its timestamp, else by the document's own time.

    Raises `Bad` where neither is a date.
    """
    at = arrival(record, own)
    if at is None:
        detail = f"neither the record's timestamp ({record.timestamp}) nor the document has a date"
        raise Bad(Reject.BAD_TIME, detail)
    return at


def check_digit(vin: str) -> str:
    """Compute the ninth sign of a VIN (ISO 3779 annex, 49 CFR 565.15): 0 to 9 or X."""
    total = sum(map(mul, _VIN_WEIGHTS, vin.encode("ascii").translate(_VIN_BYTES)))
    return "0123456789X"[total % 11]


@lru_cache(maxsize=65_536)
def fails_check_digit(vin: str) -> bool:
    """Return whether the ninth place is not the check digit."""
    return vin[8] != check_digit(vin)


def time_of(text: Any) -> datetime | None:
    """Read a foreign document's time, with or without offset (then UTC); None if it is none.

    The year 1 is what services write where they have no time at all.
    """
    if not isinstance(text, str) or len(text) > 40:  # noqa: PLR2004 - longer than any time
        return None
    try:
        at = datetime.fromisoformat(text.strip())
        utc = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return utc if utc.year > 1 else None


def number(value: Any, least: float, most: float) -> float | None:
    """Return a number within bounds, also from its text; None for anything else."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) and least <= value <= most else None


def alert_from(
    document: Mapping[str, Any], pointer: str = "", defaulted: Collection[str] = ()
) -> tuple[Alert, tuple[str, ...], int]:
    """Validate a canonical alert; return it with its defaulted fields and how many were unknown.

    A word outside its vocabulary becomes `unknown` (a status: `active`), an optional member that
    cannot be believed is left out: its name is among the defaulted. Raises `Bad` only for who
    (`id`, `source`, `vin`), what (`code`) and when (`observed_at`).
    """
    known = {name: value for name, value in document.items() if name in _FIELDS}
    noted = set(defaulted)
    for name, vocabulary in _VOCABULARIES.items():
        value = known.get(name)
        if value is None:
            known.pop(name, None)
            if name == "severity":
                noted.add(name)
        elif not isinstance(value, str) or value not in vocabulary:
            noted.add(name)
            known[name] = Status.ACTIVE.value if name == "status" else "unknown"
    observed = known.get("observed_at")
    if isinstance(observed, str):
        if observed.strip().lstrip("-+").replace(".", "").isdigit():
            raise _no_time(pointer)
        if ":60" in observed:  # RFC 3339, section 5.6; Python's calendar has no leap seconds
            known["observed_at"] = _LEAP_SECOND.sub(":59", observed)
    elif observed is not None and not isinstance(observed, datetime):
        raise _no_time(pointer)
    alert, left_out = _validated(known, pointer)
    noted.update(left_out)
    return alert, tuple(sorted(noted)), sum(name not in _FIELDS for name in document)


def _validated(known: Mapping[str, Any], pointer: str) -> tuple[Alert, tuple[str, ...]]:
    """Return an alert of what can be believed, and the names of what cannot.

    Most alerts are good: members are only looked at one by one where the whole is not legal.
    """
    try:
        return doubted(Alert.model_validate(known))
    except ValidationError:
        mended, left_out = mend(known)
    try:
        return Alert.model_validate(mended), left_out
    except ValidationError as error:
        raise _why(error, pointer) from error


def _no_time(pointer: str) -> Bad:
    detail = "observed_at must be RFC 3339 with an offset"
    return Bad(Reject.BAD_TIME, detail, f"{pointer}/observed_at")


_MISSING: Final = {"missing"}
_BOUNDS: Final = {
    "greater_than_equal",
    "less_than_equal",
    "finite_number",
    "too_long",
    "string_too_long",
    "string_too_short",
    "string_pattern_mismatch",
}


def _why(error: ValidationError, pointer: str) -> Bad:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = "/".join(str(part) for part in first["loc"])
    field = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] in _MISSING:
        reason = Reject.MISSING_FIELD
    elif field == "vin":
        reason = Reject.BAD_VIN
    elif field == "observed_at":
        reason = Reject.BAD_TIME
    elif field == "code":
        reason = Reject.BAD_CODE
    elif first["type"] in _BOUNDS:
        reason = Reject.OUT_OF_BOUNDS
    else:
        reason = Reject.WRONG_TYPE
    return Bad(reason, f"{where}: {first['msg']}", f"{pointer}/{where}")


def believed_time(observed: datetime, received: datetime) -> datetime:
    """Return the time of an observation: the record's where the vehicle's clock cannot be right."""
    is_suspect = observed - received > MAX_AHEAD or observed < OLDEST
    return received if is_suspect else observed


def report_of(
    record: Record,
    alert: Alert,
    defaulted: tuple[str, ...],
    fingerprint: str | None = None,
) -> Report:
    """Put an alert in its place; where its clock cannot be right, the record's time is used.

    Raises `Bad` where neither has a time.
    """
    received = received_at(record, alert.observed_at)
    marks = marks_of(record)
    at = believed_time(alert.observed_at, received)
    return Report(
        fingerprint=fingerprint or digest(alert.source, alert.id),
        alert=alert,
        observed_at=at,
        received_at=received,
        defaulted=tuple(sorted({*defaulted, *marks})) if marks else defaulted,
        clock_suspect=at != alert.observed_at,
        vin_check_failed=alert.vin != CANARY_VIN and fails_check_digit(alert.vin),
    )


def canonical_json(value: Any) -> str:
    """Write JSON in one spelling, for hashing."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
