"""A fault knows who says it: of which source, control unit and list."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.tables.columns import Json

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema here: of a fault that is known already, its source alone says all."""
    with op.batch_alter_table("fault", schema=None) as batch_op:
        batch_op.add_column(sa.Column("voices", Json, nullable=False, server_default="[]"))


def downgrade() -> None:
    """Take the schema back."""
    with op.batch_alter_table("fault", schema=None) as batch_op:
        batch_op.drop_column("voices")
