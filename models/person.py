"""Who does something: a person, the bearer of an API key, or PACC itself."""

from dataclasses import dataclass
from typing import Final

from models.canary import CANARY_DESK
from models.words import Role

PIPELINE: Final = "pacc"
CLOCKWORK: Final = "pacc tend"


# Who takes tasks in hand; engineers and administrators look.
WORKERS: Final = (Role.OPERATOR, Role.SUPERVISOR, Role.DEALER)


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or the bearer of an API key. `desks` None: all desks, as supervisors may have."""

    actor_id: str
    name: str
    role: Role
    desks: frozenset[str] | None

    def sees(self, desk: str) -> bool:
        """Whether tasks of this desk are there at all for the actor."""
        return desk != CANARY_DESK and (self.desks is None or desk in self.desks)


# What changes because time passes; its name is the one in timelines and audit.
CLOCK: Final = Actor(CLOCKWORK, CLOCKWORK, Role.OPERATOR, None)
# Whoever has the database's address in a shell sees everything.
SHELL: Final = Actor("shell", "shell", Role.SUPERVISOR, None)
