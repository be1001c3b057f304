"""Who is logged in: sessions in the database, known by the hash of a secret that only they have."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from dispatch.access.people import Person, person_of, verify
from models import tables as t
from models.errors import PaccError

# So many failures within a quarter of an hour close the door for a name, or for an address.
WINDOW: Final = timedelta(minutes=15)
BY_LOGIN: Final = 5
BY_ADDRESS: Final = 30


class TooManyTries(PaccError):
    """The door stays closed for a while, whatever is said."""

    status = 429


@dataclass(frozen=True, slots=True)
class Session:
    """A person at work. `csrf` must come with everything that changes something."""

    person: Person
    csrf: str
    ends_at: datetime
    key: str


def log_in(
    connection: sa.Connection,
    login: str,
    password: str,
    code: str,
    address: str,
    at: datetime,
    shift: timedelta,
) -> str | None:
    """Open a session and give its secret; None if name, password or code is wrong.

    Raises `TooManyTries` before anything is looked at.
    """
    _require_few_failures(connection, login, address, at)
    person = verify(connection, login, password, code, at)
    if person is None:
        connection.execute(
            sa.insert(t.login_failure).values(login=login[:128], address=address[:64], at=at)
        )
        return None
    return open_session(connection, person, at, shift)


def open_session(connection: sa.Connection, person: Person, at: datetime, shift: timedelta) -> str:
    """Open a session that ends with the shift."""
    secret = secrets.token_urlsafe(32)
    connection.execute(
        sa.insert(t.session).values(
            session_sha256=_hash(secret),
            person_id=person.actor.actor_id,
            csrf=secrets.token_urlsafe(24),
            started_at=at,
            ends_at=at + shift,
        )
    )
    return secret


def find_session(connection: sa.Connection, secret: str, at: datetime) -> Session | None:
    """Return whose session this is; None for one that ended, and for nobody's."""
    s, p = t.session.c, t.person.c
    key = _hash(secret)
    row = connection.execute(
        sa.select(t.person, s.csrf, s.ends_at)
        .join(t.session, s.person_id == p.person_id)
        .where(s.session_sha256 == key, s.ended_at.is_(None), s.ends_at > at)
        .where(p.disabled_at.is_(None))
    ).one_or_none()
    return None if row is None else Session(person_of(row), row.csrf, row.ends_at, key)


def at_work(connection: sa.Connection, at: datetime) -> list[Person]:
    """List who is logged in now, each once, by name."""
    s, p = t.session.c, t.person.c
    live = sa.select(s.person_id).where(s.ended_at.is_(None), s.ends_at > at)
    query = sa.select(t.person).where(p.person_id.in_(live), p.disabled_at.is_(None))
    return [person_of(row) for row in connection.execute(query.order_by(p.name, p.person_id))]


def valid_sessions(connection: sa.Connection, keys: Sequence[str], at: datetime) -> Sequence[str]:
    """Return which of these sessions have not ended."""
    s = t.session.c
    query = sa.select(s.session_sha256).where(
        s.session_sha256.in_(keys), s.ended_at.is_(None), s.ends_at > at
    )
    return connection.execute(query).scalars().all()


def log_out(connection: sa.Connection, session: Session, at: datetime) -> None:
    """End a session now."""
    connection.execute(
        sa.update(t.session).where(t.session.c.session_sha256 == session.key).values(ended_at=at)
    )


def _require_few_failures(
    connection: sa.Connection, login: str, address: str, at: datetime
) -> None:
    f = t.login_failure.c
    for column, value, most in ((f.login, login[:128], BY_LOGIN), (f.address, address, BY_ADDRESS)):
        count = sa.select(sa.func.count()).select_from(t.login_failure)
        recent = count.where(column == value, f.at > at - WINDOW)
        if connection.execute(recent).scalar_one() >= most:
            raise TooManyTries("Too many tries. Wait a quarter of an hour, or ask your supervisor.")


def _hash(secret: str) -> str:
    """SHA-256 is enough here: the secret is 256 random bits, nothing to guess."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
