"""Who does something: a person, the bearer of an API key, or PACC itself."""

from dataclasses import dataclass
from typing import Final

from models.canary import CANARY_DESK
from models.words import Role

PIPELINE: Final = "pacc"
CLOCKWORK: Final = "pacc tend"


# Who may claim tasks; engineers and administrators only read.
WORKERS: Final = (Role.OPERATOR, Role.SUPERVISOR, Role.DEALER)


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or the bearer of an API key. `desks` None: all desks, as supervisors may have."""

    actor_id: str
    name: str
    role: Role
    desks: frozenset[str] | None

    def sees(self, desk: str) -> bool:
        """Return whether the actor may see tasks of this desk."""
        return desk != CANARY_DESK and (self.desks is None or desk in self.desks)


# What changes because time passes; its name is the one in timelines and audit.
CLOCK: Final = Actor(CLOCKWORK, CLOCKWORK, Role.OPERATOR, None)
# Whoever has the database's address in a shell sees everything.
SHELL: Final = Actor("shell", "shell", Role.SUPERVISOR, None)
