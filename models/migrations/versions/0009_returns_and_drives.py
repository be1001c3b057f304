"""A pending code counts the drives on which it was pending."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.tables.columns import UtcTime

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema here: of what is pending already, the last drive is not known."""
    with op.batch_alter_table("fault", schema=None) as batch_op:
        batch_op.add_column(sa.Column("counted_at", UtcTime()))
        batch_op.add_column(sa.Column("counted_km", sa.Float()))


def downgrade() -> None:
    """Take the schema back."""
    with op.batch_alter_table("fault", schema=None) as batch_op:
        batch_op.drop_column("counted_km")
        batch_op.drop_column("counted_at")
