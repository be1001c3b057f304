"""The metadata that all tables share: how constraints are named, and the newest schema."""

from typing import Any, Final

import sqlalchemy as sa

SCHEMA_REVISION: Final = "0012"
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


def partition_columns() -> list[sa.Column[Any]]:
    """Return the key columns of a partition: feed, topic and number."""
    return [
        sa.Column("feed", sa.String(8), primary_key=True),
        sa.Column("topic", sa.String(249), primary_key=True),
        sa.Column("part", sa.Integer, primary_key=True),
    ]


# --- where we are in the streams, and how every record ended ---
