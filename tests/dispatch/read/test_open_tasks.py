"""What pages, lists and the clock ask of open tasks: read by an index, past all others."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dispatch.read import queue, tasks
from dispatch.tasks import overdue, silences
from models import tables as t
from models.words import Queue, TaskState
from tests.support.floods import Flood, vin
from tests.worlds import BEIJING, CAR, Centre, Stream, operator, supervisor

MANY, BLOCKS = 60_000, 1_000
postgresql = pytest.mark.parametrize(
    "engine", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
LI = operator(desk="desk-2")
# Half are done. Of the others the dealers' are awake; the roadside's are held by a fleet issue, but
# a few that are awake and a few that a silence holds.
_IS_ROADSIDE = "mod(n, 10) < 6"
_IS_HELD = f"{_IS_ROADSIDE} and mod(n, 31) > 0"
_OTHERWISE = {
    "task": {
        "task_id": "'t' || n",
        "case_id": "'c' || n",
        "vin": "'v' || n",
        "desk": "'desk-' || mod(n, 10)",
        "queue": f"case when {_IS_ROADSIDE} then 'roadside' else 'dealer' end",
        "priority": f"case when {_IS_ROADSIDE} then 'high' else 'normal' end",
        "priority_rank": f"case when {_IS_ROADSIDE} then 1 else 0 end",
        "score": "mod(n, 97) / 100.0",
        "state": "case when mod(n, 4) < 2 then 'queued' else 'done' end",
        "held_zh": f"case when {_IS_HELD} then 'x' end",
        "held_en": f"case when {_IS_HELD} then 'x' end",
        "issue_id": f"case when {_IS_ROADSIDE} and mod(n, 31) > 1 then 'm' end",
    },
    "case": {"case_id": "'c' || n", "vin": "'v' || n", "state": "'closed'"},
    "fault": {"case_id": "'c' || n", "vin": "'v' || n"},
    "vehicle": {"vin": "'v' || n"},
}


@pytest.fixture
def crowded(engine: sa.Engine) -> Centre:
    """A centre with one real task, and many like it."""
    centre = Centre(engine)
    centre.plays(Stream().says(CAR, "dtc:B1342", **BEIJING).records)
    numbers = f"with recursive s(n) as (select 1 union all select n + 1 from s where n < {MANY})"
    with engine.begin() as connection:
        for name, otherwise in _OTHERWISE.items():
            table = t.metadata.tables[name]
            quoted = [f'"{column.name}"' for column in table.c]
            values = [otherwise.get(one.strip('"'), one) for one in quoted]
            connection.exec_driver_sql(
                f'{numbers} insert into "{name}" ({", ".join(quoted)}) '
                f'select {", ".join(values)} from "{name}", s'
            )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("vacuum analyze")  # as autovacuum does it
    return centre


def _blocks(centre: Centre, act: Callable[..., Any], *arguments: Any, **more: Any) -> int:
    """Give how many of the database's blocks an act's reading of tasks touches at the most."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        if statement.startswith("SELECT") and "task." in statement:
            seen.append((statement, values))

    sa.event.listen(centre.engine, "before_cursor_execute", note)
    act(*arguments, **more)
    sa.event.remove(centre.engine, "before_cursor_execute", note)
    assert seen
    with centre.engine.begin() as connection:
        plans = [
            connection.exec_driver_sql(f"explain (analyze, buffers, format json) {one}", values)
            for one, values in seen
        ]
        read = [plan.scalar_one()[0]["Plan"] for plan in plans]
    return max(int(one["Shared Hit Blocks"] + one["Shared Read Blocks"]) for one in read)


@postgresql
def test_pages_and_lists_pass_over_all_that_they_do_not_show(crowded: Centre) -> None:
    """A page's fifty tasks with case and vehicle are some 400 blocks; the table is 1,500."""
    for actor in (LI, supervisor()):
        for tab in queue.Tab:
            shown = {"kind": Queue.ROADSIDE, "tab": tab}
            assert _blocks(crowded, crowded.act, queue.queue, actor, **shown) < BLOCKS, tab
        assert _blocks(crowded, crowded.act, queue.counts, actor, Queue.ROADSIDE) < BLOCKS
        assert _blocks(crowded, crowded.act, tasks.candidates, actor) < BLOCKS
        assert _blocks(crowded, crowded.act, tasks.list_tasks, actor) < BLOCKS
        done = {"state": TaskState.DONE}
        assert _blocks(crowded, crowded.act, tasks.list_tasks, actor, **done) < BLOCKS


@postgresql
def test_the_clock_passes_over_all_that_is_not_due(crowded: Centre) -> None:
    assert _blocks(crowded, overdue.tick, crowded.engine, crowded.now, crowded.house) < BLOCKS


@postgresql
def test_a_flood_is_not_counted_to_its_end(crowded: Centre) -> None:
    counts = crowded.act(queue.counts, supervisor(), Queue.ROADSIDE)
    assert counts["snoozed"] == queue.COUNTED
    assert 100 < counts["all"] == counts["high"] < queue.COUNTED
    assert counts["urgent"] == counts["mine"] == counts["missed"] == 0


def test_silences_in_force_keep_none_that_ended_waiting(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock takes so many at once, the oldest first; those that it cannot let go are no use."""
    monkeypatch.setattr(overdue, "_AT_ONCE", 3)
    flood = Flood(engine).report(range(12), 5, code="dtc:B1342").report([20], 6, code="dtc:B1342")
    end = flood.now + timedelta(minutes=5)
    for car in (*range(12), 20):
        silence = {"kind": "silence", "ends_at": end if car == 20 else None, "reason": "r"}
        flood.act(silences.silence, vin(car), supervisor(), **silence)
    assert len(flood.held()) == 13
    assert flood.later(minutes=10).done == {"unheld": 1}
    assert flood.held() == {vin(car) for car in range(12)}
