"""The soak's own parts: its plan, its shortening, and checks that see what they are for."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.formats.decode import decode
from tests.soak.check import one_at_a_time
from tests.soak.disturbances.outages import ACTS
from tests.soak.disturbances.plan import (
    OFTEN,
    SELDOM,
    Step,
    plan_round,
    read_plan,
    shorten,
    write_plan,
)
from tests.soak.driver import recoveries
from tests.soak.people import LEASE, Promise
from tests.soak.stream import Tape

AT = datetime(2026, 1, 15, tzinfo=UTC)


def steps_of(*kinds: str) -> list[Step]:
    """Make a plan of these kinds."""
    return [Step(0, float(second), kind, 1) for second, kind in enumerate(kinds)]


def test_a_seed_gives_one_plan_and_one_stream(tmp_path: Path) -> None:
    plan = plan_round(7, 5, 20)
    assert plan == plan_round(7, 5, 20) != plan_round(8, 5, 20)
    assert {step.kind for step in plan} & set(SELDOM)
    write_plan(plan, tmp_path / "plan")
    assert read_plan(tmp_path / "plan") == plan
    stream, same, other = (Tape("t", seed, AT).more() for seed in (7, 7, 8))
    assert stream == same != other


def test_every_kind_of_disturbance_can_be_done() -> None:
    assert set(ACTS) == {*OFTEN, *SELDOM}


def test_the_stream_says_what_it_knows() -> None:
    tape = Tape("t", 7, AT)
    records = [*tape.more(), *tape.more()]
    seen: set[str] = set()
    for decoded in decode(records, {"t": "cloudevents"}):
        known, offset = tape.known[decoded.record.partition.number], decoded.record.offset
        assert (offset in known.poison) == bool(decoded.rejected)
        for item in decoded.items:
            assert (offset in known.duplicate) == (item.fingerprint in seen)
            seen.add(item.fingerprint)
    assert sum(len(known.first) for known in tape.known) == len(seen)


def test_a_plan_is_shortened_to_what_the_failure_needs() -> None:
    plan = steps_of(*"abcdefghij")
    tried: list[Sequence[Step]] = []

    def fails(part: Sequence[Step]) -> bool:
        tried.append(part)
        return {"c", "h"} <= {step.kind for step in part}

    assert [step.kind for step in shorten(plan, fails, 60)] == ["c", "h"]
    assert len(tried) <= 60
    assert shorten(plan, lambda _: False, 60) == plan
    assert len(shorten(plan, fails, 1)) > 2


def test_recovery_is_measured_in_each_partition_of_the_victim() -> None:
    moves = [
        ("one", 0, True, 1.0),
        ("one", 1, True, 1.0),
        ("two", 2, True, 1.0),
        ("one", 0, False, 2.0),
        ("two", 2, False, 5.5),
        ("two", 0, True, 6.0),
        ("two", 0, False, 7.0),
        ("two", 1, True, 6.0),
        ("two", 1, False, 9.0),
        ("two", 1, False, 10.0),
    ]
    assert recoveries(moves, [("one", 5.0)]) == [2.0, 4.0]


@pytest.mark.parametrize(
    ("second", "what", "is_wrong"),
    [(1.0, "task_contacted", True), (2.0, "task_contacted", False), (1.0, "task_released", False)],
)
def test_two_people_with_one_task_are_seen(second: float, what: str, *, is_wrong: bool) -> None:
    began = AT + timedelta(seconds=second)
    promises = [
        Promise("task", "Li", "task_claimed", 2, AT + LEASE),
        Promise("task", "Li", what, 3, AT + LEASE),
        Promise("task", "Wu", "task_claimed", 4, began + LEASE),
    ]
    assert bool(list(one_at_a_time(promises))) == is_wrong
