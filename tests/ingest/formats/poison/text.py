"""Bytes and text that JSON (RFC 8259) does not take, or takes in a way that must be known."""

import gzip
from collections.abc import Iterator, Mapping

from models.words import Reject
from tests.ingest.formats.poison.expected import DECODED, Expected, Poison, poison, refused
from tests.ingest.formats.poison.forms import FORMS, Form

_NOT_JSON = refused(Reject.NOT_JSON)
_NOT_UTF8 = refused(Reject.NOT_UTF8)
# Unicode 16, table 3-7: which byte sequences are well-formed UTF-8; these are not.
ILL_FORMED = {
    **{f"lone continuation {n:02x}": bytes([n]) for n in (0x80, 0x8F, 0x9F, 0xA0, 0xBF)},
    **{f"byte {n:02x}": bytes([n]) for n in (0xC0, 0xC1, *range(0xF5, 0x100))},
    **{
        f"overlong {one.hex()}": one
        for one in (
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
        f"surrogate {one.hex()}": one
        for one in (
            b"\xed\xa0\x80",
            b"\xed\xad\xbf",
            b"\xed\xb0\x80",
            b"\xed\xbf\xbf",
            b"\xed\xa0\xbd\xed\xb8\x80",
        )
    },
    **{
        f"beyond U+10FFFF {one.hex()}": one
        for one in (b"\xf4\x90\x80\x80", b"\xf7\xbf\xbf\xbf", b"\xf8\x88\x80\x80\x80")
    },
    **{
        f"cut short {one.hex()}": one
        for one in (b"\xc3", b"\xe7", b"\xe7\x94", b"\xf0", b"\xf0\x9f", b"\xf0\x9f\x9a")
    },
}
# What is inside a JSON text, as it is spelled. RFC 8259, section 7: a text escapes `"`, `\` and
# U+0000 to U+001F; an escape that is half a surrogate pair has no meaning.
TEXTS: Mapping[str, tuple[bytes, Expected]] = {
    **{f"raw control {n:02x}": (b'"' + bytes([n]) + b'"', _NOT_JSON) for n in range(0x20)},
    **{f"escaped control {n:02x}": (b'"\\u%04x"' % n, DECODED) for n in (*range(0x20), 0x7F)},
    **{
        f"escape {n}": (b'"\\' + n.encode() + b'"', _NOT_JSON)
        for n in (
            "a",
            "e",
            "v",
            "x41",
            "0",
            "'",
            "u",
            "u1",
            "u12",
            "u123",
            "u12g4",
            "U0001F600",
            "N{DIGIT}",
            "\n",
            " ",
        )
    },
    **{
        f"escape {n}": (b'"\\' + n.encode() + b'"', DECODED)
        for n in (
            '"',
            "\\",
            "/",
            "b",
            "f",
            "n",
            "r",
            "t",
            "u00e9",
            "ud83d\\ude00",
            "uFFFF",
            "uFEFF",
        )
    },
    **{
        f"lone surrogate {n}": (b'"' + n.encode() + b'"', _NOT_JSON)
        for n in (
            "\\ud800",
            "\\udbff",
            "\\ud800\\ud800",
            "\\ud800x",
            "\\ud800\\u0041",
            "\\udc00",
            "\\udfff",
            "\\udc00\\ud800",
        )
    },
    **{
        f"sign U+{ord(n):04X}": (b'"' + n.encode() + b'"', DECODED)
        for n in "\x7f\x80\x85\xa0\u200b\u200f\u2028\u2029\u202e\ufeff\ufffe\uffff\U0001f697"
        "\U0010ffff"
    },
    "text without an end": (b'"abc', _NOT_JSON),
    "text in single quotes": (b"'abc'", _NOT_JSON),
    "text without quotes": (b"abc", _NOT_JSON),
    "text of 100,000 signs": (b'"' + b"x" * 100_000 + b'"', DECODED),
}
# RFC 8259, section 6; a number that a double cannot hold is no number that we can keep.
NUMBERS: Mapping[str, tuple[bytes, Expected]] = {
    **{
        f"number {n}": (n.encode(), _NOT_JSON)
        for n in (
            "NaN",
            "-NaN",
            "nan",
            "Infinity",
            "-Infinity",
            "inf",
            "1e400",
            "-1e400",
            "1e99999",
            "1.8e308",
            "01",
            "-01",
            "00",
            "+1",
            "--1",
            "-",
            ".5",
            "-.5",
            "1.",
            "1.e5",
            "1e",
            "1e+",
            "1e1.5",
            "0x10",
            "0b1",
            "0o7",
            "1_000",
            "1,000",
            "1f",
            "1L",
            "\uff11",
            "\u0661",
            "\u00bd",
        )
    },
    **{
        f"number {n}": (n.encode(), DECODED)
        for n in (
            "0",
            "-0",
            "-0.0",
            "1E5",
            "1e+5",
            "1e-5",
            "1e-400",
            "5e-324",
            "1.7976931348623157e308",
            "9007199254740993",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775809",
            "0.1000000000000000055511151231257827",
        )
    },
    "number of 300 digits": (b"1" * 300, DECODED),
    "number of 310 digits": (b"1" * 310, _NOT_JSON),
    "number of 5,000 digits": (b"1" * 5_000, _NOT_JSON),
    "number of 180,000 digits": (b"1" * 180_000, _NOT_JSON),
    "number with 100,000 places": (b"0." + b"3" * 100_000, DECODED),
}
VALUES: Mapping[str, tuple[bytes, Expected]] = {
    **{
        f"value {n}": (n.encode(), _NOT_JSON)
        for n in (
            "",
            "True",
            "False",
            "None",
            "NULL",
            "undefined",
            "nul",
            "truefalse",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1",
            "[1}",
            '{"a":1,}',
            '{"a" 1}',
            '{"a":}',
            "{a:1}",
            "{1:1}",
            '{"a":1]',
            "/* c */ 1",
            "1 // c",
            "1 # c",
            "[1]]",
            "1;",
            "(1)",
            "<1>",
            "\u00a01",
            "\u20281",
            "\x0b1",
            "\x0c1",
            "\ufeff1",
            "new Date()",
            "!!python/object:os.system",
        )
    },
    **{
        f"value {n}": (n.encode(), DECODED)
        for n in (
            "null",
            "true",
            "false",
            "[]",
            "{}",
            "[[],[]]",
            '{"":""}',
            '{"a":1,"a":2}',
            " \t\r\n1 \t\r\n",
        )
    },
    # RFC 8259, section 9: a parser may set a limit to the depth; ours is 1,024
    **{f"arrays {n} deep": (b"[" * n + b"]" * n, DECODED) for n in (1, 100, 500, 900, 1000)},
    **{f"objects {n} deep": (b'{"a":' * n + b"1" + b"}" * n, DECODED) for n in (100, 900, 1000)},
    **{f"arrays {n} deep": (b"[" * n + b"]" * n, _NOT_JSON) for n in (1025, 10_000, 100_000)},
    **{f"objects {n} deep": (b'{"a":' * n + b"1" + b"}" * n, _NOT_JSON) for n in (1025, 40_000)},
    **{f"arrays {n} deep without an end": (b"[" * n, _NOT_JSON) for n in (10, 1000, 100_000)},
    "array of 30,000 nulls": (b"[" + b",".join([b"null"] * 30_000) + b"]", DECODED),
    "object of 10,000 members": (
        b"{" + b",".join(b'"%d":0' % n for n in range(10_000)) + b"}",
        DECODED,
    ),
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
