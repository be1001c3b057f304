"""API keys: made once, shown once, kept as a hash."""

import hashlib
import secrets
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from models import tables as t
from models.errors import Conflict, NotThere, Unusable
from models.person import Actor
from models.words import Queue, Role

_KIND = {Role.OPERATOR: Queue.ROADSIDE, Role.DEALER: Queue.DEALER}


def create_key(
    connection: sa.Connection, role: Role, desk: str | None, name: str | None, at: datetime
) -> dict[str, str]:
    """Create a key for a role; operators and dealers are bound to a desk of their kind.

    Raises `NotThere` for an unknown desk, `Unusable` for one of another kind, or none.
    """
    kind = connection.execute(
        sa.select(t.desk.c.kind).where(t.desk.c.desk_id == desk)
    ).scalar_one_or_none()
    if desk is not None and kind is None:
        raise NotThere(
            "There is no desk %(desk)s. `pacc desk import` brings desks.", {"desk": desk}
        )
    if role in _KIND and kind != _KIND[role]:
        raise Unusable(
            "The role %(role)s is bound to a %(queue)s desk: say which with --desk.",
            {"role": role, "queue": _KIND[role]},
        )
    key_id = secrets.token_hex(6)
    key = f"pacc_{key_id}_{secrets.token_urlsafe(32)}"
    connection.execute(
        sa.insert(t.api_key).values(
            key_id=key_id,
            secret_sha256=_hash(key),
            role=role.value,
            desk=desk,
            name=name or f"{role} {key_id}",
            created_at=at,
        )
    )
    return {"key": key, "key_id": key_id}


def list_keys(connection: sa.Connection) -> list[dict[str, Any]]:
    """List all keys, without what opens them."""
    c = t.api_key.c
    query = sa.select(c.key_id, c.name, c.role, c.desk, c.created_at, c.revoked_at)
    ordered = query.order_by(c.created_at, c.key_id)
    return [dict(row) for row in connection.execute(ordered).mappings()]


def revoke_key(connection: sa.Connection, key_id: str, at: datetime) -> None:
    """Revoke a key. Raises `NotThere` for an unknown one, `Conflict` for one that is revoked."""
    c = t.api_key.c
    key = connection.execute(sa.select(c.revoked_at).where(c.key_id == key_id)).one_or_none()
    if key is None:
        raise NotThere("There is no key %(id)s.", {"id": key_id})
    if key.revoked_at is not None:
        raise Conflict("The key %(id)s has been revoked already.", {"id": key_id})
    connection.execute(sa.update(t.api_key).where(c.key_id == key_id).values(revoked_at=at))


def find_actor(connection: sa.Connection, key: str) -> Actor | None:
    """Return whose key this is; None for nobody's."""
    c = t.api_key.c
    row = connection.execute(
        sa.select(c.key_id, c.name, c.role, c.desk).where(
            c.secret_sha256 == _hash(key), c.revoked_at.is_(None)
        )
    ).one_or_none()
    if row is None:
        return None
    desks = None if row.desk is None else frozenset({row.desk})
    return Actor(row.key_id, row.name, Role(row.role), desks)


def _hash(key: str) -> str:
    """SHA-256 is enough here: the secret is 256 random bits, nothing to guess."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
