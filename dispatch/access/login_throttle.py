"""The log-in throttle: failed tries are counted by name and by address, and close the door."""

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from models import tables as t
from models.errors import PaccError

# So many failures within a quarter of an hour close the door for a name, or for an address.
WINDOW: Final = timedelta(minutes=15)
BY_LOGIN: Final = 5
BY_ADDRESS: Final = 30


class TooManyTries(PaccError):
    """The door stays closed for a while, whatever is said."""

    status = 429


def require_few_failures(connection: sa.Connection, login: str, address: str, at: datetime) -> None:
    """Raise `TooManyTries` if a name or an address has failed too often within `WINDOW`."""
    f = t.login_failure.c
    for column, value, most in ((f.login, login[:128], BY_LOGIN), (f.address, address, BY_ADDRESS)):
        count = sa.select(sa.func.count()).select_from(t.login_failure)
        recent = count.where(column == value, f.at > at - WINDOW)
        if connection.execute(recent).scalar_one() >= most:
            raise TooManyTries("Too many tries. Wait a quarter of an hour, or ask your supervisor.")


def note_failure(connection: sa.Connection, login: str, address: str, at: datetime) -> None:
    """Count a failed try."""
    connection.execute(
        sa.insert(t.login_failure).values(login=login[:128], address=address[:64], at=at)
    )
