"""The ledger in pages that can be checked against their rows; how those who run all day are."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from models.tables import columns as t

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_PLACE = ("feed", "topic", "part")
_KEY = (*_PLACE, "page", "outcome")
_PAGE = 10_000
_INDEXES = (
    ("ix_alert_part_record_offset", "alert", ["part", "record_offset"]),
    ("ix_quarantine_part_record_offset", "quarantine", ["part", "record_offset"]),
    ("ix_outbox_case_id_case_seq", "outbox", ["case_id", "case_seq"]),
)


def _ledger(*paged: sa.Column[int]) -> sa.Table:
    columns: list[sa.Column[Any]] = [
        sa.Column("feed", sa.String(length=8), nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
    ]
    key = _KEY if paged else tuple(name for name in _KEY if name != "page")
    return op.create_table(
        "ledger", *columns, *paged, sa.PrimaryKeyConstraint(*key, name=op.f("pk_ledger"))
    )


def _summed(columns: Sequence[str]) -> list[dict[str, Any]]:
    old = sa.table("ledger", *(sa.column(name) for name in (*columns, "records")))
    of = [old.c[name] for name in columns]
    query = sa.select(*of, sa.func.sum(old.c.records).label("records")).group_by(*of)
    return [
        {**row, "records": int(row["records"])} for row in op.get_bind().execute(query).mappings()
    ]


def upgrade() -> None:
    """Bring the schema here: what was counted so far goes to page -1, alerts to their pages."""
    for name, table, columns in _INDEXES:
        op.create_index(name, table, columns)
    counted = _summed((*_PLACE, "outcome"))
    op.drop_table("ledger")
    ledger = _ledger(
        sa.Column("page", sa.BigInteger(), nullable=False),
        sa.Column("alerts", sa.BigInteger(), nullable=False),
    )
    offset: sa.ColumnClause[int] = sa.column("record_offset", sa.BigInteger)
    alert = sa.table("alert", *(sa.column(name) for name in (*_PLACE, "outcome")), offset)
    place = [alert.c[name] for name in _PLACE]
    page = offset // sa.literal_column(str(_PAGE), sa.BigInteger)
    filed = sa.select(*place, page.label("page"), alert.c.outcome, sa.func.count().label("alerts"))
    filed = filed.group_by(*place, page, alert.c.outcome)
    rows = [{**row, "records": 0} for row in op.get_bind().execute(filed).mappings()]
    op.bulk_insert(ledger, [{**row, "page": -1, "alerts": 0} for row in counted] + rows)
    with op.batch_alter_table("position", schema=None) as batch_op:
        batch_op.add_column(sa.Column("base", sa.BigInteger(), server_default="0", nullable=False))
    op.execute("update position set base = next_offset - advanced")
    with op.batch_alter_table("position", schema=None) as batch_op:
        batch_op.alter_column("base", server_default=None)
    op.create_table(
        "pulse",
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("at", t.UtcTime(), nullable=False),
        sa.Column("detail", t.Json, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pulse")),
    )


def downgrade() -> None:
    """Take the schema back; the pages are summed up."""
    op.drop_table("pulse")
    with op.batch_alter_table("position", schema=None) as batch_op:
        batch_op.drop_column("base")
    counted = [row for row in _summed((*_PLACE, "outcome")) if row["records"]]
    op.drop_table("ledger")
    op.bulk_insert(_ledger(), counted)
    for name, table, _ in _INDEXES:
        op.drop_index(name, table)
