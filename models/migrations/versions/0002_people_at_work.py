"""People at work: who they are, what they write, how long they wait; and where the vehicle is."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from models.tables import columns as t

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
_TASK_INDEXES: tuple[tuple[str, list[Any], str], ...] = (
    (
        "ix_task_open_order",
        ["queue", sa.text("priority_rank desc"), sa.text("score desc"), "opened_at", "task_id"],
        "state <> 'done'",
    ),
    ("ix_task_urgent", ["opened_at"], "priority = 'urgent'"),
    ("ix_task_holder", ["holder"], "holder is not null"),
)


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "card",
        sa.Column("card_sha256", sa.String(length=64), nullable=False),
        sa.Column("task_id", sa.String(length=40), nullable=False),
        sa.Column("made_by", sa.String(length=128), nullable=False),
        sa.Column("made_at", t.UtcTime(), nullable=False),
        sa.Column("ends_at", t.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("card_sha256", name=op.f("pk_card")),
    )
    op.create_table(
        "handover",
        sa.Column("handover_id", sa.String(length=40), nullable=False),
        sa.Column("desk", sa.String(length=40), nullable=False),
        sa.Column("given_by", sa.String(length=40), nullable=False),
        sa.Column("given_by_name", sa.String(length=128), nullable=False),
        sa.Column("given_at", t.UtcTime(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("urgent", t.Json, nullable=False),
        sa.Column("taken_at", t.UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("handover_id", name=op.f("pk_handover")),
    )
    with op.batch_alter_table("handover", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_handover_desk_given_at"), ["desk", "given_at"], unique=False
        )

    op.create_table(
        "login_failure",
        sa.Column("failure_id", t.Serial, autoincrement=True, nullable=False),
        sa.Column("login", sa.String(length=128), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("at", t.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("failure_id", name=op.f("pk_login_failure")),
    )
    with op.batch_alter_table("login_failure", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_login_failure_address_at"), ["address", "at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_login_failure_login_at"), ["login", "at"], unique=False
        )

    op.create_table(
        "person",
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("login", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("desks", t.Json, nullable=True),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("totp_secret", sa.String(length=64), nullable=True),
        sa.Column("totp_used", sa.BigInteger(), nullable=True),
        sa.Column("has_shortcuts", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", t.UtcTime(), nullable=False),
        sa.Column("disabled_at", t.UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person")),
        sa.UniqueConstraint("login", name=op.f("uq_person_login")),
    )
    op.create_table(
        "presence",
        sa.Column("task_id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("seen_at", t.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("task_id", "person_id", name=op.f("pk_presence")),
    )
    with op.batch_alter_table("presence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_presence_seen_at"), ["seen_at"], unique=False)

    op.create_table(
        "session",
        sa.Column("session_sha256", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("started_at", t.UtcTime(), nullable=False),
        sa.Column("ends_at", t.UtcTime(), nullable=False),
        sa.Column("ended_at", t.UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("session_sha256", name=op.f("pk_session")),
    )
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_session_person_id"), ["person_id"], unique=False)

    op.create_table(
        "worksheet",
        sa.Column("task_id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("answers", t.Json, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("saved_at", t.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("task_id", "person_id", name=op.f("pk_worksheet")),
    )
    with op.batch_alter_table("case", schema=None) as batch_op:
        batch_op.add_column(sa.Column("place_at", t.UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("accuracy_m", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("road", sa.String(length=128), nullable=True))
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.add_column(sa.Column("xid", sa.BigInteger(), nullable=True))
        batch_op.create_index(batch_op.f("ix_outbox_xid"), ["xid"], unique=False)

    if op.get_context().dialect.name == "postgresql":
        op.alter_column(
            "outbox", "xid", server_default=sa.text("(pg_current_xact_id()::text)::bigint")
        )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.add_column(sa.Column("holder_name", sa.String(length=128), nullable=True))
        batch_op.add_column(sa.Column("wake_at", t.UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("paused_rank", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("appointment_at", t.UtcTime(), nullable=True))
        batch_op.add_column(sa.Column("is_pick_up", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("attempts", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("next_attempt_at", t.UtcTime(), nullable=True))
    for name, columns, where in _TASK_INDEXES:
        op.create_index(
            name, "task", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )


def downgrade() -> None:
    """Take the schema back."""
    for name, _, _ in _TASK_INDEXES:
        op.drop_index(name, "task")
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_column("next_attempt_at")
        batch_op.drop_column("attempts")
        batch_op.drop_column("is_pick_up")
        batch_op.drop_column("appointment_at")
        batch_op.drop_column("paused_rank")
        batch_op.drop_column("wake_at")
        batch_op.drop_column("holder_name")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outbox_xid"))
        batch_op.drop_column("xid")
    with op.batch_alter_table("case", schema=None) as batch_op:
        batch_op.drop_column("road")
        batch_op.drop_column("accuracy_m")
        batch_op.drop_column("place_at")

    op.drop_table("worksheet")
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_session_person_id"))

    op.drop_table("session")
    with op.batch_alter_table("presence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_presence_seen_at"))

    op.drop_table("presence")
    op.drop_table("person")
    with op.batch_alter_table("login_failure", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_login_failure_login_at"))
        batch_op.drop_index(batch_op.f("ix_login_failure_address_at"))

    op.drop_table("login_failure")
    with op.batch_alter_table("handover", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_handover_desk_given_at"))

    op.drop_table("handover")
    op.drop_table("card")
