"""Desks and their tasks, the timeline, silences, and events that leave."""

from typing import Final

import sqlalchemy as sa

from models.tables.base import metadata
from models.tables.columns import Id, Json, Serial, UtcTime, partial_index

desk = sa.Table(
    "desk",
    metadata,
    sa.Column("desk_id", Id, primary_key=True),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("name_zh", sa.String(128), nullable=False),
    sa.Column("name_en", sa.String(128), nullable=False),
    sa.Column("market", sa.String(8), nullable=False),
    sa.Column("region", sa.String(64), nullable=False),
    sa.Column("lat", sa.Float, nullable=False),
    sa.Column("lon", sa.Float, nullable=False),
    sa.Column("timezone", sa.String(64), nullable=False),
    sa.Column("capabilities", Json, nullable=False),
    sa.Column("hours", Json, nullable=False),
    sa.Column("holidays", Json, nullable=False),
    sa.Column("is_open", sa.Boolean, nullable=False),
)


# What is open, for the index of a table and, below, for statements.
_OPEN: Final = "state <> 'done'"


def _ordered(name: str, where: str, *first: sa.TextClause) -> sa.Index:
    """Return an index of tasks in the order in which to take them; a desk filters within it."""
    order = (sa.text("priority_rank desc"), sa.text("score desc"), "opened_at", "task_id")
    return partial_index(name, where, *first, *order, "desk", "queue")


task = sa.Table(
    "task",
    metadata,
    sa.Column("task_id", Id, primary_key=True),
    sa.Column("case_id", Id, nullable=False),
    sa.Column("vin", sa.String(17), nullable=False),
    sa.Column("queue", sa.String(8), nullable=False),
    sa.Column("desk", Id, nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("priority", sa.String(8), nullable=False),
    sa.Column("priority_rank", sa.Integer, nullable=False),
    sa.Column("score", sa.Float, nullable=False),
    sa.Column("opened_at", UtcTime, nullable=False),
    sa.Column("claim_by", UtcTime),
    sa.Column("contact_by", UtcTime),
    sa.Column("claim_missed_at", UtcTime),
    sa.Column("contact_missed_at", UtcTime),
    sa.Column("paused_at", UtcTime),
    sa.Column("route_zh", sa.Text, nullable=False),
    sa.Column("route_en", sa.Text, nullable=False),
    sa.Column("held_zh", sa.Text),
    sa.Column("held_en", sa.Text),
    # the fleet issue that holds it back; null: none, or it is held for another reason
    sa.Column("issue_id", Id),
    sa.Column("disposition", sa.String(24)),
    sa.Column("closed_at", UtcTime),
    # touched: a person has had it in hand at least once
    sa.Column("touched", sa.Boolean, nullable=False),
    sa.Column("alarms", sa.Integer, nullable=False),
    sa.Column("holder", sa.String(128)),
    sa.Column("lease_until", UtcTime),
    sa.Column("claimed_at", UtcTime),
    sa.Column("contacted_at", UtcTime),
    sa.Column("holder_name", sa.String(128)),
    # a pause ends at `wake_at`, or when the priority rises above `paused_rank`
    sa.Column("wake_at", UtcTime),
    sa.Column("paused_rank", sa.Integer),
    # the dealer's promises: the appointment, and when to try to reach the customer again
    sa.Column("appointment_at", UtcTime),
    sa.Column("is_pick_up", sa.Boolean),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_attempt_at", UtcTime),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    partial_index("uq_task_open_case_queue", _OPEN, "case_id", "queue", unique=True),
    sa.Index("ix_task_vin", "vin"),
    # What pages and lists ask for all the time, in the order in which to take it, whatever lies
    # behind or asleep in the table: `dispatch/read/open_tasks.py` has the same conditions.
    _ordered("ix_task_open", _OPEN),
    _ordered("ix_task_awake", f"{_OPEN} and paused_at is null and held_zh is null"),
    _ordered(
        "ix_task_asleep",
        f"{_OPEN} and (paused_at is not null or held_zh is not null)",
        sa.text("(issue_id is not null)"),
    ),
    _ordered(
        "ix_task_missed",
        f"{_OPEN} and "
        "((claim_missed_at is not null and claimed_at is null)"
        " or (contact_missed_at is not null and contacted_at is null))",
    ),
    _ordered("ix_task_done", "state = 'done'"),
    # what time alone changes: `dispatch/tasks/overdue.py`
    partial_index(
        "ix_task_claim_due",
        f"{_OPEN} and held_zh is null and claimed_at is null and claim_missed_at is null",
        "claim_by",
    ),
    partial_index(
        "ix_task_contact_due",
        f"{_OPEN} and held_zh is null and paused_at is null"
        " and contacted_at is null and contact_missed_at is null",
        "contact_by",
    ),
    partial_index("ix_task_paused", f"{_OPEN} and paused_at is not null", "wake_at"),
    partial_index(
        "ix_task_held", f"{_OPEN} and held_zh is not null and issue_id is null", "opened_at"
    ),
    # what a desk has to do; what a fleet issue holds is none of it
    partial_index("ix_task_desk", f"{_OPEN} and issue_id is null", "desk", "queue"),
    partial_index("ix_task_urgent", "priority = 'urgent'", "opened_at"),
    partial_index("ix_task_holder", "holder is not null", "holder"),
    partial_index(
        "ix_task_issue",
        f"issue_id is not null and {_OPEN}",
        "issue_id",
        sa.text("priority_rank desc"),
        sa.text("score desc"),
    ),
)
# Spelled out and not bound: only so does a prepared statement find a partial index.
OPEN_TASK: Final[sa.ColumnElement[bool]] = task.c.state != sa.literal_column("'done'")

entry = sa.Table(
    "entry",
    metadata,
    sa.Column("entry_id", Id, primary_key=True),
    sa.Column("case_id", Id, nullable=False),
    sa.Column("task_id", Id),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("actor", sa.String(128), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("detail", Json, nullable=False),
    sa.Index(None, "case_id", "at", "entry_id"),
)

silence = sa.Table(
    "silence",
    metadata,
    sa.Column("silence_id", Id, primary_key=True),
    sa.Column("vin", sa.String(17), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("starts_at", UtcTime, nullable=False),
    sa.Column("ends_at", UtcTime),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("made_by", sa.String(128), nullable=False),
    sa.Column("released_at", UtcTime),
    # whose workshop it is
    sa.Column("desk", Id),
    sa.Index(None, "vin"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("seq", Serial, primary_key=True, autoincrement=True),
    sa.Column("event_id", Id, nullable=False, unique=True),
    sa.Column("topic", sa.String(249), nullable=False),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("case_id", Id, nullable=False),
    sa.Column("case_seq", sa.Integer, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("data", Json, nullable=False),
    sa.Column("sent_at", UtcTime),
    # PostgreSQL: the transaction that wrote it; `dispatch/read/changes.py` follows in its order
    sa.Column("xid", sa.BigInteger),
    sa.Index(None, "xid"),
    sa.Index(None, "case_id", "case_seq"),
    partial_index("ix_outbox_unsent", "sent_at is null", "seq"),
)
