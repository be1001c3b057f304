"""The log of a case: each change has the next revision, an event, and mostly a line."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from dispatch.rules.case_log import CaseLog, TaskChange, route_of
from dispatch.rules.events import Topics
from models.case import Case, Task
from models.person import PIPELINE
from tests.pacc.decide.test_laws import decide_all
from tests.worlds import CAR, START, STRANDED, Stream

LATER = START + timedelta(minutes=5)


@pytest.fixture
def opened() -> tuple[Case, Task]:
    """A case as the pipeline opens it, and its task."""
    decision = decide_all(Stream().says(CAR, "dtc:P0C01", **STRANDED).records)
    ((_, task),) = decision.tasks
    return decision.cases[0], task


def log_of(case: Case, actor: str = "Li") -> CaseLog:
    return CaseLog(case, Topics(), actor)


def test_each_change_has_the_next_revision_one_event_and_one_line(
    opened: tuple[Case, Task],
) -> None:
    case, task = opened
    log = log_of(case)
    log.change_task(TaskChange("claimed", task, {}), LATER)
    log.change_task(TaskChange("closed", task, {"disposition": "towed"}), LATER)
    log.change_case("closed", LATER, {"because": "towed"})
    assert [event.sequence - case.revision for event in log.events] == [1, 2, 3]
    assert log.case.revision == case.revision + 3
    assert [event.kind for event in log.events] == [
        "pacc.task.claimed.v1",
        "pacc.task.closed.v1",
        "pacc.case.closed.v1",
    ]
    lines = [(entry.kind, entry.task_id, entry.actor) for entry in log.entries]
    assert lines == [
        ("task_claimed", task.task_id, "Li"),
        ("task_closed", task.task_id, "Li"),
        ("case_closed", None, "Li"),
    ]
    assert len({entry.entry_id for entry in log.entries}) == 3


def test_only_a_task_that_was_opened_is_counted(opened: tuple[Case, Task]) -> None:
    case, task = opened
    log = log_of(case)
    log.change_task(TaskChange("closed", task, {}), LATER)
    assert log.case.tasks_made == case.tasks_made
    log.change_task(TaskChange("opened", task, route_of(task)), LATER)
    assert log.case.tasks_made == case.tasks_made + 1


def test_a_change_without_a_detail_has_no_line_and_a_note_has_no_event(
    opened: tuple[Case, Task],
) -> None:
    case, task = opened
    log = log_of(case)
    log.change_task(TaskChange("closed", task, None), LATER)
    assert (len(log.events), log.entries) == (1, [])
    log.note("joined", LATER, {"codes": []}, "fingerprint")
    assert (len(log.events), len(log.entries)) == (1, 1)
    assert log.case.revision == case.revision + 1


def test_a_cause_names_the_line_whatever_the_revision(opened: tuple[Case, Task]) -> None:
    """The pipeline decides the same line however its batches are cut, and whoever acted between."""
    case, task = opened
    ids = set()
    for revision in (1, 7):
        log = log_of(replace(case, revision=revision), PIPELINE)
        log.change_task(TaskChange("raised", task, {}), LATER, "fingerprint")
        ids.add(log.entries[0].entry_id)
    assert len(ids) == 1
    for revision in (1, 7):
        log = log_of(replace(case, revision=revision))
        log.change_task(TaskChange("raised", task, {}), LATER)
        ids.add(log.entries[0].entry_id)
    assert len(ids) == 3
