"""Every field of the canonical alert with every wrong type and beyond every bound.

An alert is refused only for who, what and when: `id`, `source`, `vin`, `code`, `observed_at`.
A word outside its vocabulary never refuses an alert; `null` is as good as absent where a field is
optional; what an envelope says stands in for an id, a source or a time that the data lack.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec.structs import replace

from models.words import Reject
from tests.ingest.formats.poison.expected import DECODED, Expected, Poison, poison, refused
from tests.ingest.formats.poison.forms import CANONICAL, VIN, Form

DEEP: Final = "\x00deep"  # spelled as 1,000 arrays in each other
JSON_TYPES: Mapping[str, Any] = {
    "true": True,
    "false": False,
    "a number": 7.5,
    "a text": "text",
    "an empty text": "",
    "a list": [1],
    "an empty list": [],
    "an object": {"a": 1},
    "an empty object": {},
    "arrays 1,000 deep": DEEP,
    "a number of 19 digits": 2**63 - 1,
    "a NUL": "\x00",
}
_TEXTS = ("a text", "an empty text", "a NUL")
_NAMING = ("a text", "a number", "a number of 19 digits")
_WRONG_TYPE, _BEYOND = refused(Reject.WRONG_TYPE), refused(Reject.OUT_OF_BOUNDS)
_BAD_VIN, _BAD_TIME = refused(Reject.BAD_VIN), refused(Reject.BAD_TIME)
_BAD_CODE, _MISSING = refused(Reject.BAD_CODE), refused(Reject.MISSING_FIELD)
_SPELLINGS = (
    "P0A80",
    "DTC:P0A80",
    "dtc: P0A80",
    "dtc:P0A80\n",
    "dtc:\uff30" + "0A80",
    "dtc:0x0A80",
)
_CONTROLS = [chr(n) for n in (0, 1, 9, 10, 13, 27, 31, 127, 128, 133, 159)]


def spelled(document: Any) -> bytes:
    """Spell a document; a member that is to be deep becomes so."""
    text = json.dumps(document, ensure_ascii=False)
    return text.replace(json.dumps(DEEP), "[" * 1000 + "]" * 1000).encode("utf-8", "surrogatepass")


def _names() -> Iterator[tuple[str, Any, Expected]]:
    for field in ("id", "source"):
        for kind, value in JSON_TYPES.items():
            yield (
                f"{field} is {kind}",
                {field: value},
                _BEYOND if kind in _TEXTS[1:] else (DECODED if kind in _NAMING else _WRONG_TYPE),
            )
        yield f"{field} of 128", {field: "x" * 128}, DECODED
        yield f"{field} of 129", {field: "x" * 129}, _BEYOND
        yield f"{field} of 100,000", {field: "x" * 100_000}, _BEYOND
        for sign in _CONTROLS:
            yield f"{field} with U+{ord(sign):04X}", {field: f"a{sign}b"}, _BEYOND


def _identity() -> Iterator[tuple[str, Any, Expected]]:
    for field, refusal in (("vin", _BAD_VIN), ("observed_at", _BAD_TIME), ("code", _BAD_CODE)):
        for kind, value in JSON_TYPES.items():
            yield f"{field} is {kind}", {field: value}, refusal
    for vin in (
        VIN[:-1],
        VIN + "1",
        VIN[:-1] + "I",
        VIN[:-1] + "O",
        VIN[:-1] + "Q",
        VIN[:-1] + "é",
        VIN[:-1] + "\x00",
        VIN[:8] + " " + VIN[9:],
        "-" * 17,
        "0" * 17,
        "1" * 17,
        VIN[:-1] + "\u0661",
    ):
        yield f"vin {vin!r}", {"vin": vin}, _BAD_VIN
    for vin in (VIN.lower(), f" {VIN}\n", "\uff2c" + VIN[1:], VIN + "\u200b"):
        yield f"vin {vin!r}", {"vin": vin}, DECODED
    for code in (
        "P0A8",
        ":",
        "dtc:",
        ":P0A80",
        "1:a",
        "d" * 17 + ":a",
        "dtc:" + "x" * 65,
        "dtc:电",
        "dtc:a\x00b",
        "dtc:-a",
        "dtc;a",
        "dtc:a b",
        "dtc:a'b",
        "dtc:<a>",
        "-:a",
        "dtc::a",
    ):
        yield f"code {code!r:.30}", {"code": code}, _BAD_CODE
    for code in (
        "d" * 16 + ":a",
        "dtc:" + "x" * 64,
        "spn:100/1",
        "bmwdtc:21F0A1",
        "a:0",
        *_SPELLINGS,
    ):
        yield f"code {code!r:.30}", {"code": code}, DECODED


def _times() -> Iterator[tuple[str, Any, Expected]]:
    for year in (
        1,
        2,
        1582,
        1899,
        1900,
        1969,
        1970,
        2000,
        2009,
        2010,
        2026,
        2038,
        2106,
        2262,
        9999,
    ):
        for offset in ("Z", "+00:00", "-00:00", "+14:00", "-12:00", "+23:59", "-23:59"):
            for day in ("01-01T00:00:00", "12-31T23:59:59.999999"):
                at = f"{year:04d}-{day}{offset}"
                yield f"observed at {at}", {"observed_at": at}, DECODED
    for at in (
        "2016-12-31T23:59:60Z",
        "2016-12-31T18:59:60.5-05:00",
        "2024-02-29T00:00:00Z",
        "2026-01-15t10:00:00z",
        "2026-01-15T10:00:00.123456789Z",
    ):
        yield f"observed at {at}", {"observed_at": at}, DECODED
    for at in (
        "2026-01-15",
        "10:00:00Z",
        "2026-01-15T10:00:00",
        "2026-01-15T25:00:00Z",
        "2026-01-15T10:60:00Z",
        "2026-01-15T10:00:61Z",
        "2026-00-15T10:00:00Z",
        "2026-13-15T10:00:00Z",
        "2026-01-00T10:00:00Z",
        "2026-01-32T10:00:00Z",
        "2026-02-29T10:00:00Z",
        "2023-02-30T10:00:00Z",
        "2026-01-15T10:00:00+24:00",
        "2026-01-15T10:00:00 Asia/Shanghai",
        "2026-W03-4T10:00:00Z",
        "10000-01-01T00:00:00Z",
        "-0001-01-01T00:00:00Z",
        "26-01-15T10:00:00Z",
        "15.01.2026 10:00",
        "yesterday",
        "1768442400",
        "1768442400000",
        "-1",
        "1768442400.5",
        "1e9",
        "NaN",
        "infinity",
        "2026-01-15T10:00:00Zulu",
        "20260115T100000Z",
        "2026\u20111\u201115T10:00:00Z",
        "\u0662\u0660\u0662\u0666-01-15T10:00:00Z",
        "2026-01-15T10:00:00Z\x00",
        "Z" * 100_000,
    ):
        yield f"observed at {at[:30]!r}", {"observed_at": at}, _BAD_TIME


def _words_and_texts() -> Iterator[tuple[str, Any, Expected]]:
    for field in ("status", "severity", "lamp", "motion"):
        for kind, value in {**JSON_TYPES, "null": None, "in capitals": "ACTIVE"}.items():
            yield f"{field} is {kind}", {field: value}, DECODED
    for field, most in (("model", 64), ("software", 64), ("text", 2000)):
        for kind, value in JSON_TYPES.items():
            yield f"{field} is {kind}", {field: value}, DECODED
        yield f"{field} is null", {field: None}, DECODED
        yield f"{field} of {most}", {field: "电" * most}, DECODED
        yield f"{field} of {most + 1}", {field: "x" * (most + 1)}, DECODED


def _numbers() -> Iterator[tuple[str, Any, Expected]]:
    bounds = {
        "speed_kph": (0, 500),
        "odometer_km": (0, 5e6),
        "state_of_charge": (0, 1),
        "position/lat": (-90, 90),
        "position/lon": (-180, 180),
        "position/accuracy_m": (0, 1e6),
    }
    for path, (least, most) in bounds.items():
        for kind, value in {**JSON_TYPES, "a number as text": "1"}.items():
            yield f"{path} is {kind}", _put(path, value), DECODED
        for value in (least, most, (least + most) / 2, -0.0):
            yield f"{path} is {value}", _put(path, value), DECODED
        for value in (least - 1e-9, most * (1 + 1e-12), -1e308, 1e308, -(2**63), 2**64):
            yield f"{path} is {value}", _put(path, value), DECODED
        yield f"{path} is null", _put(path, None), DECODED


def _put(path: str, value: Any) -> dict[str, Any]:
    field, _, inner = path.partition("/")
    return {field: {"lat": 1, "lon": 2, inner: value}} if inner else {field: value}


def _objects() -> Iterator[tuple[str, Any, Expected]]:
    for field in ("position", "signals"):
        for kind, value in JSON_TYPES.items():
            yield f"{field} is {kind}", {field: value}, DECODED
        yield f"{field} is null", {field: None}, DECODED
    yield "position without lon", {"position": {"lat": 1}}, DECODED
    for kind, value in {**JSON_TYPES, "null": None}.items():
        yield f"a signal is {kind}", {"signals": {"a": value}}, DECODED
    for value in (0, -0.0, 1e308, -1e308, 5e-324, 2**63, -(2**63)):
        yield f"a signal is {value}", {"signals": {"low_voltage_v": value}}, DECODED
    for count in (0, 50, 51, 5000):
        yield f"{count} signals", {"signals": {f"s{n}": n for n in range(count)}}, DECODED
    for name in ("", "x" * 128, "x" * 129, "电", "a\x00b", "__class__"):
        yield f"a signal {name[:9]!r} of {len(name)}", {"signals": {name: 1}}, DECODED


def in_fields() -> Iterator[Poison]:
    """Every kind for every form that carries a canonical alert."""
    for form in CANONICAL:
        for kinds in (_names, _identity, _times, _words_and_texts, _numbers, _objects):
            for kind, change, expected in kinds():
                yield from _of(form, kind, {**form.document, **change}, expected)
        yield from _absent(form)


def _absent(form: Form) -> Iterator[Poison]:
    """Required fields that are missing or null; three of them an envelope may bring."""
    nulls = {
        "id": _WRONG_TYPE,
        "source": _WRONG_TYPE,
        "vin": _BAD_VIN,
        "observed_at": _BAD_TIME,
        "code": _BAD_CODE,
    }
    has_envelope = form.name not in ("bare", "canonical")
    for field, refusal in nulls.items():
        stands_in = has_envelope and field in ("id", "source", "observed_at")
        less = {name: value for name, value in form.document.items() if name != field}
        yield from _of(form, f"no {field}", less, DECODED if stands_in else _MISSING)
        nothing = {**form.document, field: None}
        yield from _of(form, f"{field} is null", nothing, DECODED if stands_in else refusal)
    for field in set(form.document) - set(nulls):
        less = {name: value for name, value in form.document.items() if name != field}
        yield from _of(form, f"no {field}", less, DECODED)
    for first, second, expected in (
        ('"P0"', '"dtc:P0A80"', DECODED),
        ('"dtc:P0A80"', '"P0"', _BAD_CODE),
    ):
        less = {name: value for name, value in form.document.items() if name != "code"}
        text = f'{{"code":{first},"code":{second},'.encode() + spelled(less)[1:]
        value = form.wrap(text)
        assert value is not None  # of two members of one name the last one counts
        yield poison(f"two codes, then {second}", form.name, form.record(value), expected)


def _of(form: Form, kind: str, document: Any, expected: Expected) -> Iterator[Poison]:
    value = form.wrap(spelled(document))
    assert value is not None
    record = form.record(value)
    if document.get("vin") != VIN:  # else the key, which is a VIN, stands in
        record = replace(record, key=None)
    yield poison(kind, form.name, record, expected)
