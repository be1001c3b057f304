"""Which refused records say stop, as far as their bytes can be read: those a person must see."""

import re
from contextlib import suppress
from typing import Final

import orjson

from ingest.formats.messages import HIGH
from ingest.formats.stop_faults import is_stop
from ingest.names.words import plain, word_of
from models.batch import Decoded
from models.words import Lamp, Severity

# A member and its word, also in JSON inside JSON; letters may be spelled `\uxxxx`.
_WORD: Final = re.compile(
    rb'(severity|state|criticalness|lamp)\\*"\s*:\s*\\*"((?:[^"\\]|\\u[0-9A-Fa-f]{4}){1,40})'
)
# ISO 14229-1, DTC severity mask: the bit 0x80, as two hexadecimal digits or as a number.
_MASK: Final = re.compile(
    rb'severity\\*"\s*:\s*(?:\\*"(?:0[xX])?[89A-Fa-f][0-9A-Fa-f]\\*"|(?:12[89]|1[3-9]\d|2\d\d)\b)'
)


def has_refused_stop(decoded: Decoded) -> bool:
    """Return whether a record was refused, whole or in part, that says stop and alarms nobody.

    A record that says it in words that cannot be found is missed; one too many is an alarm that
    was not needed.
    """
    if not decoded.rejected or any(is_stop(item) for item in decoded.items):
        return False
    value = decoded.record.value or b""
    return _MASK.search(value) is not None or any(
        _is_stop_word(name, word) for name, word in _WORD.findall(value)
    )


def _is_stop_word(name: bytes, word: bytes) -> bool:
    text = word.decode("utf-8", "replace")
    with suppress(orjson.JSONDecodeError):
        text = orjson.loads(b'"' + word + b'"')
    if name == b"lamp":
        return word_of("lamp", text).word is Lamp.RED
    return word_of("severity", text).word is Severity.STOP or plain(text) in HIGH
