"""What piles up is cleared: each kind when its time is over, not before, and so many at a look."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from dispatch.data.retention import tidy
from dispatch.tasks.overdue import tick
from models import tables as t
from tests.worlds import START, Centre

DAY = timedelta(days=1)


def keep(engine: sa.Engine, table: sa.Table, **row: Any) -> None:
    """Write a row."""
    with engine.begin() as connection:
        connection.execute(sa.insert(table).values(**row))


def fill(engine: sa.Engine, name: str, at: datetime) -> None:
    """One row of each kind that was last of use at `at`."""
    keep(engine, t.presence, task_id=name, person_id="li", name="Li", seen_at=at)
    keep(engine, t.login_failure, login=name, address="", at=at)
    keep(engine, t.card, card_sha256=name, task_id="t", made_by="Li", made_at=at, ends_at=at)
    keep(
        engine,
        t.idempotency,
        key_id="k",
        idempotency_key=name,
        request_sha256="",
        status=200,
        body={},
        at=at,
    )
    session = {"person_id": "li", "csrf": "c", "started_at": at}
    keep(engine, t.session, session_sha256=f"{name} ran out", ends_at=at, **session)
    keep(
        engine,
        t.session,
        session_sha256=f"{name} ended",
        ends_at=at + 90 * DAY,
        ended_at=at,
        **session,
    )


def test_each_kind_is_cleared_when_its_time_is_over_and_not_before(engine: sa.Engine) -> None:
    centre = Centre(engine)
    fill(engine, "old", START)
    fill(engine, "new", START + timedelta(minutes=2))
    seen: dict[str, int] = {}
    for days in (1, 2, 30):
        assert tick(engine, START + days * DAY, centre.house) == {}
        done = tick(engine, START + days * DAY + timedelta(minutes=1), centre.house)
        for what, count in done.items():
            assert what not in seen
            seen[what] = count
        tidy(engine, START + days * DAY + timedelta(minutes=3))
    assert seen == {
        "presence_cleared": 1,
        "login_failure_cleared": 1,
        "request_cleared": 1,
        "session_cleared": 2,
        "card_cleared": 1,
    }
    for table in (t.presence, t.login_failure, t.card, t.idempotency, t.session):
        assert centre.rows(table) == []


def test_one_look_clears_only_so_many(engine: sa.Engine) -> None:
    for number in range(5):
        keep(engine, t.presence, task_id=f"{number}", person_id="li", name="Li", seen_at=START)
    left = [tidy(engine, START + 2 * DAY, at_once=2)["presence_cleared"] for _ in range(4)]
    assert left == [2, 2, 1, 0]
