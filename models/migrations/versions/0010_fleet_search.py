"""How far each partition has been searched for fleet issues."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.tables import columns as t

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema here; what was read so far counts as searched."""
    op.create_table(
        "fleet_search",
        sa.Column("feed", sa.String(length=8), nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("until", t.UtcTime(), nullable=False),
        sa.Column("advanced", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("feed", "topic", "part", name=op.f("pk_fleet_search")),
    )
    op.execute(
        "insert into fleet_search (feed, topic, part, until, advanced) "
        "select feed, topic, part, watermark, advanced from position where watermark is not null"
    )


def downgrade() -> None:
    """Take the schema back."""
    op.drop_table("fleet_search")
