"""Keys, remembered answers and the audit as the first revision creates them."""

import sqlalchemy as sa
from alembic import op

from models.tables import columns as t

TABLES = ("api_key", "idempotency", "audit")


def create() -> None:
    """Create the tables and their indexes, with the columns of revision 0001."""
    _create_api_key()
    _create_idempotency()
    _create_audit()


def _create_api_key() -> None:
    op.create_table(
        "api_key",
        sa.Column("key_id", sa.String(length=40), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("desk", sa.String(length=40), nullable=True),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("created_at", t.UtcTime(), nullable=False),
        sa.Column("revoked_at", t.UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_api_key_secret_sha256")),
    )


def _create_idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("key_id", sa.String(length=40), nullable=False),
        sa.Column("idempotency_key", sa.String(length=128), nullable=False),
        sa.Column("request_sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", t.Json, nullable=False),
        sa.Column("at", t.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "idempotency_key", name=op.f("pk_idempotency")),
    )


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("audit_id", t.Serial, autoincrement=True, nullable=False),
        sa.Column("at", t.UtcTime(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("act", sa.String(length=64), nullable=False),
        sa.Column("detail", t.Json, nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit")),
    )
