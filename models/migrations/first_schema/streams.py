"""Positions, the ledger and quarantine as the first revision creates them."""

import sqlalchemy as sa
from alembic import op

from models.tables import columns as t

TABLES = ("position", "ledger", "quarantine")


def create() -> None:
    """Create the tables and their indexes, with the columns of revision 0001."""
    _create_position()
    _create_ledger()
    _create_quarantine()


def _create_position() -> None:
    op.create_table(
        "position",
        sa.Column("feed", sa.String(length=8), nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("advanced", sa.BigInteger(), nullable=False),
        sa.Column("watermark", t.UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("feed", "topic", "part", name=op.f("pk_position")),
    )


def _create_ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("feed", sa.String(length=8), nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("feed", "topic", "part", "outcome", name=op.f("pk_ledger")),
    )


def _create_quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("quarantine_id", sa.String(length=64), nullable=False),
        sa.Column("feed", sa.String(length=8), nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("record_offset", sa.BigInteger(), nullable=False),
        sa.Column("record_timestamp", sa.BigInteger(), nullable=False),
        sa.Column("record_key", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("headers", t.Json, nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("pointer", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), server_default="held", nullable=False),
        sa.PrimaryKeyConstraint("quarantine_id", name=op.f("pk_quarantine")),
    )
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_quarantine_state_reason"), ["state", "reason"], unique=False
        )
