"""Vehicles, what is known of their owners, alerts, cases and faults."""

from typing import Final

import sqlalchemy as sa

from models.tables.base import metadata
from models.tables.columns import Id, Json, UtcTime, partial_index

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
    sa.Column("use", sa.String(12), nullable=False, server_default="customer"),
    sa.Column("state", sa.String(12), nullable=False, server_default="on_road"),
    # the desk that has it while it is in a workshop or in transport
    sa.Column("stands_at", Id),
    # what the pipeline remembers across cases
    sa.Column("waiting", Json, nullable=False),
    sa.Column("cleared", Json, nullable=False),
    sa.Column("history", Json, nullable=False, server_default="[]"),
    partial_index("ix_vehicle_off_road", "use in ('bench', 'crash_test')", "vin"),
)

# Spelled out as in the index, and not bound.
OFF_ROAD: Final[sa.ColumnElement[bool]] = vehicle.c.use.in_(
    [sa.literal_column("'bench'"), sa.literal_column("'crash_test'")]
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
    # the cases that can belong to a fleet issue, by when they were opened
    partial_index(
        "ix_case_build_opened_at", "software is not null and model is not null", "opened_at"
    ),
)

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
    sa.Column("counted_at", UtcTime),
    sa.Column("counted_km", sa.Float),
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
    # who says it, if not its source alone
    sa.Column("voices", Json, nullable=False, server_default="[]"),
)
