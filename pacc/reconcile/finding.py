"""What does not add up, in words: what is missing, where, how much, and where to look next."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not add up. `what` is a word for programs, `count` how many of it."""

    what: str
    count: int
    sentence: str
    look: str
    examples: tuple[str, ...] = ()

    def shown(self) -> dict[str, Any]:
        """Give it as plain values."""
        return asdict(self) | {"examples": list(self.examples)}


def of_rows(what: str, ids: Sequence[str], sentence: str, look: str) -> list[Finding]:
    """Make a finding of the ids that it is about; none of none. `%d` is how many they are."""
    if not ids:
        return []
    return [Finding(what, len(ids), sentence % len(ids), look, tuple(ids[:EXAMPLES]))]
