"""Which of our codes the standard speaks of."""

from typing import Final

from models.make import is_makers_own
from prioritizer.features.catalogue import load_catalogue


def is_standard(code: str) -> bool:
    """Whether SAE J2012 and not the maker says what a code means."""
    return not is_makers_own(f"dtc:{code}")


STANDARD: Final = [
    code.removeprefix("dtc:")
    for code in load_catalogue().entries
    if code.startswith("dtc:") and is_standard(code.removeprefix("dtc:"))
]
