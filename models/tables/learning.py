"""The trained models, and which of them ranks."""

import sqlalchemy as sa

from models.tables.base import metadata
from models.tables.columns import Id, Json, UtcTime

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
