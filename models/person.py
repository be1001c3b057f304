"""Who does something: the bearer of an API key, or PACC itself."""

from dataclasses import dataclass
from typing import Final

from models.words import Role

PIPELINE: Final = "pacc"
CLOCKWORK: Final = "pacc tend"


@dataclass(frozen=True, slots=True)
class Actor:
    """The bearer of an API key. `desk` None means all desks (supervisors and engineers only)."""

    key_id: str
    name: str
    role: Role
    desk: str | None

    def sees(self, desk: str) -> bool:
        """Whether tasks of this desk are there at all for the actor."""
        return self.desk is None or self.desk == desk


# Whoever has the database's address in a shell sees everything.
SHELL: Final = Actor("shell", "shell", Role.SUPERVISOR, None)
