"""Claims: one has a task in hand, the others are told who; a lease ends, a task changes hands."""

import threading

import pytest
import sqlalchemy as sa

from dispatch.tasks import actions
from models import tables as t
from models.errors import Conflict, NotAllowed, NotThere, Unusable
from models.words import Step
from tests.worlds import (
    BEIJING,
    CAR,
    CHEN,
    LI,
    Centre,
    Stream,
    advisor,
    operator,
    stranded,
    supervisor,
)


def test_two_operators_want_one_case_and_the_second_is_told_who_has_it(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    centre.act(actions.claim, task_id, LI)
    with pytest.raises(Conflict, match="has the task in hand") as refused:
        centre.act(actions.claim, task_id, CHEN)
    assert refused.value.facts["holder"] == LI.name
    with pytest.raises(Conflict, match="has the task in hand"):
        centre.walks(task_id, CHEN, Step.CONTACT)
    centre.act(actions.claim, task_id, LI)  # claiming what one has renews it
    assert centre.entries().count("task_claimed") == 1


def test_law_7_of_many_who_claim_at_once_one_wins(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    people = [operator(f"operator {number}") for number in range(12)]
    start = threading.Barrier(len(people))
    won: list[str] = []
    named: list[str] = []

    def race(number: int) -> None:
        start.wait()
        try:
            centre.act(actions.claim, task_id, people[number])
            won.append(people[number].name)
        except Conflict as conflict:
            named.append(str(conflict.facts.get("holder")))

    threads = [threading.Thread(target=race, args=(n,)) for n in range(len(people))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert named == won * 11
    assert centre.entries().count("task_claimed") == 1
    assert centre.task()["holder_name"] == won[0]


def test_a_person_and_the_pipeline_at_once_lose_nothing_of_each_other(engine: sa.Engine) -> None:
    """While a task is walked through its states, alerts raise its case: both must stay."""
    centre = Centre(engine)
    stream = Stream()
    for number in range(60):
        stream.says(CAR, f"dtc:B{1300 + number}", number / 60, **BEIJING)
    centre.plays(stream.records[:1])
    task = centre.task()
    wang = advisor(task["desk"])
    # Before the race: a task that nobody holds is superseded when its case goes to the roadside.
    centre.act(actions.claim, task["task_id"], wang)

    def work_through() -> None:
        for _ in range(10):
            centre.walks(task["task_id"], wang, Step.PAUSE, Step.RESUME)
        centre.walks(task["task_id"], wang, Step.CONTACT)

    person = threading.Thread(target=work_through)
    person.start()
    for record in stream.records[1:]:
        centre.worker.process([record])
    person.join()
    after_both = centre.rows(t.task, task_id=task["task_id"])[0]
    assert after_both["state"] == "contacted"
    revisions = [row["case_seq"] for row in centre.rows(t.outbox)]
    assert sorted(revisions) == list(range(1, len(revisions) + 1))
    assert revisions == sorted(revisions)


def test_an_expired_claim_goes_back_to_the_queue(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    centre.act(actions.claim, task_id, LI)
    centre.later(seconds=60)
    centre.act(actions.renew, task_id, LI)
    centre.later(seconds=80)
    assert centre.task()["state"] == "claimed"
    centre.later(seconds=11)
    assert (centre.task()["state"], centre.task()["holder"]) == ("queued", None)
    with pytest.raises(Conflict, match="claim it first"):
        centre.act(actions.renew, task_id, LI)
    centre.act(actions.claim, task_id, CHEN)
    assert centre.task()["holder"] == CHEN.actor_id


def test_help_under_way_loses_its_holder_and_keeps_its_state(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    centre.act(actions.claim, task_id, LI)
    centre.walks(task_id, LI, Step.CONTACT, Step.SET_OUT)
    centre.later(seconds=100)
    assert (centre.task()["state"], centre.task()["holder"]) == ("en_route", None)
    centre.act(actions.claim, task_id, CHEN)
    centre.walks(task_id, CHEN, Step.ARRIVE)


def test_a_take_over_needs_a_supervisor_and_is_written_down(engine: sa.Engine) -> None:
    centre, task_id = stranded(engine)
    centre.act(actions.claim, task_id, LI)
    with pytest.raises(NotAllowed):
        centre.act(actions.take_over, task_id, CHEN, reason="mine")
    centre.act(actions.take_over, task_id, supervisor(), reason="Li is on a break")
    assert centre.task()["holder"] == supervisor().actor_id
    entry = next(row for row in centre.rows(t.entry) if row["kind"] == "task_taken_over")
    assert entry["detail"] == {"reason": "Li is on a break", "before": LI.name}
    with pytest.raises(Conflict):
        centre.walks(task_id, LI, Step.CONTACT)


def test_a_transfer_keeps_the_deadlines_and_hides_the_task_from_the_old_desk(
    engine: sa.Engine,
) -> None:
    centre, task_id = stranded(engine)
    before = centre.task()
    centre.act(actions.claim, task_id, LI)
    with pytest.raises(Unusable, match="no roadside desk"):
        centre.act(actions.transfer, task_id, LI, desk_id="dealer-beijing-1", reason="?")
    centre.act(actions.transfer, task_id, LI, desk_id="rsa-shanghai", reason="nearer")
    moved = centre.task()
    assert (moved["state"], moved["desk"], moved["claim_by"]) == (
        "queued",
        "rsa-shanghai",
        before["claim_by"],
    )
    with pytest.raises(NotThere):
        centre.act(actions.claim, task_id, LI)
    centre.act(actions.claim, task_id, operator("Sun", "rsa-shanghai"))
