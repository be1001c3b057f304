"""Which redrive took a record out of quarantine, so that it can be undone."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.tables import columns as t

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema here; what was redriven before belongs to no batch."""
    op.create_table(
        "redrive",
        sa.Column("batch", sa.String(length=40), nullable=False),
        sa.Column("at", t.UtcTime(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("repair", t.Json, nullable=False),
        sa.Column("undone_at", t.UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("batch", name=op.f("pk_redrive")),
    )
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.add_column(sa.Column("batch", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("redriven_offset", sa.BigInteger(), nullable=True))
        batch_op.create_index(op.f("ix_quarantine_batch"), ["batch"], unique=False)


def downgrade() -> None:
    """Take the schema back; no redrive can be undone then."""
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.drop_index(op.f("ix_quarantine_batch"))
        batch_op.drop_column("redriven_offset")
        batch_op.drop_column("batch")
    op.drop_table("redrive")
