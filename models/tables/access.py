"""Who may come in, and what they did."""

import sqlalchemy as sa

from models.tables.base import metadata
from models.tables.columns import Id, Json, Serial, UtcTime

api_key = sa.Table(
    "api_key",
    metadata,
    sa.Column("key_id", Id, primary_key=True),
    sa.Column("secret_sha256", sa.String(64), nullable=False, unique=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("desk", Id),
    sa.Column("name", sa.String(128), nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("revoked_at", UtcTime),
)

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("key_id", Id, primary_key=True),
    sa.Column("idempotency_key", sa.String(128), primary_key=True),
    sa.Column("request_sha256", sa.String(64), nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("body", Json, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
)

person = sa.Table(
    "person",
    metadata,
    sa.Column("person_id", Id, primary_key=True),
    sa.Column("login", sa.String(128), nullable=False, unique=True),
    sa.Column("name", sa.String(128), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("desks", Json),  # null: all desks
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("password_hash", sa.Text),
    sa.Column("totp_secret", sa.String(64)),
    sa.Column("totp_used", sa.BigInteger),
    sa.Column("has_shortcuts", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("disabled_at", UtcTime),
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("session_sha256", sa.String(64), primary_key=True),
    sa.Column("person_id", Id, nullable=False),
    sa.Column("csrf", sa.String(64), nullable=False),
    sa.Column("started_at", UtcTime, nullable=False),
    sa.Column("ends_at", UtcTime, nullable=False),
    sa.Column("ended_at", UtcTime),
    sa.Index(None, "person_id"),
)

login_failure = sa.Table(
    "login_failure",
    metadata,
    sa.Column("failure_id", Serial, primary_key=True, autoincrement=True),
    sa.Column("login", sa.String(128), nullable=False),
    sa.Column("address", sa.String(64), nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Index(None, "login", "at"),
    sa.Index(None, "address", "at"),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("audit_id", Serial, primary_key=True, autoincrement=True),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("actor", sa.String(128), nullable=False),
    sa.Column("act", sa.String(64), nullable=False),
    sa.Column("detail", Json, nullable=False),
)
