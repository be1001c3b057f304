"""Law 5 under the surge rule: whatever is held, a stop fault in motion is urgent and free."""

from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from dispatch.rules.fleet_issue import FleetIssue, issue_id
from ingest.formats.decode import decode
from models import tables as t
from models.batch import Batch, Record, Span
from models.case import Build, Vehicle
from models.decision import Decision, Known
from models.words import Priority
from pacc.decide.decide import decide
from pacc.process.database import make_engine
from tests.pacc.decide.test_laws import CODES, reports, stream_of
from tests.worlds import CAR, OTHER, TAPE, Room, Stream, policy

MODELS, SOFTWARE = ("Nova 5", "Nova 6"), ("1.0", "1.1")
ISSUES = {
    issue.issue_id: issue
    for code in (*CODES, "dtc:P0C01")
    for model in MODELS
    for software in SOFTWARE
    for issue in [FleetIssue(issue_id(code, model, software), code, Build(model, software), 12_345)]
}
builds = st.fixed_dictionaries(
    {"model": st.sampled_from([*MODELS, None]), "software": st.sampled_from([*SOFTWARE, None])}
)


def decide_held(records: list[Record], issues: dict[str, FleetIssue]) -> Decision:
    """Decide a whole stream while these issues are held."""
    batch = Batch(decode(records, {}), {TAPE: Span(0, len(records))})
    known = Known({}, {vin: Vehicle(vin) for vin in (CAR, OTHER)}, {})
    return decide(batch, known, replace(policy(), fleet_issues=issues))


def stream_from(drawn: list[dict[str, Any]], build: dict[str, Any]) -> Stream:
    """Make a stream of cars that say which they are."""
    stream = Stream()
    stream.records = stream_of(drawn)
    named = []
    for record in stream.records:
        value = record.value
        if value and value.startswith(b"{"):
            said = "".join(f', "{name}": "{one}"' for name, one in build.items() if one)
            value = value[:-1] + said.encode() + b"}"
        named.append(replace(record, value=value))
    stream.records = named
    return stream


@settings(max_examples=150, deadline=None)
@given(
    before=st.lists(reports, max_size=6),
    build=builds,
    code=st.sampled_from(["dtc:P0C01", *CODES]),
    motion=st.sampled_from(["moving", "unknown"]),
)
def test_for_every_held_matter_a_stop_fault_in_motion_is_urgent_and_not_held(
    before: list[dict[str, Any]], build: dict[str, Any], code: str, motion: str
) -> None:
    stream = stream_from(before, build)
    minute = 26.0 * (len(before) + 1)
    said = {name: one for name, one in build.items() if one}
    stream.says(CAR, code, minute, severity="stop", motion=motion, **said)
    decided = decide_held(stream.records, ISSUES)
    (case,) = (one for one in decided.cases if one.vin == CAR and one.closed_at is None)
    assert case.ranking.priority is Priority.URGENT
    tasks = [task for vin, task in decided.tasks if vin == CAR and task.closed_at is None]
    assert tasks
    assert [(task.held_because, task.issue_id) for task in tasks] == [(None, None)] * len(tasks)


@settings(max_examples=100, deadline=None)
@given(drawn=st.lists(reports, min_size=1, max_size=12), build=builds)
def test_only_what_is_the_fleet_issue_and_nothing_else_is_held(
    drawn: list[dict[str, Any]], build: dict[str, Any]
) -> None:
    stream = stream_from(drawn, build)
    decided = decide_held(stream.records, ISSUES)
    faults: dict[str, set[str]] = {}
    for case_id, _, fault in decided.faults:
        if fault.is_active and fault.folded_under is None:
            faults.setdefault(case_id, set()).add(fault.code)
    for _, task in decided.tasks:
        if task.issue_id is None or task.closed_at is not None:
            continue
        assert task.priority is not Priority.URGENT
        assert task.held_because == ISSUES[task.issue_id].because
        active = faults.get(task.case_id)
        assert active is None or active == {ISSUES[task.issue_id].code}


@settings(max_examples=50, deadline=None)
@given(drawn=st.lists(reports, min_size=1, max_size=12), build=builds)
def test_a_holding_fleet_issue_changes_nothing_but_whether_a_task_is_held(
    drawn: list[dict[str, Any]], build: dict[str, Any]
) -> None:
    """Cases, faults, rankings and where a task goes are the same with and without it."""
    stream = stream_from(drawn, build)
    free, decided = decide_held(stream.records, {}), decide_held(stream.records, ISSUES)
    assert free.faults == decided.faults
    assert [replace(one, revision=0) for one in free.cases] == [
        replace(one, revision=0) for one in decided.cases
    ]
    assert [(task.task_id, task.desk, task.priority, task.state) for _, task in free.tasks] == [
        (task.task_id, task.desk, task.priority, task.state) for _, task in decided.tasks
    ]


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=st.lists(reports, min_size=2, max_size=12), build=builds, data=st.data())
def test_law_3_how_the_stream_is_cut_does_not_show_in_what_is_held(
    drawn: list[dict[str, Any]],
    build: dict[str, Any],
    data: st.DataObject,
    migrated_sqlite: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    records = stream_from(drawn, build).records
    cuts = data.draw(st.lists(st.integers(1, max(1, len(records) - 1)), max_size=8))
    folder = tmp_path_factory.mktemp("cuts")
    tables = []
    for name, at in (("whole", []), ("cut", cuts), ("single", list(range(1, len(records))))):
        engine = make_engine(f"sqlite:///{copyfile(migrated_sqlite, folder / name)}")
        room = Room(engine)
        room.worker._policy = replace(room.worker.policy, fleet_issues=ISSUES)
        room.plays(records, cuts=at)
        tables.append(
            [
                [{**row, "version": 0} for row in room.rows(table)]
                for table in (t.case, t.fault, t.task, t.entry)
            ]
        )
        engine.dispose()
    assert tables[0] == tables[1] == tables[2]
