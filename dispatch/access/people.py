"""People who log in: added by name, role and desks; their passwords only as argon2id hashes."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

import pyotp
import sqlalchemy as sa
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from models import tables as t
from models.errors import Conflict, NotThere, Unusable
from models.person import Actor
from models.words import Queue, Role

LANGUAGES: Final = ("zh", "en")
LEAST_PASSWORD: Final = (
    12  # characters; NIST SP 800-63B asks for 8 with, 15 without a second factor
)
_hasher: Final = PasswordHash((Argon2Hasher(),))
_KIND: Final = {Role.OPERATOR: Queue.ROADSIDE, Role.DEALER: Queue.DEALER}
_TOTP_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works here, as far as a page needs to know."""

    actor: Actor
    login: str
    language: str
    has_shortcuts: bool


def add_person(
    connection: sa.Connection,
    login: str,
    role: Role,
    desks: Sequence[str],
    at: datetime,
    *,
    name: str | None = None,
    language: str = "zh",
    password: str | None = None,
    with_totp: bool = False,
) -> dict[str, str]:
    """Add a person; return the password (made up unless passed) and the second factor's address.

    Operators and dealers belong to one desk or more of their kind. No desk: all of them, which
    only supervisors, engineers and administrators may have. Raises `Unusable` or `Conflict`.
    """
    _require_usable(language, password)
    p = t.person.c
    if connection.execute(sa.select(p.login).where(p.login == login)).first() is not None:
        raise Conflict("There is a person %(login)s already.", {"login": login})
    _require_desks(connection, role, desks)
    initial_password = password or secrets.token_urlsafe(12)
    secret = pyotp.random_base32() if with_totp else None
    person_id = secrets.token_hex(8)
    connection.execute(
        sa.insert(t.person).values(
            person_id=person_id,
            login=login,
            name=name or login,
            role=role.value,
            desks=sorted(set(desks)) or sa.null(),
            language=language,
            password_hash=_hasher.hash(initial_password),
            totp_secret=secret,
            created_at=at,
        )
    )
    account = {"person_id": person_id, "login": login, "password": initial_password}
    if secret is not None:
        account["totp"] = pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name="PACC")
    return account


def _require_usable(language: str, password: str | None) -> None:
    if language not in LANGUAGES:
        raise Unusable(
            "%(language)s is no language of the console: %(known)s.",
            {"language": language, "known": " or ".join(LANGUAGES)},
        )
    if password is not None and len(password) < LEAST_PASSWORD:
        raise Unusable("A password has at least %(least)d characters.", {"least": LEAST_PASSWORD})


def disable_person(connection: sa.Connection, login: str, at: datetime) -> None:
    """Disable a person and end every session of theirs now.

    Raises `NotThere` for nobody, `Conflict` for who is disabled.
    """
    p = t.person.c
    person = connection.execute(
        sa.select(p.person_id, p.disabled_at).where(p.login == login)
    ).one_or_none()
    if person is None:
        raise NotThere("There is no person %(login)s.", {"login": login})
    if person.disabled_at is not None:
        raise Conflict("%(login)s is disabled already.", {"login": login})
    connection.execute(sa.update(t.person).where(p.login == login).values(disabled_at=at))
    s = t.session.c
    connection.execute(
        sa.update(t.session)
        .where(s.person_id == person.person_id, s.ended_at.is_(None))
        .values(ended_at=at)
    )


def list_people(connection: sa.Connection) -> list[dict[str, Any]]:
    """List all people, without what lets them in."""
    p = t.person.c
    columns = (p.login, p.name, p.role, p.desks, p.language, p.created_at, p.disabled_at)
    query = sa.select(*columns, p.totp_secret.is_not(None).label("has_totp")).order_by(p.login)
    return [dict(row) for row in connection.execute(query).mappings()]


def verify(
    connection: sa.Connection, login: str, password: str, code: str, at: datetime
) -> Person | None:
    """Return who this is; None if name, password or code is wrong, whichever it was.

    A code of the second factor opens once.
    """
    row = connection.execute(sa.select(t.person).where(t.person.c.login == login)).one_or_none()
    known = row is not None and row.password_hash is not None and row.disabled_at is None
    nobodys = _nobodys()
    is_right = _hasher.verify(password, row.password_hash if row and known else nobodys)
    if row is None or not known or not is_right:
        return None
    if row.totp_secret is not None and not _use_code(connection, row, code, at):
        return None
    return person_of(row)


@cache
def _nobodys() -> str:
    """Return the hash that is verified when there is nobody of that name.

    It is asked for either way, the first time too, so that an answer takes as long either way.
    """
    return _hasher.hash(secrets.token_urlsafe(16))


def find_person(connection: sa.Connection, login: str) -> Person | None:
    """Find somebody by name, for whom another has vouched; None for nobody and the disabled."""
    p = t.person.c
    query = sa.select(t.person).where(p.login == login, p.disabled_at.is_(None))
    row = connection.execute(query).one_or_none()
    return None if row is None else person_of(row)


def person_of(row: sa.Row[Any]) -> Person:
    """Read a person."""
    desks = None if row.desks is None else frozenset(row.desks)
    actor = Actor(row.person_id, row.name, Role(row.role), desks)
    return Person(actor, row.login, row.language, row.has_shortcuts)


def set_preference(connection: sa.Connection, person_id: str, **values: Any) -> None:
    """Change a person's language or shortcuts."""
    connection.execute(
        sa.update(t.person).where(t.person.c.person_id == person_id).values(**values)
    )


def _use_code(connection: sa.Connection, row: sa.Row[Any], code: str, at: datetime) -> bool:
    """Accept a code of this half minute or a neighbour, if it is newer than the last one used."""
    now = int(at.timestamp()) // _TOTP_SECONDS
    totp = pyotp.TOTP(row.totp_secret)
    for step in (now - 1, now, now + 1):
        if secrets.compare_digest(totp.generate_otp(step), code.strip().rjust(6)):
            p = t.person.c
            used = (
                sa.update(t.person)
                .where(p.person_id == row.person_id)
                .where(sa.or_(p.totp_used.is_(None), p.totp_used < step))
                .values(totp_used=step)
            )
            return connection.execute(used).rowcount == 1
    return False


def _require_desks(connection: sa.Connection, role: Role, desks: Sequence[str]) -> None:
    d = t.desk.c
    kinds = dict(
        connection.execute(sa.select(d.desk_id, d.kind).where(d.desk_id.in_(list(desks)))).all()
    )
    for desk in desks:
        if desk not in kinds:
            raise NotThere(
                "There is no desk %(desk)s. `pacc desk import` brings desks.", {"desk": desk}
            )
    kind = _KIND.get(role)
    if kind is not None and (not desks or any(one != kind for one in kinds.values())):
        raise Unusable(
            "The role %(role)s belongs to a %(queue)s desk: say which with --desk.",
            {"role": role, "queue": kind},
        )
