"""Vehicles, their owners, alerts, cases and faults as the first revision creates them."""

import sqlalchemy as sa
from alembic import op

from models.tables import columns as t

TABLES = ("vehicle", "contact", "alert", "case", "fault")


def create() -> None:
    """Create the tables and their indexes, with the columns of revision 0001."""
    _create_vehicle()
    _create_contact()
    _create_alert()
    _create_case()
    _create_fault()


def _create_vehicle() -> None:
    op.create_table(
        "vehicle",
        sa.Column("vin", sa.String(length=17), nullable=False),
        sa.Column("plate", sa.String(length=32), nullable=True),
        sa.Column("model", sa.String(length=64), nullable=True),
        sa.Column("powertrain", sa.String(length=16), nullable=True),
        sa.Column("market", sa.String(length=8), nullable=True),
        sa.Column("region", sa.String(length=64), nullable=True),
        sa.Column("preferred_dealer", sa.String(length=40), nullable=True),
        sa.Column("home_lat", sa.Float(), nullable=True),
        sa.Column("home_lon", sa.Float(), nullable=True),
        sa.Column("waiting", t.Json, nullable=False),
        sa.Column("cleared", t.Json, nullable=False),
        sa.Column("closed_case", sa.String(length=40), nullable=True),
        sa.Column("closed_at", t.UtcTime(), nullable=True),
        sa.Column("closed_root", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("vin", name=op.f("pk_vehicle")),
    )


def _create_contact() -> None:
    op.create_table(
        "contact",
        sa.Column("vin", sa.String(length=17), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=True),
        sa.Column("phone", sa.String(length=32), nullable=True),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("has_consent", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("vin", name=op.f("pk_contact")),
    )


def _create_alert() -> None:
    op.create_table(
        "alert",
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("feed", sa.String(length=8), nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("record_offset", sa.BigInteger(), nullable=False),
        sa.Column("vin", sa.String(length=17), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("severity", sa.String(length=12), nullable=False),
        sa.Column("observed_at", t.UtcTime(), nullable=False),
        sa.Column("received_at", t.UtcTime(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("is_clock_suspect", sa.Boolean(), nullable=False),
        sa.Column("detail", t.Json, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_alert")),
    )
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_received_at"), ["received_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_alert_vin_observed_at"), ["vin", "observed_at"], unique=False
        )


def _create_case() -> None:
    op.create_table(
        "case",
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("vin", sa.String(length=17), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("feed", sa.String(length=8), nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("opened_at", t.UtcTime(), nullable=False),
        sa.Column("updated_at", t.UtcTime(), nullable=False),
        sa.Column("closed_at", t.UtcTime(), nullable=True),
        sa.Column("heal_at", t.UtcTime(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("priority", sa.String(length=8), nullable=False),
        sa.Column("priority_rank", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("reasons", t.Json, nullable=False),
        sa.Column("rules", t.Json, nullable=False),
        sa.Column("needs_task", sa.Boolean(), nullable=False),
        sa.Column("cause", sa.String(length=80), nullable=False),
        sa.Column("root", sa.String(length=80), nullable=False),
        sa.Column("ranked_by", sa.String(length=16), nullable=False),
        sa.Column("rule_set", sa.String(length=64), nullable=False),
        sa.Column("previous_case", sa.String(length=40), nullable=True),
        sa.Column("is_repeat_repair", sa.Boolean(), nullable=False),
        sa.Column("defaulted", t.Json, nullable=False),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("tasks_made", sa.Integer(), nullable=False),
        sa.Column("outcome_note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_case")),
    )
    with op.batch_alter_table("case", schema=None) as batch_op:
        batch_op.create_index(
            "ix_case_heal_at",
            ["heal_at"],
            unique=False,
            sqlite_where=sa.text("state = 'open' and heal_at is not null"),
            postgresql_where=sa.text("state = 'open' and heal_at is not null"),
        )
        batch_op.create_index(
            "ix_case_order", ["state", "priority_rank", "score", "case_id"], unique=False
        )
        batch_op.create_index("ix_case_vin", ["vin", "opened_at"], unique=False)
        batch_op.create_index(
            "uq_case_open_vin",
            ["vin"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )


def _create_fault() -> None:
    op.create_table(
        "fault",
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("vin", sa.String(length=17), nullable=False),
        sa.Column("source", sa.String(length=128), nullable=False),
        sa.Column("severity", sa.String(length=12), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("first_seen", t.UtcTime(), nullable=False),
        sa.Column("last_seen", t.UtcTime(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("pending_count", sa.Integer(), nullable=False),
        sa.Column("lamp", sa.String(length=12), nullable=False),
        sa.Column("motion", sa.String(length=12), nullable=False),
        sa.Column("stop_in_motion", sa.Boolean(), nullable=False),
        sa.Column("cleared_at", t.UtcTime(), nullable=True),
        sa.Column("cleared_by", sa.String(length=64), nullable=True),
        sa.Column("defaulted", t.Json, nullable=False),
        sa.Column("readings", t.Json, nullable=False),
        sa.Column("folded_under", sa.String(length=80), nullable=True),
        sa.Column("fold_zh", sa.Text(), nullable=True),
        sa.Column("fold_en", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("case_id", "code", name=op.f("pk_fault")),
    )
