"""What can be wrong with a record around its document: value, size, time, key, headers, format."""

import json
from collections.abc import Iterator

from msgspec.structs import replace

from models.alert import MAX_VALUE_BYTES
from models.words import Reject
from tests.ingest.formats.poison.expected import DECODED, Poison, poison, refused
from tests.ingest.formats.poison.forms import FORMS, NOW, VIN, Form, Headers

_DAY = 86_400_000
# No date in milliseconds, nor in seconds, microseconds or nanoseconds.
_NO_DATES = (
    -(2**63),
    -(10**15),
    -_DAY,
    -1,
    0,
    1,
    946_684_800_000,
    32_503_680_000_000,
    253_402_300_799_000,
    253_402_300_800_000,
    10**18,
)
_OTHER_UNITS = (NOW // 1000, NOW * 1000, NOW * 10**6, 2**53, 2**63 - 1)
_DATES = (1_262_304_000_000, NOW, NOW * 10, 32_503_679_999_999, *_OTHER_UNITS)
_NAMES = (
    "",
    " ",
    "x",
    "traceparent",
    "X" * 200,
    "电",
    "\x00",
    "a\x00b",
    "a b",
    "ce-id",
    "\u202e",
    "__proto__",
    "pacc_format",
    "PACC-FORMAT",
    "kafka_correlationId",
    "%s",
    "{}",
)
_TEXTS = (b"", b"\x00", b"\xff\xfe", b"x" * 1000, "电".encode(), b"\x80" * 100, b"null", b"{}")
_FORMATS = (
    b"",
    b" ",
    b"morse",
    b"BMW",
    b"bmw ",
    b" bmw",
    b"bmw\x00",
    b"bmw,uds",
    b"\xff",
    b"j" * 9999,
    b"../bmw",
    b"null",
    b"CloudEvents",
    "电".encode(),
    b"canonical;v=1",
)
_MEDIA = (
    b"",
    b"application/json",
    b"text/plain",
    b"application/avro",
    b"\xff\xfe",
    b";",
    b"a" * 5000,
    b"application/json; charset=gbk",
    b"application/octet-stream",
    b"multipart/mixed",
)


def around() -> Iterator[Poison]:
    """Every kind, for every form."""
    for form in FORMS:
        value = form.wrap(form.text)
        assert value is not None
        yield from _values(form, value)
        yield from _times(form, value)
        yield from _keys(form, value)
        yield from _headers(form, value)


def _values(form: Form, value: bytes) -> Iterator[Poison]:
    yield poison("null value", form.name, form.record(None), refused(Reject.NULL_VALUE))
    for size in (-1, 0, 1, 2, 1000, 700_000):
        wide = value.ljust(MAX_VALUE_BYTES + size)
        expected = DECODED if size <= 0 else refused(Reject.TOO_LARGE)
        yield poison(f"256 KiB {size:+d}", form.name, form.record(wide), expected)
    noise = b"\xff" * (MAX_VALUE_BYTES + 1)
    yield poison("noise", form.name, form.record(noise), refused(Reject.TOO_LARGE))
    for spelled in (b"0", b"-1.5", b"true", b"null", b'"text"', b'""'):
        wrapped = form.wrap(spelled)
        if wrapped is not None and (form.name, spelled) != ("cardata", b"null"):  # no value there
            record = form.record(wrapped)
            yield poison(f"only {spelled!r}", form.name, record, refused(form.scalar))
    wrapped = form.wrap(b"{}")
    assert wrapped is not None
    yield poison("empty object", form.name, form.record(wrapped), refused(form.empty))
    if form.format != "bmw":  # where a list of states is a document
        for spelled in (b"[]", b"[{}]", b"[" + form.text + b"]"):
            wrapped = form.wrap(spelled)
            assert wrapped is not None
            record = form.record(wrapped)
            yield poison(f"list {spelled[:5]!r}", form.name, record, refused(Reject.NOT_AN_OBJECT))


def _times(form: Form, value: bytes) -> Iterator[Poison]:
    """Only where neither the record nor the document has a time, nobody knows when."""
    for at in _NO_DATES:
        expected = refused(Reject.BAD_TIME) if form.name == "bmw-list" else DECODED
        yield poison(f"record at {at}", form.name, form.record(value, at=at), expected)
    for at in _DATES:
        yield poison(f"record at {at}", form.name, form.record(value, at=at), DECODED)


def _keys(form: Form, value: bytes) -> Iterator[Poison]:
    """Where the document has no VIN, the key is the VIN; where it has one, the key says nothing."""
    needs_key = "vin" not in form.document
    for key in (
        None,
        b"",
        b"\x00",
        b"\xff",
        b"x",
        b"k" * 100_000,
        VIN.encode()[:16],
        b"I" * 17,
        VIN.encode() + b"0",
        b"-" + VIN.encode(),
    ):
        bad = replace(form.record(value), key=key)
        expected = refused(Reject.BAD_VIN) if needs_key else DECODED
        name = f"key {key[:6]!r} of {len(key)}" if key is not None else "no key"
        yield poison(name, form.name, bad, expected)


def _headers(form: Form, value: bytes) -> Iterator[Poison]:
    harmless: list[tuple[str, Headers]] = [
        *((f"header {name[:12]!r}", ((name, b"x"),)) for name in _NAMES),
        *((f"header value {text[:6]!r} of {len(text)}", (("h", text),)) for text in _TEXTS),
        ("1,000 headers", tuple((f"h{n}", b"x") for n in range(1000))),
        ("1,000 headers of one name", (("h", b"x"),) * 1000),
        ("header of 200,000 bytes", (("h", b"\xff" * 200_000),)),
    ]
    for kind, said in harmless:
        yield poison(kind, form.name, form.record(value, said), DECODED)
    for name in _FORMATS:
        record = form.record(value, (("pacc-format", name),))
        expected = refused(Reject.UNKNOWN_FORMAT)
        yield poison(f"format {name[:12]!r} of {len(name)}", form.name, record, expected)
    first = (("pacc-format", form.format.encode()), ("pacc-format", b"morse"))
    yield poison("two formats", form.name, form.record(value, first), DECODED)
    for media in _MEDIA:
        record = form.record(value, (("content-type", media),))
        yield poison(f"media {media[:12]!r} of {len(media)}", form.name, record, DECODED)
    batch = form.record(value, (("content-type", b"application/cloudevents-batch+json"),))
    expected = refused(Reject.NOT_CLOUDEVENT) if form.is_cloudevents else DECODED
    yield poison("a batch of events", form.name, batch, expected)
    if form.name in ("bare", "canonical", "binary"):
        record = form.record(
            json.dumps(dict(form.document)).encode(),
            (("content-type", b"application/cloudevents+json"),),
        )
        expected = refused(Reject.NOT_CLOUDEVENT)
        yield poison("no envelope where one is said", form.name, record, expected)
