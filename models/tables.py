"""Every table, declared once; used with SQLAlchemy Core on a `Connection`."""

from typing import Any, Final

import sqlalchemy as sa

from models.columns import Id, Json, Serial, UtcTime, partial_index

SCHEMA_REVISION: Final = "0008"
# Offsets to a page of the ledger. It is in the stored rows: another number needs a migration.
LEDGER_PAGE: Final = 10_000


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _partition() -> list[sa.Column[Any]]:
    return [
        sa.Column("feed", sa.String(8), primary_key=True),
        sa.Column("topic", sa.String(249), primary_key=True),
        sa.Column("part", sa.Integer, primary_key=True),
    ]


# --- where we are in the streams, and how every record ended ---

position = sa.Table(
    "position",
    metadata,
    *_partition(),
    sa.Column("next_offset", sa.BigInteger, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("owner", sa.String(128), nullable=False),
    # offsets passed in all, replays included: what the ledger's counts must add up to
    sa.Column("advanced", sa.BigInteger, nullable=False),
    # next_offset less advanced: it never changes but with a tape that is wound back
    sa.Column("base", sa.BigInteger, nullable=False),
    sa.Column("watermark", UtcTime),
    # which log it is in: Kafka's id of the topic, the leader epoch of the last record read
    sa.Column("topic_id", sa.String(36)),
    sa.Column("leader_epoch", sa.Integer, nullable=False),
)

ledger = sa.Table(
    "ledger",
    metadata,
    *_partition(),
    # the offset divided by LEDGER_PAGE; -1 holds what was counted before there were pages
    sa.Column("page", sa.BigInteger, primary_key=True),
    sa.Column("outcome", sa.String(12), primary_key=True),
    sa.Column("records", sa.BigInteger, nullable=False),
    # rows of `alert` with this outcome that came out of this page
    sa.Column("alerts", sa.BigInteger, nullable=False),
)

# how those who run all day are: one row each, written over and over
pulse = sa.Table(
    "pulse",
    metadata,
    sa.Column("name", sa.String(160), primary_key=True),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("detail", Json, nullable=False),
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    sa.Column("quarantine_id", sa.String(64), primary_key=True),
    sa.Column("feed", sa.String(8), nullable=False),
    sa.Column("topic", sa.String(249), nullable=False),
    sa.Column("part", sa.Integer, nullable=False),
    sa.Column("record_offset", sa.BigInteger, nullable=False),
    sa.Column("record_timestamp", sa.BigInteger, nullable=False),
    sa.Column("record_key", sa.LargeBinary),
    sa.Column("value", sa.LargeBinary),
    sa.Column("headers", Json, nullable=False),
    sa.Column("reason", sa.String(32), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("pointer", sa.Text, nullable=False),
    sa.Column("state", sa.String(12), nullable=False, server_default="held"),
    # which redrive took it, and its offset in the feed of redrives
    sa.Column("batch", Id),
    sa.Column("redriven_offset", sa.BigInteger),
    sa.Index(None, "state", "reason"),
    sa.Index(None, "part", "record_offset"),
    sa.Index(None, "batch"),
)

redrive = sa.Table(
    "redrive",
    metadata,
    sa.Column("batch", Id, primary_key=True),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("records", sa.Integer, nullable=False),
    sa.Column("repair", Json, nullable=False),  # the steps of the mapping file
    sa.Column("undone_at", UtcTime),
)

# --- vehicles, faults and cases ---

vehicle = sa.Table(
    "vehicle",
    metadata,
    sa.Column("vin", sa.String(17), primary_key=True),
    # master data, written by `pacc vehicle import` only
    sa.Column("plate", sa.String(32)),
    sa.Column("model", sa.String(64)),
    sa.Column("powertrain", sa.String(16)),
    sa.Column("market", sa.String(8)),
    sa.Column("region", sa.String(64)),
    sa.Column("preferred_dealer", Id),
    sa.Column("home_lat", sa.Float),
    sa.Column("home_lon", sa.Float),
    # what the pipeline remembers across cases
    sa.Column("waiting", Json, nullable=False),
    sa.Column("cleared", Json, nullable=False),
    sa.Column("history", Json, nullable=False, server_default="[]"),
)

contact = sa.Table(
    "contact",
    metadata,
    sa.Column("vin", sa.String(17), primary_key=True),
    sa.Column("name", sa.String(128)),
    sa.Column("phone", sa.String(32)),
    sa.Column("language", sa.String(16)),
    sa.Column("has_consent", sa.Boolean, nullable=False, server_default=sa.false()),
)

alert = sa.Table(
    "alert",
    metadata,
    sa.Column("fingerprint", sa.String(32), primary_key=True),
    sa.Column("feed", sa.String(8), nullable=False),
    sa.Column("topic", sa.String(249), nullable=False),
    sa.Column("part", sa.Integer, nullable=False),
    sa.Column("record_offset", sa.BigInteger, nullable=False),
    sa.Column("vin", sa.String(17), nullable=False),
    sa.Column("code", sa.String(80), nullable=False),
    sa.Column("status", sa.String(12), nullable=False),
    sa.Column("severity", sa.String(12), nullable=False),
    sa.Column("observed_at", UtcTime, nullable=False),
    sa.Column("received_at", UtcTime, nullable=False),
    sa.Column("outcome", sa.String(12), nullable=False),
    sa.Column("is_clock_suspect", sa.Boolean, nullable=False),
    sa.Column("detail", Json, nullable=False),
    sa.Index(None, "vin", "observed_at"),
    sa.Index(None, "received_at"),
    sa.Index(None, "part", "record_offset"),
)

case = sa.Table(
    "case",
    metadata,
    sa.Column("case_id", Id, primary_key=True),
    sa.Column("vin", sa.String(17), nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("feed", sa.String(8), nullable=False),
    sa.Column("topic", sa.String(249), nullable=False),
    sa.Column("part", sa.Integer, nullable=False),
    sa.Column("opened_at", UtcTime, nullable=False),
    sa.Column("updated_at", UtcTime, nullable=False),
    sa.Column("closed_at", UtcTime),
    sa.Column("heal_at", UtcTime),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("priority", sa.String(8), nullable=False),
    sa.Column("priority_rank", sa.Integer, nullable=False),
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("score", sa.Float, nullable=False),
    sa.Column("reasons", Json, nullable=False),
    sa.Column("rules", Json, nullable=False),
    sa.Column("needs_task", sa.Boolean, nullable=False),
    sa.Column("cause", sa.String(80), nullable=False),
    sa.Column("root", sa.String(80), nullable=False),
    sa.Column("ranked_by", sa.String(32), nullable=False),
    sa.Column("probability", sa.Float),
    sa.Column("fallback", sa.String(24)),
    sa.Column("challenger", sa.String(32)),
    sa.Column("challenger_probability", sa.Float),
    sa.Column("rule_set", sa.String(64), nullable=False),
    sa.Column("previous_case", Id),
    sa.Column("is_repeat_repair", sa.Boolean, nullable=False),
    sa.Column("defaulted", Json, nullable=False),
    sa.Column("lat", sa.Float),
    sa.Column("lon", sa.Float),
    sa.Column("place_at", UtcTime),
    sa.Column("accuracy_m", sa.Float),
    sa.Column("road", sa.String(128)),
    # which cars it is one of: the master data's model, else as it said itself; null is unknown
    sa.Column("model", sa.String(64)),
    sa.Column("software", sa.String(64)),
    sa.Column("tasks_made", sa.Integer, nullable=False),
    sa.Column("outcome_note", sa.Text),
    partial_index("uq_case_open_vin", "state = 'open'", "vin", unique=True),
    partial_index("ix_case_heal_at", "state = 'open' and heal_at is not null", "heal_at"),
    sa.Index("ix_case_order", "state", "priority_rank", "score", "case_id"),
    sa.Index("ix_case_vin", "vin", "opened_at"),
    # the cases that can belong to a fleet-wide matter, by when they were opened
    partial_index("ix_case_build_opened_at", "software is not null and model is not null",
                  "opened_at"),
)  # fmt: skip

fault = sa.Table(
    "fault",
    metadata,
    sa.Column("case_id", Id, primary_key=True),
    sa.Column("code", sa.String(80), primary_key=True),
    sa.Column("vin", sa.String(17), nullable=False),
    sa.Column("source", sa.String(128), nullable=False),
    sa.Column("severity", sa.String(12), nullable=False),
    sa.Column("status", sa.String(12), nullable=False),
    sa.Column("first_seen", UtcTime, nullable=False),
    sa.Column("last_seen", UtcTime, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("pending_count", sa.Integer, nullable=False),
    sa.Column("lamp", sa.String(12), nullable=False),
    sa.Column("motion", sa.String(12), nullable=False),
    sa.Column("stop_in_motion", sa.Boolean, nullable=False),
    sa.Column("returns", sa.Integer, nullable=False, server_default="0"),
    sa.Column("cleared_at", UtcTime),
    sa.Column("cleared_by", sa.String(64)),
    sa.Column("defaulted", Json, nullable=False),
    sa.Column("readings", Json, nullable=False),
    sa.Column("folded_under", sa.String(80)),
    sa.Column("fold_zh", sa.Text),
    sa.Column("fold_en", sa.Text),
)

# --- work ---

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


def _ordered(name: str, where: str, *first: sa.TextClause) -> sa.Index:
    """Give an index of tasks in the order in which to take them; a desk is found within it."""
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
    # the fleet-wide matter that holds it back; null: none, or it is held for another reason
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
    partial_index("uq_task_open_case_queue", "state <> 'done'", "case_id", "queue", unique=True),
    sa.Index("ix_task_vin", "vin"),
    # What pages and lists ask for all the time, in the order in which to take it, whatever lies
    # behind or asleep in the table: `dispatch/open_tasks.py` has the same conditions.
    _ordered("ix_task_open", "state <> 'done'"),
    _ordered("ix_task_awake", "state <> 'done' and paused_at is null and held_zh is null"),
    _ordered("ix_task_asleep", "state <> 'done' and (paused_at is not null or held_zh is not null)",
             sa.text("(issue_id is not null)")),
    _ordered("ix_task_missed", "state <> 'done' and "
             "((claim_missed_at is not null and claimed_at is null)"
             " or (contact_missed_at is not null and contacted_at is null))"),
    _ordered("ix_task_done", "state = 'done'"),
    # what time alone changes: `dispatch/clockwork.py`
    partial_index("ix_task_claim_due", "state <> 'done' and held_zh is null and claimed_at is null"
             " and claim_missed_at is null", "claim_by"),
    partial_index("ix_task_contact_due", "state <> 'done' and held_zh is null and paused_at is null"
             " and contacted_at is null and contact_missed_at is null", "contact_by"),
    partial_index("ix_task_paused", "state <> 'done' and paused_at is not null", "wake_at"),
    partial_index("ix_task_held", "state <> 'done' and held_zh is not null and issue_id is null",
             "opened_at"),
    # what a desk has to do; what a fleet-wide matter holds is none of it
    partial_index("ix_task_desk", "state <> 'done' and issue_id is null", "desk", "queue"),
    partial_index("ix_task_urgent", "priority = 'urgent'", "opened_at"),
    partial_index("ix_task_holder", "holder is not null", "holder"),
    partial_index("ix_task_issue", "issue_id is not null and state <> 'done'",
             "issue_id", sa.text("priority_rank desc"), sa.text("score desc")),
)  # fmt: skip

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
    sa.Index(None, "vin"),
)

# a code that many cars of one model and software report at once: one row a matter
fleet_issue = sa.Table(
    "fleet_issue",
    metadata,
    sa.Column("issue_id", Id, primary_key=True),
    sa.Column("code", sa.String(80), nullable=False),
    sa.Column("model", sa.String(64), nullable=False),
    sa.Column("software", sa.String(64), nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    # stream time: the first and the newest case of it
    sa.Column("first_seen", UtcTime, nullable=False),
    sa.Column("last_seen", UtcTime, nullable=False),
    sa.Column("vehicles", sa.Integer, nullable=False),
    # vehicles that joined within the newest ten minutes of it; 0 when it grows no more
    sa.Column("recent", sa.Integer, nullable=False),
    # when it last grew by a tenth of what makes a matter: our clock, stream time, and from how many
    sa.Column("grew_at", UtcTime, nullable=False),
    sa.Column("grew_stream", UtcTime, nullable=False),
    sa.Column("grew_from", sa.Integer, nullable=False),
    # desk → its open tasks of the matter, as of the last look: who may see it
    sa.Column("desks", Json, nullable=False),
    # up to when tasks were let go, at the pace of PACC_SURGE_RELEASE
    sa.Column("let_go_at", UtcTime),
    sa.Column("changed_by", sa.String(128), nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Index(None, "state"),
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
    # PostgreSQL: the transaction that wrote it, in whose order live pages follow (dispatch/changes)
    sa.Column("xid", sa.BigInteger),
    sa.Index(None, "xid"),
    sa.Index(None, "case_id", "case_seq"),
    partial_index("ix_outbox_unsent", "sent_at is null", "seq"),
)  # fmt: skip

# --- what is learned ---

model_version = sa.Table(
    "model_version",
    metadata,
    sa.Column("version", Id, primary_key=True),
    sa.Column("made_at", UtcTime, nullable=False),
    sa.Column("model", sa.LargeBinary, nullable=False),
    sa.Column("manifest", sa.LargeBinary, nullable=False),
    sa.Column("signature", sa.LargeBinary, nullable=False),
    # the newest evaluation: its figures, and the report as one HTML file
    sa.Column("evaluation", Json),
    sa.Column("report", sa.Text),
)

model_alias = sa.Table(
    "model_alias",
    metadata,
    sa.Column("alias", sa.String(16), primary_key=True),  # champion, challenger
    sa.Column("version", Id, nullable=False),
    sa.Column("since", UtcTime, nullable=False),
)

# --- access ---

api_key = sa.Table(
    "api_key",
    metadata,
    sa.Column("key_id", Id, primary_key=True),
    sa.Column("secret_sha256", sa.String(64), nullable=False, unique=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("desk", Id),
    sa.Column("name", sa.String(128), nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("revoked_at", UtcTime),
)

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("key_id", Id, primary_key=True),
    sa.Column("idempotency_key", sa.String(128), primary_key=True),
    sa.Column("request_sha256", sa.String(64), nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("body", Json, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
)

person = sa.Table(
    "person",
    metadata,
    sa.Column("person_id", Id, primary_key=True),
    sa.Column("login", sa.String(128), nullable=False, unique=True),
    sa.Column("name", sa.String(128), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("desks", Json),  # null: all desks
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("password_hash", sa.Text),
    sa.Column("totp_secret", sa.String(64)),
    sa.Column("totp_used", sa.BigInteger),
    sa.Column("has_shortcuts", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("disabled_at", UtcTime),
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("session_sha256", sa.String(64), primary_key=True),
    sa.Column("person_id", Id, nullable=False),
    sa.Column("csrf", sa.String(64), nullable=False),
    sa.Column("started_at", UtcTime, nullable=False),
    sa.Column("ends_at", UtcTime, nullable=False),
    sa.Column("ended_at", UtcTime),
    sa.Index(None, "person_id"),
)

login_failure = sa.Table(
    "login_failure",
    metadata,
    sa.Column("failure_id", Serial, primary_key=True, autoincrement=True),
    sa.Column("login", sa.String(128), nullable=False),
    sa.Column("address", sa.String(64), nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Index(None, "login", "at"),
    sa.Index(None, "address", "at"),
)

# --- what a person writes and where a person is, while at work on a task ---

worksheet = sa.Table(
    "worksheet",
    metadata,
    sa.Column("task_id", Id, primary_key=True),
    sa.Column("person_id", Id, primary_key=True),
    sa.Column("name", sa.String(128), nullable=False),
    sa.Column("answers", Json, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("saved_at", UtcTime, nullable=False),
)

presence = sa.Table(
    "presence",
    metadata,
    sa.Column("task_id", Id, primary_key=True),
    sa.Column("person_id", Id, primary_key=True),
    sa.Column("name", sa.String(128), nullable=False),
    sa.Column("seen_at", UtcTime, nullable=False),
    sa.Index(None, "seen_at"),
)

handover = sa.Table(
    "handover",
    metadata,
    sa.Column("handover_id", Id, primary_key=True),
    sa.Column("desk", Id, nullable=False),
    sa.Column("given_by", Id, nullable=False),
    sa.Column("given_by_name", sa.String(128), nullable=False),
    sa.Column("given_at", UtcTime, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    # the urgent tasks that the next person confirms, each with who did and when
    sa.Column("urgent", Json, nullable=False),
    sa.Column("taken_at", UtcTime),
    sa.Index(None, "desk", "given_at"),
)

card = sa.Table(
    "card",
    metadata,
    sa.Column("card_sha256", sa.String(64), primary_key=True),
    sa.Column("task_id", Id, nullable=False),
    sa.Column("made_by", sa.String(128), nullable=False),
    sa.Column("made_at", UtcTime, nullable=False),
    sa.Column("ends_at", UtcTime, nullable=False),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("audit_id", Serial, primary_key=True, autoincrement=True),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("actor", sa.String(128), nullable=False),
    sa.Column("act", sa.String(64), nullable=False),
    sa.Column("detail", Json, nullable=False),
)
