"""The one spelling of a fault code, whoever wrote it, and how people read it."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final
from unicodedata import normalize

# A scheme that a reader would miss stays, as its own world writes it.
_SHOWN: Final = {
    "dtc": "",
    "spn": "SPN ",
    "ccm": "CCM ",
    "cbs": "CBS ",
    "gbt": "GB/T ",
}
_LONGEST: Final = 128  # signs; nothing longer is a code, and the cache stays small
_DASHES: Final = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")
# SAE J2012: a letter, a digit 0 to 3, three hexadecimal digits, and a failure type of one byte. O
# is often written for 0; it is no hexadecimal digit.
_TROUBLE: Final = re.compile(
    r"(?:DTC[ :_-]*)?([PBCU])([0-3O][0-9A-FO]{3})(?:[ :_./-]*(?:0X)?([0-9A-FO]{2}))?[ :_./-]*"
)
_BYTES: Final = re.compile(r"([0-9A-F]{4})([0-9A-F]{2})?")
_BETWEEN_BYTES: Final = re.compile(r"\b0X|[ _-]")
# SAE J1939-73: 19 bits of suspect parameter number, 5 bits of failure mode identifier.
_SUSPECT: Final = re.compile(
    r"(?:SPN[ :=#]*)?(0X[0-9A-F]{1,5}|[0-9]+)"
    r"(?:(?:[ /:;.,_-]*FMI[ :=#]*|[ /:;.,_-]+)(0X[0-9A-F]{1,2}|[0-9]+))?"
)
_MOST_SPN, _MOST_FMI = 0x7FFFF, 0x1F
_BIT: Final = re.compile(r"(?:BIT[ _:#-]*)?(0X[0-9A-F]+|[0-9]+)")
_WORD_ENDS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BETWEEN_WORDS: Final = re.compile(r"[ _./-]+")
# BMW's words, as its services have spelled them through the years; the key has no separators.
_WORDED: Final[Mapping[str, Mapping[str, str]]] = {
    "ccm": {
        "TIRES": "TIRE_PRESSURE",
        "TYRES": "TIRE_PRESSURE",
        "TIREPRESSURE": "TIRE_PRESSURE",
        "TYREPRESSURE": "TIRE_PRESSURE",
        "ENGINEOIL": "ENGINE_OIL",
        "WASHINGFLUID": "WASHING_FLUID",
        "BRAKEFLUID": "BRAKE_FLUID",
    },
    "cbs": {
        "BRAKEFLUID": "BRAKE_FLUID",
        "VEHICLECHECK": "VEHICLE_CHECK",
        "VEHICLETUV": "VEHICLE_TUV",
        "VEHICLEADMISSIONTEST": "VEHICLE_TUV",
        "EMISSIONCHECK": "EMISSION_CHECK",
        "TIREWEARFRONT": "TIRE_WEAR_FRONT",
        "TYREWEARFRONT": "TIRE_WEAR_FRONT",
        "TIREWEARREAR": "TIRE_WEAR_REAR",
        "TYREWEARREAR": "TIRE_WEAR_REAR",
        "BRAKEPADSFRONT": "BRAKE_PADS_FRONT",
        "BRAKEPADSREAR": "BRAKE_PADS_REAR",
    },
}
# What stands where there is no fault: SAE J2012's P0000 and all ones as padding, SAE J1939-73's
# zeros and all ones, and the words that people write.
_NO_FAULT: Final = frozenset(
    {"dtc:P0000", "dtc:U3FFF", "dtc:U3FFF-FF", "spn:0/0", "spn:524287/31", "spn:0", "spn:524287"}
)
_NO_FAULT_WORDS: Final = frozenset(
    {"NONE", "NULL", "NIL", "OK", "NO", "N/A", "NA", "NO_FAULT", "NOFAULT", "NO_FAULTS", "NO_DTC"}
    | {"NODTC", "NO_DTCS", "NO_CODE", "NO_CODES", "NO_ERROR", "NOERROR", "无", "无故障", "正常"}
    | {"P0000", "0000", "000000", "0X0000", "0X000000"}
)


def canonical_code(text: str) -> str:
    """Return the one spelling of a code: scheme in small letters, value in capitals.

    `DTC:b1342`, `dtc:B134200` and `dtc:0x9342` are `dtc:B1342`; a failure type 00 is none. What is
    no code stays as it is, so that whoever checks it can show it.
    """
    return text if len(text) > _LONGEST else _canonical(text)


def spell_code(code: str) -> str:
    """Return a code as a workshop writes it: `dtc:P0A80-1C` is P0A80-1C, `ccm:164` is CCM 164."""
    scheme, colon, rest = code.partition(":")
    return _SHOWN.get(scheme, f"{scheme}:") + rest if colon else code


def component_of(code: str) -> str:
    """Return what is faulty, without how it fails: `dtc:P0A80-1C` is `dtc:P0A80`."""
    if code.startswith("dtc:"):
        return code.partition("-")[0]
    return code.partition("/")[0] if code.startswith("spn:") else code


def is_no_fault(code: str) -> bool:
    """Whether a canonical code stands where there is no fault."""
    return code in _NO_FAULT or code.rpartition(":")[2].upper() in _NO_FAULT_WORDS


@lru_cache(maxsize=65_536)
def _canonical(text: str) -> str:
    clean = " ".join(normalize("NFKC", text).translate(_DASHES).split())
    scheme, colon, value = clean.partition(":")
    scheme, value = scheme.strip().lower(), value.strip()
    if not colon:
        is_suspect = clean[:3].upper() == "SPN"
        return written_code(clean) or (_suspect(clean.upper()) if is_suspect else None) or text
    if not value:
        return text
    return _SPELLED[scheme](value) if scheme in _SPELLED else f"{scheme}:{value.upper()}"


def trouble_code(text: str) -> str | None:
    """Read a trouble code of SAE J2012, as text or as its two or three bytes; None for none."""
    return written_code(text) or _from_bytes(_dressed_down(text))


def written_code(text: str) -> str | None:
    """Read a trouble code of SAE J2012 as text, with its letter; None for anything else."""
    parts = _TROUBLE.fullmatch(_dressed_down(text))
    if parts is None:
        return None
    letter, base, kind = (part.replace("O", "0") if part else "00" for part in parts.groups())
    return _with_type(f"{letter}{base}", kind)


def _from_bytes(text: str) -> str | None:
    parts = _BYTES.fullmatch(_BETWEEN_BYTES.sub("", text))
    if parts is None:
        return None
    bits = int(parts[1], 16)
    return _with_type(f"{'PCBU'[bits >> 14]}{bits >> 12 & 3}{bits & 0xFFF:03X}", parts[2] or "00")


def _with_type(base: str, kind: str) -> str:
    return f"dtc:{base}" if kind == "00" else f"dtc:{base}-{kind}"


def _dressed_down(text: str) -> str:
    return " ".join(normalize("NFKC", text).translate(_DASHES).upper().split())


def _trouble(value: str) -> str:
    return trouble_code(value) or f"dtc:{value.upper()}"


def _suspect(value: str) -> str | None:
    parts = _SUSPECT.fullmatch(value)
    if parts is None:
        return None
    number, mode = _whole(parts[1]), _whole(parts[2] or "0")
    if number > _MOST_SPN or mode > _MOST_FMI:
        return None
    return f"spn:{number}/{mode}" if parts[2] else f"spn:{number}"


def _suspect_or_as_it_is(value: str) -> str:
    return _suspect(value.upper()) or f"spn:{value.upper()}"


def _bit(value: str) -> str:
    parts = _BIT.fullmatch(value.upper())
    return f"gbt:{_whole(parts[1])}" if parts else f"gbt:{value.upper()}"


def _whole(digits: str) -> int:
    return int(digits, 16 if digits.startswith("0X") else 10)


def _worded(scheme: str) -> Callable[[str], str]:
    """Return what spells a scheme of words and numbers: `brakeFluid` is BRAKE_FLUID, 007 is 7."""
    words = _WORDED[scheme]

    def spelled(value: str) -> str:
        if value.isascii() and value.isdigit():
            return f"{scheme}:{int(value)}"
        word = _BETWEEN_WORDS.sub("_", _WORD_ENDS.sub("_", value)).strip("_").upper()
        return f"{scheme}:{words.get(word.replace('_', ''), word)}"

    return spelled


_SPELLED: Final[Mapping[str, Callable[[str], str]]] = {
    "dtc": _trouble,
    "spn": _suspect_or_as_it_is,
    "gbt": _bit,
    "bmwdtc": lambda value: f"bmwdtc:{value.upper().removeprefix('0X')}",
    **{scheme: _worded(scheme) for scheme in _WORDED},
}
