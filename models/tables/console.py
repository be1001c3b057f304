"""What a person writes, and where a person is, while at work on a task."""

import sqlalchemy as sa

from models.tables.base import metadata
from models.tables.columns import Id, Json, UtcTime

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
