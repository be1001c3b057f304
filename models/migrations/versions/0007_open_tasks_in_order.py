"""Indexes of tasks for what pages, lists and the clock ask of them."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_Indexes = dict[str, tuple[Sequence[Any], str | None]]  # columns, and of which rows

_OPEN = "state <> 'done'"
_FALLING = (sa.text("priority_rank desc"), sa.text("score desc"))
_ORDER = (*_FALLING, "opened_at", "task_id", "desk", "queue")
_MADE: _Indexes = {
    "ix_task_open": (_ORDER, _OPEN),
    "ix_task_awake": (_ORDER, f"{_OPEN} and paused_at is null and held_zh is null"),
    "ix_task_asleep": (
        (sa.text("(issue_id is not null)"), *_ORDER),
        f"{_OPEN} and (paused_at is not null or held_zh is not null)",
    ),
    "ix_task_missed": (
        _ORDER,
        f"{_OPEN} and ((claim_missed_at is not null and claimed_at is null)"
        " or (contact_missed_at is not null and contacted_at is null))",
    ),
    "ix_task_done": (_ORDER, "state = 'done'"),
    "ix_task_claim_due": (
        ("claim_by",),
        f"{_OPEN} and held_zh is null and claimed_at is null and claim_missed_at is null",
    ),
    "ix_task_contact_due": (
        ("contact_by",),
        f"{_OPEN} and held_zh is null and paused_at is null"
        " and contacted_at is null and contact_missed_at is null",
    ),
    "ix_task_paused": (("wake_at",), f"{_OPEN} and paused_at is not null"),
    "ix_task_held": (("opened_at",), f"{_OPEN} and held_zh is not null and issue_id is null"),
    "ix_task_desk": (("desk", "queue"), f"{_OPEN} and issue_id is null"),
}
_BEFORE: _Indexes = {
    "ix_task_order": (("queue", "desk", "state", "priority_rank", "score"), None),
    "ix_task_open_order": (("queue", *_FALLING, "opened_at", "task_id"), _OPEN),
}


def _swap(old: _Indexes, new: _Indexes) -> None:
    for name in old:
        op.drop_index(name, table_name="task")
    for name, (columns, where) in new.items():
        condition = None if where is None else sa.text(where)
        op.create_index(
            name, "task", list(columns), sqlite_where=condition, postgresql_where=condition
        )


def upgrade() -> None:
    """Bring the schema here; nobody writes tasks while the indexes are built."""
    _swap(_BEFORE, _MADE)


def downgrade() -> None:
    """Take the schema back."""
    _swap(_MADE, _BEFORE)
