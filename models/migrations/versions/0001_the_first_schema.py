"""The first schema."""

import sqlalchemy as sa
from alembic import op

from models.tables import columns as t

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
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

    op.create_table(
        "api_key",
        sa.Column("key_id", sa.String(length=40), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("desk", sa.String(length=40), nullable=True),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("created_at", t.UtcTime(), nullable=False),
        sa.Column("revoked_at", t.UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_api_key_secret_sha256")),
    )
    op.create_table(
        "audit",
        sa.Column("audit_id", t.Serial, autoincrement=True, nullable=False),
        sa.Column("at", t.UtcTime(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("act", sa.String(length=64), nullable=False),
        sa.Column("detail", t.Json, nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit")),
    )
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

    op.create_table(
        "contact",
        sa.Column("vin", sa.String(length=17), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=True),
        sa.Column("phone", sa.String(length=32), nullable=True),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("has_consent", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("vin", name=op.f("pk_contact")),
    )
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
    op.create_table(
        "idempotency",
        sa.Column("key_id", sa.String(length=40), nullable=False),
        sa.Column("idempotency_key", sa.String(length=128), nullable=False),
        sa.Column("request_sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", t.Json, nullable=False),
        sa.Column("at", t.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "idempotency_key", name=op.f("pk_idempotency")),
    )
    op.create_table(
        "ledger",
        sa.Column("feed", sa.String(length=8), nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("feed", "topic", "part", "outcome", name=op.f("pk_ledger")),
    )
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

    op.create_table(
        "position",
        sa.Column("feed", sa.String(length=8), nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("advanced", sa.BigInteger(), nullable=False),
        sa.Column("watermark", t.UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("feed", "topic", "part", name=op.f("pk_position")),
    )
    op.create_table(
        "quarantine",
        sa.Column("quarantine_id", sa.String(length=64), nullable=False),
        sa.Column("feed", sa.String(length=8), nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("record_offset", sa.BigInteger(), nullable=False),
        sa.Column("record_timestamp", sa.BigInteger(), nullable=False),
        sa.Column("record_key", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("headers", t.Json, nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("pointer", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), server_default="held", nullable=False),
        sa.PrimaryKeyConstraint("quarantine_id", name=op.f("pk_quarantine")),
    )
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_quarantine_state_reason"), ["state", "reason"], unique=False
        )

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


def downgrade() -> None:
    """Take the schema back."""
    op.drop_table("vehicle")
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_task_open_case_queue",
            sqlite_where=sa.text("state <> 'done'"),
            postgresql_where=sa.text("state <> 'done'"),
        )
        batch_op.drop_index("ix_task_vin")
        batch_op.drop_index("ix_task_order")

    op.drop_table("task")
    with op.batch_alter_table("silence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_silence_vin"))

    op.drop_table("silence")
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quarantine_state_reason"))

    op.drop_table("quarantine")
    op.drop_table("position")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_outbox_unsent",
            sqlite_where=sa.text("sent_at is null"),
            postgresql_where=sa.text("sent_at is null"),
        )

    op.drop_table("outbox")
    op.drop_table("ledger")
    op.drop_table("idempotency")
    op.drop_table("fault")
    with op.batch_alter_table("entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_entry_case_id_at_entry_id"))

    op.drop_table("entry")
    op.drop_table("desk")
    op.drop_table("contact")
    with op.batch_alter_table("case", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_case_open_vin",
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )
        batch_op.drop_index("ix_case_vin")
        batch_op.drop_index("ix_case_order")
        batch_op.drop_index(
            "ix_case_heal_at",
            sqlite_where=sa.text("state = 'open' and heal_at is not null"),
            postgresql_where=sa.text("state = 'open' and heal_at is not null"),
        )

    op.drop_table("case")
    op.drop_table("audit")
    op.drop_table("api_key")
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alert_vin_observed_at"))
        batch_op.drop_index(batch_op.f("ix_alert_received_at"))

    op.drop_table("alert")
