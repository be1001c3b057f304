"""Models and their aliases; what a model said of a case; the cases that a vehicle remembers."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.tables import columns as t

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_vehicle = sa.table(
    "vehicle",
    sa.column("vin", sa.String),
    sa.column("closed_case", sa.String),
    sa.column("closed_at", t.UtcTime()),
    sa.column("closed_root", sa.String),
    sa.column("history", t.Json),
)


def upgrade() -> None:
    """Bring the schema here; the last ended case of a vehicle becomes its history."""
    op.create_table(
        "model_version",
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("made_at", t.UtcTime(), nullable=False),
        sa.Column("model", sa.LargeBinary(), nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("evaluation", t.Json, nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_model_version")),
    )
    op.create_table(
        "model_alias",
        sa.Column("alias", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("since", t.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("alias", name=op.f("pk_model_alias")),
    )
    with op.batch_alter_table("case", schema=None) as batch_op:
        batch_op.add_column(sa.Column("probability", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("fallback", sa.String(length=24), nullable=True))
        batch_op.add_column(sa.Column("challenger", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("challenger_probability", sa.Float(), nullable=True))
    if op.get_context().dialect.name == "postgresql":  # SQLite holds to no length
        op.alter_column("case", "ranked_by", type_=sa.String(length=32))
    with op.batch_alter_table("fault", schema=None) as batch_op:
        batch_op.add_column(sa.Column("returns", sa.Integer(), server_default="0", nullable=False))
    with op.batch_alter_table("vehicle", schema=None) as batch_op:
        batch_op.add_column(sa.Column("history", t.Json, server_default="[]", nullable=False))
    v, connection = _vehicle.c, op.get_bind()
    closed = sa.select(v.vin, v.closed_case, v.closed_at, v.closed_root)
    for row in connection.execute(closed.where(v.closed_case.is_not(None))).all():
        at = row.closed_at.isoformat()
        ended = {
            "case_id": row.closed_case,
            "opened_at": at,
            "closed_at": at,
            "root": row.closed_root,
        }
        connection.execute(sa.update(_vehicle).where(v.vin == row.vin).values(history=[ended]))
    with op.batch_alter_table("vehicle", schema=None) as batch_op:
        batch_op.drop_column("closed_root")
        batch_op.drop_column("closed_at")
        batch_op.drop_column("closed_case")


def downgrade() -> None:
    """Take the schema back; what vehicles remember is lost."""
    with op.batch_alter_table("vehicle", schema=None) as batch_op:
        batch_op.add_column(sa.Column("closed_case", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("closed_at", t.UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("closed_root", sa.String(length=80), nullable=True))
        batch_op.drop_column("history")
    with op.batch_alter_table("fault", schema=None) as batch_op:
        batch_op.drop_column("returns")
    with op.batch_alter_table("case", schema=None) as batch_op:
        batch_op.drop_column("challenger_probability")
        batch_op.drop_column("challenger")
        batch_op.drop_column("fallback")
        batch_op.drop_column("probability")
    op.drop_table("model_alias")
    op.drop_table("model_version")
