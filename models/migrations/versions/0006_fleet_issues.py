"""Fleet issues: which cars a case is one of, and which issue holds a task back."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.tables import columns as t

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_KNOWN = sa.text("software is not null and model is not null")
_HELD = sa.text("issue_id is not null and state <> 'done'")


def upgrade() -> None:
    """Bring the schema here; of the cases so far nobody knows the software."""
    op.create_table(
        "fleet_issue",
        sa.Column("issue_id", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("software", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("first_seen", t.UtcTime(), nullable=False),
        sa.Column("last_seen", t.UtcTime(), nullable=False),
        sa.Column("vehicles", sa.Integer(), nullable=False),
        sa.Column("recent", sa.Integer(), nullable=False),
        sa.Column("grew_at", t.UtcTime(), nullable=False),
        sa.Column("grew_stream", t.UtcTime(), nullable=False),
        sa.Column("grew_from", sa.Integer(), nullable=False),
        sa.Column("desks", t.Json, nullable=False),
        sa.Column("let_go_at", t.UtcTime(), nullable=True),
        sa.Column("changed_by", sa.String(length=128), nullable=False),
        sa.Column("changed_at", t.UtcTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("issue_id", name=op.f("pk_fleet_issue")),
    )
    op.create_index(op.f("ix_fleet_issue_state"), "fleet_issue", ["state"])
    # added as they are: going through all cases to copy them would take as long as there are cases
    op.add_column("case", sa.Column("model", sa.String(length=64), nullable=True))
    op.add_column("case", sa.Column("software", sa.String(length=64), nullable=True))
    op.add_column("task", sa.Column("issue_id", sa.String(length=40), nullable=True))
    op.create_index(
        "ix_case_build_opened_at",
        "case",
        ["opened_at"],
        sqlite_where=_KNOWN,
        postgresql_where=_KNOWN,
    )
    op.create_index(
        "ix_task_issue",
        "task",
        ["issue_id", sa.text("priority_rank desc"), sa.text("score desc")],
        sqlite_where=_HELD,
        postgresql_where=_HELD,
    )


def downgrade() -> None:
    """Take the schema back; what a fleet issue holds is held no more."""
    op.drop_index("ix_task_issue", table_name="task")
    op.drop_index("ix_case_build_opened_at", table_name="case")
    op.execute("update task set held_zh = null, held_en = null where issue_id is not null")
    op.drop_column("task", "issue_id")
    op.drop_column("case", "software")
    op.drop_column("case", "model")
    op.drop_table("fleet_issue")
