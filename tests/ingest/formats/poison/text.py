"""Documents whose bytes are no UTF-8, or no JSON, or are spelled in a way that must be known."""

import gzip
from collections.abc import Iterator

from models.words import Reject
from tests.ingest.formats.poison.expected import DECODED, Expected, Poison, poison, refused
from tests.ingest.formats.poison.forms import FORMS, Form
from tests.ingest.formats.poison.spellings import NUMBERS, TEXTS, VALUES

_NOT_JSON = refused(Reject.NOT_JSON)
_NOT_UTF8 = refused(Reject.NOT_UTF8)
# Unicode 16, table 3-7: which byte sequences are well-formed UTF-8; these are not.
ILL_FORMED = {
    **{f"lone continuation {n:02x}": bytes([n]) for n in (0x80, 0x8F, 0x9F, 0xA0, 0xBF)},
    **{f"byte {n:02x}": bytes([n]) for n in (0xC0, 0xC1, *range(0xF5, 0x100))},
    **{
        f"overlong {sequence.hex()}": sequence
        for sequence in (
            b"\xc0\x80",
            b"\xc0\xaf",
            b"\xc1\xbf",
            b"\xe0\x80\x80",
            b"\xe0\x9f\xbf",
            b"\xf0\x80\x80\x80",
            b"\xf0\x8f\xbf\xbf",
        )
    },
    **{
        f"surrogate {sequence.hex()}": sequence
        for sequence in (
            b"\xed\xa0\x80",
            b"\xed\xad\xbf",
            b"\xed\xb0\x80",
            b"\xed\xbf\xbf",
            b"\xed\xa0\xbd\xed\xb8\x80",
        )
    },
    **{
        f"beyond U+10FFFF {sequence.hex()}": sequence
        for sequence in (b"\xf4\x90\x80\x80", b"\xf7\xbf\xbf\xbf", b"\xf8\x88\x80\x80\x80")
    },
    **{
        f"cut short {sequence.hex()}": sequence
        for sequence in (b"\xc3", b"\xe7", b"\xe7\x94", b"\xf0", b"\xf0\x9f", b"\xf0\x9f\x9a")
    },
}


def _spelled_otherwise(text: bytes) -> Iterator[tuple[str, bytes, Expected]]:
    """The whole document in another encoding, cut off, doubled, packed."""
    plain = text.decode()
    for codec in ("utf-16", "utf-32"):  # both begin with a mark that is no UTF-8
        yield f"in {codec}", plain.encode(codec), _NOT_UTF8
    for codec in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        wide = '{"a":1}'.encode(codec)  # ASCII only: NUL between the signs is UTF-8, but no JSON
        yield f"in {codec}", wide, _NOT_JSON
    for codec in ("latin-1", "cp1252", "iso8859-15", "cp437"):
        yield f"in {codec}", b'{"a":"' + "é".encode(codec) + b'",' + text[1:], _NOT_UTF8
    for codec in ("gbk", "gb18030", "big5", "euc_jp", "shift_jis"):
        yield f"in {codec}", b'{"a":"' + "電池".encode(codec) + b'",' + text[1:], _NOT_UTF8
    yield "with a byte order mark", b"\xef\xbb\xbf" + text, _NOT_JSON  # RFC 8259, section 8.1
    yield "in utf-7", '{"a":"电"}'.encode("utf-7").replace(b'"', b"+ACI-"), _NOT_JSON
    yield "packed", gzip.compress(text, mtime=0), _NOT_UTF8
    yield "in hexadecimal", text.hex().encode(), _NOT_JSON
    yield "empty", b"", _NOT_JSON
    for gap in (b" ", b"\n", b"\x00", b"\x00" * 1000, b" " * 1000):
        yield f"only {gap[:1]!r} {len(gap)} times", gap, _NOT_JSON
    for share in (1, 10, 50, 90, 99):
        yield f"cut off at {share} %", text[: max(1, len(text) * share // 100)], _CUT
    yield "without its last sign", text[:-1], _NOT_JSON
    yield "twice", text + text, _NOT_JSON
    for behind in (b"\x00", b",", b"}", b"]", b"x", b"\xc2\xa0", b"\n{}"):
        yield f"with {behind!r} behind it", text + behind, _NOT_JSON
    for before in (b"\x00", b",", b"]", b"x", b"while(1);", b")]}',\n", b"\x00\x00\x00\x00\x01"):
        yield f"with {before!r} before it", before + text, _NOT_JSON
    yield "with white space around it", b" \r\n\t" + text + b" \r\n\t", DECODED


# Where a cut falls into a sign of several bytes, what is left is no UTF-8: said by the bytes.
_CUT = refused(Reject.NOT_JSON)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _of(form: Form, kind: str, text: bytes, expected: Expected) -> Iterator[Poison]:
    value = form.wrap(text)
    if value is None:
        return
    if expected is _CUT and not _is_utf8(text):
        expected = _NOT_UTF8
    yield poison(kind, form.name, form.record(value), expected)


def in_texts() -> Iterator[Poison]:
    """Every kind of text, number and value in a member that nobody reads, of every form."""
    for form in FORMS:
        for kinds in (TEXTS, NUMBERS, VALUES):
            for kind, (raw, expected) in kinds.items():
                yield from _of(form, kind, form.with_member("x", raw), expected)
        for kind, raw in ILL_FORMED.items():
            text = form.with_member("x", b'"' + raw + b'"')
            yield from _of(form, f"ill-formed: {kind}", text, _NOT_UTF8)
            yield from _of(form, f"ill-formed behind: {kind}", form.text + raw, _NOT_UTF8)
        for kind, text, expected in _spelled_otherwise(form.text):
            yield from _of(form, f"document {kind}", text, expected)
