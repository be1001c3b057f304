"""The one spelling of a VIN, and in plain words why a text is none."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from models.canary import CANARY_VIN

SIGNS: Final = 17
_LONGEST: Final = 64  # signs; nothing longer is looked at, and the cache stays small
_LEGAL: Final = re.compile(r"[A-HJ-NPR-Z0-9]*")
_AROUND: Final = " \t\r\n\f\v\u00a0\u200b\u2060\ufeff"
_MEANT: Final = {"I": "1", "O": "0", "Q": "0"}
# A number that repeats itself this often, or ends in one sign this often, was never given out.
_LONGEST_PERIOD: Final = 10
_SAME_AT_THE_END: Final = 12
_ALPHABET: Final = "ABCDEFGHJKLMNPRST"
_WORDS_OF_TESTS: Final = ("TEST", "DUMMY", "FAKE", "SAMPLE", "XXXX")


def mended_vin(text: str) -> str:
    """Return a VIN in capitals of ordinary width, without blanks around it."""
    return unicodedata.normalize("NFKC", text).strip(_AROUND).upper()


def read_vin(text: str) -> tuple[str, str | None]:
    """Return the one spelling of a VIN, and what is wrong with it; None for a good one.

    A wrong check digit is nothing wrong: European VINs need not pass.
    """
    if len(text) > _LONGEST:
        return text, f"a VIN has {SIGNS} signs, this has {len(text)}"
    return _read(text)


@lru_cache(maxsize=65_536)
def _read(text: str) -> tuple[str, str | None]:
    vin = mended_vin(text)
    if vin == CANARY_VIN:
        return vin, None
    legal = _LEGAL.match(vin)
    place = legal.end() if legal else 0
    if place < len(vin):
        return vin, f"sign {place + 1} of the VIN is {_name(vin[place])}"
    if len(vin) != SIGNS:
        return vin, f"a VIN has {SIGNS} signs, this has {len(vin)}"
    return vin, _placeholder(vin)


def _name(sign: str) -> str:
    if sign in _MEANT:
        return f"the letter {sign}, which no VIN has; {_MEANT[sign]} may be meant"
    if sign == " ":
        return "a blank"
    if sign.isprintable() and sign.isascii():
        return f"{sign}, which is neither a letter nor a digit"
    name = "NUL" if sign == "\0" else unicodedata.name(sign, "a sign without a name")
    return f"U+{ord(sign):04X} ({name}), which no VIN has"


def _placeholder(vin: str) -> str | None:
    if vin == vin[0] * SIGNS:
        return f"17 times the sign {vin[0]} is a placeholder, no vehicle"
    repeats = any(vin[period:] == vin[:-period] for period in range(2, _LONGEST_PERIOD + 1))
    if repeats or vin.endswith(vin[-1] * _SAME_AT_THE_END):
        return "the VIN only repeats itself: a placeholder, no vehicle"
    if vin.startswith(_WORDS_OF_TESTS):
        return "the VIN begins with a word of tests: a placeholder, no vehicle"
    return "the VIN is the alphabet: a placeholder, no vehicle" if vin == _ALPHABET else None
