"""Where we are in the streams, and how every record ended."""

import sqlalchemy as sa

from models.tables.base import metadata, partition_columns
from models.tables.columns import Id, Json, UtcTime

position = sa.Table(
    "position",
    metadata,
    *partition_columns(),
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
    *partition_columns(),
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
