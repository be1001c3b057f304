"""Who is logged in: sessions in the database, known by the hash of a secret that only they have."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from dispatch.access.login_throttle import note_failure, require_few_failures
from dispatch.access.people import Person, person_of, verify
from models import tables as t


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
    require_few_failures(connection, login, address, at)
    person = verify(connection, login, password, code, at)
    if person is None:
        note_failure(connection, login, address, at)
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


def _hash(secret: str) -> str:
    """SHA-256 is enough here: the secret is 256 random bits, nothing to guess."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
