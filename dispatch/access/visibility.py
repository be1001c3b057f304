"""What an actor sees: the rows of their desks, and an owner's number only with consent."""

from typing import Any

import sqlalchemy as sa

from models.canary import CANARY_DESK
from models.person import Actor


def seen(desk: sa.Column[str], actor: Actor) -> sa.ColumnElement[bool]:
    """Say that a row's desk is one of the actor's; the canary's is nobody's."""
    if actor.desks is None:
        return desk != CANARY_DESK
    return desk.in_(sorted(actor.desks - {CANARY_DESK}))


def callable_owner(row: sa.RowMapping) -> dict[str, Any]:
    """Give an owner; the number only if its owner allowed calls."""
    return {**row, "phone": row["phone"] if row["has_consent"] else None}
