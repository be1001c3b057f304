"""Texts, numbers and values as JSON (RFC 8259) spells them, and as it must not."""

from collections.abc import Mapping

from models.words import Reject
from tests.ingest.formats.poison.expected import DECODED, Expected, refused

_NOT_JSON = refused(Reject.NOT_JSON)
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
