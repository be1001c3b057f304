"""Vehicles have a use and a state; a silence says at which desk the car stands."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_OFF_ROAD = sa.text("use in ('bench', 'crash_test')")


def upgrade() -> None:
    """Bring the schema here: every car that is known is a customer's on the road."""
    op.add_column(
        "vehicle", sa.Column("use", sa.String(12), nullable=False, server_default="customer")
    )
    op.add_column(
        "vehicle", sa.Column("state", sa.String(12), nullable=False, server_default="on_road")
    )
    op.add_column("vehicle", sa.Column("stands_at", sa.String(40), nullable=True))
    op.add_column("silence", sa.Column("desk", sa.String(40), nullable=True))
    op.create_index(
        "ix_vehicle_off_road",
        "vehicle",
        ["vin"],
        sqlite_where=_OFF_ROAD,
        postgresql_where=_OFF_ROAD,
    )


def downgrade() -> None:
    """Take the schema back."""
    op.drop_index("ix_vehicle_off_road", table_name="vehicle")
    op.drop_column("silence", "desk")
    op.drop_column("vehicle", "stands_at")
    op.drop_column("vehicle", "state")
    op.drop_column("vehicle", "use")
