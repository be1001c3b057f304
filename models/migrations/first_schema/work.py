"""Desks, tasks, the timeline, silences and the outbox as the first revision creates them."""

import sqlalchemy as sa
from alembic import op

from models.tables import columns as t

TABLES = ("desk", "task", "entry", "silence", "outbox")


def create() -> None:
    """Create the tables and their indexes, with the columns of revision 0001."""
    _create_desk()
    _create_task()
    _create_entry()
    _create_silence()
    _create_outbox()


def _create_desk() -> None:
    op.create_table(
        "desk",
        sa.Column("desk_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name_zh", sa.String(length=128), nullable=False),
        sa.Column("name_en", sa.String(length=128), nullable=False),
        sa.Column("market", sa.String(length=8), nullable=False),
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("capabilities", t.Json, nullable=False),
        sa.Column("hours", t.Json, nullable=False),
        sa.Column("holidays", t.Json, nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("desk_id", name=op.f("pk_desk")),
    )


def _create_task() -> None:
    op.create_table(
        "task",
        sa.Column("task_id", sa.String(length=40), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("vin", sa.String(length=17), nullable=False),
        sa.Column("queue", sa.String(length=8), nullable=False),
        sa.Column("desk", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("priority", sa.String(length=8), nullable=False),
        sa.Column("priority_rank", sa.Integer(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("opened_at", t.UtcTime(), nullable=False),
        sa.Column("claim_by", t.UtcTime(), nullable=True),
        sa.Column("contact_by", t.UtcTime(), nullable=True),
        sa.Column("claim_missed_at", t.UtcTime(), nullable=True),
        sa.Column("contact_missed_at", t.UtcTime(), nullable=True),
        sa.Column("paused_at", t.UtcTime(), nullable=True),
        sa.Column("route_zh", sa.Text(), nullable=False),
        sa.Column("route_en", sa.Text(), nullable=False),
        sa.Column("held_zh", sa.Text(), nullable=True),
        sa.Column("held_en", sa.Text(), nullable=True),
        sa.Column("disposition", sa.String(length=24), nullable=True),
        sa.Column("closed_at", t.UtcTime(), nullable=True),
        sa.Column("touched", sa.Boolean(), nullable=False),
        sa.Column("alarms", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(length=128), nullable=True),
        sa.Column("lease_until", t.UtcTime(), nullable=True),
        sa.Column("claimed_at", t.UtcTime(), nullable=True),
        sa.Column("contacted_at", t.UtcTime(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_task")),
    )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index(
            "ix_task_order", ["queue", "desk", "state", "priority_rank", "score"], unique=False
        )
        batch_op.create_index("ix_task_vin", ["vin"], unique=False)
        batch_op.create_index(
            "uq_task_open_case_queue",
            ["case_id", "queue"],
            unique=True,
            sqlite_where=sa.text("state <> 'done'"),
            postgresql_where=sa.text("state <> 'done'"),
        )


def _create_entry() -> None:
    op.create_table(
        "entry",
        sa.Column("entry_id", sa.String(length=40), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("task_id", sa.String(length=40), nullable=True),
        sa.Column("at", t.UtcTime(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("detail", t.Json, nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_entry")),
    )
    with op.batch_alter_table("entry", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_entry_case_id_at_entry_id"), ["case_id", "at", "entry_id"], unique=False
        )


def _create_silence() -> None:
    op.create_table(
        "silence",
        sa.Column("silence_id", sa.String(length=40), nullable=False),
        sa.Column("vin", sa.String(length=17), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("starts_at", t.UtcTime(), nullable=False),
        sa.Column("ends_at", t.UtcTime(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by", sa.String(length=128), nullable=False),
        sa.Column("released_at", t.UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("silence_id", name=op.f("pk_silence")),
    )
    with op.batch_alter_table("silence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_silence_vin"), ["vin"], unique=False)


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("seq", t.Serial, autoincrement=True, nullable=False),
        sa.Column("event_id", sa.String(length=40), nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("case_seq", sa.Integer(), nullable=False),
        sa.Column("at", t.UtcTime(), nullable=False),
        sa.Column("data", t.Json, nullable=False),
        sa.Column("sent_at", t.UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_outbox")),
        sa.UniqueConstraint("event_id", name=op.f("uq_outbox_event_id")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outbox_unsent",
            ["seq"],
            unique=False,
            sqlite_where=sa.text("sent_at is null"),
            postgresql_where=sa.text("sent_at is null"),
        )
