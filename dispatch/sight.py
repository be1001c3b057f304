"""Which desks' rows an actor sees: the one condition that every query of people's goes through."""

import sqlalchemy as sa

from models.person import Actor


def seen(desk: sa.Column[str], actor: Actor) -> sa.ColumnElement[bool]:
    """Say that a row's desk is one of the actor's."""
    return sa.true() if actor.desks is None else desk.in_(sorted(actor.desks))
