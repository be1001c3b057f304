"""Positions say which log they are in: Kafka's id of the topic, the last record's leader epoch."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema here: of places that are stored already, neither is known."""
    with op.batch_alter_table("position", schema=None) as batch_op:
        batch_op.add_column(sa.Column("topic_id", sa.String(length=36)))
        batch_op.add_column(
            sa.Column("leader_epoch", sa.Integer(), server_default="-1", nullable=False)
        )
    with op.batch_alter_table("position", schema=None) as batch_op:
        batch_op.alter_column("leader_epoch", server_default=None)


def downgrade() -> None:
    """Take the schema back."""
    with op.batch_alter_table("position", schema=None) as batch_op:
        batch_op.drop_column("leader_epoch")
        batch_op.drop_column("topic_id")
