"""What live pages follow: nothing is skipped, nothing told twice, also across a break."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from dispatch.access.acting import Acting
from dispatch.access.api_auth import WebContext
from dispatch.access.people import Person
from dispatch.access.sessions import Session
from dispatch.console.login.session import Visitor
from dispatch.console.pages.live import Hub
from dispatch.console.show.templates import Reader
from dispatch.read.changes import changes, horizon
from dispatch.tasks import actions
from models import tables as t
from models.migrations import upgrade
from pacc.process.database import make_engine
from tests.worlds import CAR, LI, OTHER, STRANDED, Centre, Stream, operator

FAR = operator("Far", "rsa-wuhan")


def two_cases(engine: sa.Engine) -> tuple[Centre, list[str]]:
    """Two urgent cases at one centre."""
    centre = Centre(engine)
    stream = Stream()
    for vin in (CAR, OTHER):
        stream.says(vin, "dtc:P0C01", **STRANDED)
    centre.plays(stream.records)
    return centre, [row["task_id"] for row in centre.rows(t.task)]


@pytest.mark.postgres
def test_a_change_that_commits_late_is_not_skipped(postgres_url: str) -> None:
    """On PostgreSQL only: SQLite writes one transaction after the other."""
    engine = make_engine(postgres_url)
    upgrade(engine)
    centre, (early, late) = two_cases(engine)
    with engine.begin() as connection:
        first = horizon(connection)
    slow = engine.connect()
    transaction = slow.begin()
    actions.claim(Acting(slow, LI, centre.now, centre.house), early)
    centre.act(actions.claim, late, LI)
    seen: list[str] = []

    def look(since: int) -> int:
        with engine.begin() as connection:
            end = horizon(connection)
            seen.extend(change.task_id for change in changes(connection, since, end))
            return end

    between = look(first)
    assert (
        seen == []
    )  # the later early waits for the earlier early, whose number would be behind it
    transaction.commit()
    slow.close()
    last = look(between)
    assert sorted(seen) == sorted([early, late])
    look(last)
    assert len(seen) == 2
    engine.dispose()


async def heard(office: WebContext, actor: Any, last: int | None, count: int) -> list[Any]:
    """The first events of a page's stream."""
    session = Session(Person(actor, "x", "en", has_shortcuts=True), "csrf", office.now(), "key")
    visitor = Visitor(session, Reader(session, "en", office.now(), ZoneInfo("UTC")))
    stream = Hub(office).listen(visitor, last)
    events = []
    async for event in stream:
        events.append(event)
        if len(events) == count:
            break
    await stream.aclose()  # type: ignore[attr-defined]
    return events


def test_a_page_that_comes_back_is_told_what_it_missed(engine: sa.Engine) -> None:
    centre, (task_id, _) = two_cases(engine)
    office = WebContext(engine, centre.house, lambda: centre.now + timedelta(seconds=1))
    (beat,) = asyncio.run(heard(office, LI, None, 1))
    assert json.loads(beat.data)["urgent"] == 2
    centre.act(actions.claim, task_id, LI)
    again, moved = asyncio.run(heard(office, LI, int(beat.id), 2))
    assert json.loads(again.data)["mine"] == [task_id]
    assert json.loads(moved.data)["tasks"] == [[task_id, "claimed", "urgent", "claimed"]]
    (far,) = asyncio.run(heard(office, FAR, int(beat.id), 1))
    assert json.loads(far.data)["urgent"] == 0
