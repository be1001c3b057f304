"""CloudEvents 1.0 with half its attributes, wrong ones, and data that are none."""

import base64
import itertools
import json
from collections.abc import Iterator
from typing import Any

from models.words import Reject
from tests.ingest.formats.poison.expected import DECODED, Expected, Poison, poison, refused
from tests.ingest.formats.poison.fields import DEEP, JSON_TYPES, spelled
from tests.ingest.formats.poison.forms import ALERT, ENVELOPE, FORM, STRUCTURED, Form, Headers

_REQUIRED = ("id", "source", "specversion", "type")
_NO_EVENT = refused(Reject.NOT_CLOUDEVENT)
_VERSIONS = (
    "0.1",
    "0.2",
    "0.3",
    "1",
    "1.",
    "1.1",
    "1.0.2",
    "2.0",
    " 1.0",
    "1.0 ",
    "1\u20240",
    "one",
)
# A number names as its text does.
_NAMING = ("a NUL", "a number", "a number of 19 digits")


def in_envelopes() -> Iterator[Poison]:
    """Structured and binary mode alike."""
    for count in range(len(_REQUIRED)):
        for kept in itertools.combinations(_REQUIRED, count):
            some = {name: ENVELOPE[name] for name in (*kept, "time")}
            yield from _both(f"only {', '.join(kept) or 'time'}", some, _NO_EVENT)
    for name in _REQUIRED:
        for kind, value in {**JSON_TYPES, "null": None}.items():
            if kind != "a text" or name == "specversion":
                is_name = name != "specversion" and kind in _NAMING
                expected = DECODED if is_name else _NO_EVENT
                yield _structured(f"{name} is {kind}", {**ENVELOPE, name: value}, expected)
        yield from _both(f"{name} is empty", {**ENVELOPE, name: ""}, _NO_EVENT)
    for version in _VERSIONS:
        yield from _both(f"version {version!r}", {**ENVELOPE, "specversion": version}, _NO_EVENT)
    for name in ("time", "subject", "dataschema", "datacontenttype", "extension", "traceparent"):
        for kind, value in {**JSON_TYPES, "null": None}.items():
            yield _structured(f"{name} is {kind}", {**ENVELOPE, name: value}, DECODED)
    yield from _data()
    yield from _beside()


def _data() -> Iterator[Poison]:
    for kind, value in {**JSON_TYPES, "null": None}.items():
        if "object" not in kind:
            expected = refused(Reject.NOT_AN_OBJECT)
            yield _structured(f"data are {kind}", {**ENVELOPE, "data": value}, expected, data=None)
        if kind not in ("a text", "an empty text"):
            absent = kind == "null"
            event = {**ENVELOPE, "data_base64": value}
            why = refused(Reject.NOT_AN_OBJECT) if absent else _NO_EVENT
            yield _structured(f"data_base64 is {kind}", event, why, data=None)
    yield _structured("no data", dict(ENVELOPE), refused(Reject.NOT_AN_OBJECT), data=None)
    packed = base64.b64encode(json.dumps(dict(ALERT)).encode()).decode()
    for kind, text in {
        "not padded": "e30",
        "of the URL alphabet": "-_-_",
        "with a space": "e3 0=",
        "not ASCII": "é",
        "full-width": "\uff21" * 4,
        "with a NUL": "e30\x00",
        "percent-encoded": "e30%3D",
    }.items():
        event = {**ENVELOPE, "data_base64": text}
        yield _structured(f"data_base64 {kind}", event, _NO_EVENT, data=None)
    both = {**ENVELOPE, "data": dict(ALERT), "data_base64": packed}
    yield _structured("data and data_base64", both, _NO_EVENT, data=None)
    for kind, inner, reason in (
        ("NUL", b"\x00", Reject.NOT_JSON),
        ("nothing", b"", Reject.NOT_JSON),
        ("no UTF-8", b"\xff", Reject.NOT_UTF8),
        ("a list", b"[]", Reject.NOT_AN_OBJECT),
        ("null", b"null", Reject.NOT_AN_OBJECT),
        ("XML", b"<a/>", Reject.NOT_JSON),
        ("arrays 90,000 deep", b"[" * 90_000 + b"]" * 90_000, Reject.NOT_JSON),
    ):
        event = {**ENVELOPE, "data_base64": base64.b64encode(inner).decode()}
        yield _structured(f"data_base64 holds {kind}", event, refused(reason), data=None)


def _beside() -> Iterator[Poison]:
    """Half an envelope in the headers: binary mode is said, and not kept."""
    for form in (FORM["bare"], FORM["canonical"]):
        for name in (*_REQUIRED, "traceparent", "", "time"):
            record = form.record(form.text, ((f"ce_{name}", b"x"),))
            yield poison(f"only the header ce_{name}", form.name, record, _NO_EVENT)
            record = form.record(form.text, ((f"CE_{name.upper()}", b"x"),))
            yield poison(f"only the header CE_{name.upper()}", form.name, record, _NO_EVENT)
    for raw in (b"\xff", b"1.0\x00", b"\xef\xbb\xbf1.0"):
        said: Headers = (*FORM["binary"].headers, ("ce_specversion", raw))
        record = FORM["bare"].record(FORM["bare"].text, said)
        yield poison(f"ce_specversion {raw!r}", "binary", record, _NO_EVENT)


def _both(kind: str, attributes: dict[str, Any], expected: Expected) -> Iterator[Poison]:
    yield _structured(kind, attributes, expected)
    headers = tuple((f"ce_{name}", str(text).encode()) for name, text in attributes.items())
    bare: Form = FORM["bare"]
    yield poison(kind, "binary", bare.record(bare.text, headers), expected)


def _structured(
    kind: str, attributes: dict[str, Any], expected: Expected, data: Any = ALERT
) -> Poison:
    event = attributes if data is None else {**attributes, "data": dict(data)}
    assert DEEP not in event.values() or kind
    record = FORM["bare"].record(spelled(event), STRUCTURED)
    return poison(kind, "structured", record, expected)
