"""Who changes something, when, by which policy, in which transaction: one value for each change."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from dispatch.rules.policy import DispatchPolicy
from models.person import Actor


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts, when, by which policy: the edge makes it with the transaction and passes it on."""

    connection: sa.Connection
    actor: Actor
    at: datetime
    policy: DispatchPolicy

    @property
    def lease_until(self) -> datetime:
        """Return when a claim that is taken or renewed now ends."""
        return self.at + self.policy.lease
