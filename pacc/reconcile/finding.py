"""Findings: what is missing, where, how much, and where to look next."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One discrepancy. `what` is its code for programs, `count` how many, `look` where to look."""

    what: str
    count: int
    sentence: str
    look: str
    examples: tuple[str, ...] = ()

    def as_document(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return asdict(self) | {"examples": list(self.examples)}


def findings_of_ids(what: str, ids: Sequence[str], sentence: str, look: str) -> list[Finding]:
    """Return a finding about these ids, none without ids; `%d` in `sentence` is their number."""
    if not ids:
        return []
    return [Finding(what, len(ids), sentence % len(ids), look, tuple(ids[:EXAMPLES]))]
