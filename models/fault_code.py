"""How people write a fault code: without the scheme that our own spelling puts in front."""

from typing import Final

# A scheme that a reader would miss stays, as its own world writes it.
_SHOWN: Final = {
    "dtc": "",
    "spn": "SPN ",
    "ccm": "CCM ",
    "cbs": "CBS ",
    "gbt": "GB/T ",
}


def spell_code(code: str) -> str:
    """Return a code as a workshop writes it: `dtc:P0A80-1C` is P0A80-1C, `ccm:164` is CCM 164."""
    scheme, colon, rest = code.partition(":")
    return _SHOWN.get(scheme, f"{scheme}:") + rest if colon else code
