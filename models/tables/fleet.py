"""Fleet issues: a code that many cars of one model and software report at once."""

import sqlalchemy as sa

from models.tables.base import metadata, partition_columns
from models.tables.columns import Id, Json, UtcTime

# a code that many cars of one model and software report at once: one row a fleet issue
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
    # when it last grew by a tenth of what makes an issue: our clock, stream time, and from how many
    sa.Column("grew_at", UtcTime, nullable=False),
    sa.Column("grew_stream", UtcTime, nullable=False),
    sa.Column("grew_from", sa.Integer, nullable=False),
    # desk → its open tasks of the issue, as of the last look: who may see it
    sa.Column("desks", Json, nullable=False),
    # up to when tasks were let go, at the pace of PACC_SURGE_RELEASE
    sa.Column("let_go_at", UtcTime),
    sa.Column("changed_by", sa.String(128), nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Index(None, "state"),
)

# how far each partition has been searched for them: stream time, and the offsets passed by then
fleet_search = sa.Table(
    "fleet_search",
    metadata,
    *partition_columns(),
    sa.Column("until", UtcTime, nullable=False),
    sa.Column("advanced", sa.BigInteger, nullable=False),
)
