"""Clears rows that only pile up: what nobody asks for any more, so many of each kind at a look."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from models import tables as t

_AT_ONCE: Final = 2000
_DAY: Final = timedelta(days=1)
# What is cleared: the word of the metric, the table, since when nobody asks for a row, how long it
# is kept after that. A session that ended early is kept as one that ran out: for whoever asks.
_KEPT: Final[tuple[tuple[str, sa.Table, sa.ColumnElement[datetime], timedelta], ...]] = (
    ("presence_cleared", t.presence, t.presence.c.seen_at, _DAY),
    ("login_failure_cleared", t.login_failure, t.login_failure.c.at, _DAY),
    (
        "session_cleared",
        t.session,
        sa.func.coalesce(t.session.c.ended_at, t.session.c.ends_at),
        30 * _DAY,
    ),
    ("card_cleared", t.card, t.card.c.ends_at, 30 * _DAY),
    ("request_cleared", t.idempotency, t.idempotency.c.at, 2 * _DAY),
    ("event_cleared", t.outbox, t.outbox.c.sent_at, 7 * _DAY),
    ("pulse_cleared", t.pulse, t.pulse.c.at, _DAY),
)


def tidy(engine: sa.Engine, at: datetime, at_once: int = _AT_ONCE) -> Counter[str]:
    """Clear at most `at_once` old rows of each kind, each kind in a transaction; count them."""
    done: Counter[str] = Counter()
    for what, table, since, kept in _KEPT:
        key = sa.tuple_(*table.primary_key.columns)
        old = sa.select(*table.primary_key.columns).where(since < at - kept).limit(at_once)
        with engine.begin() as connection:
            done[what] = connection.execute(sa.delete(table).where(key.in_(old))).rowcount
    return +done
