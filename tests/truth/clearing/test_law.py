"""No answer clears what it did not ask, and one that asked and did not find clears it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from shutil import copyfile
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.cluster.vehicle import VehicleState
from ingest.formats.decode import decode
from ingest.store.history import delivered
from models import tables as t
from models.batch import Partition
from models.words import Status
from pacc.decide.decide import advance, apply
from pacc.decide.policy import Policy
from pacc.process.database import make_engine
from tests.truth.clearing.answers import ALIASES, FORMS, Answer, answers, records
from tests.truth.clearing.said import Said
from tests.worlds import CAR, Centre, policy

_ON = (Status.ACTIVE, Status.LAMP_ONLY, Status.PENDING)


def aliased() -> Policy:
    """The default policy, with these sources as one."""
    default = policy()
    return msgspec.structs.replace(default, grouping=replace(default.grouping, aliases=ALIASES))


def on_after(drawn: Sequence[Answer]) -> Iterator[set[str]]:
    """Yield after each answer the codes that the car has, in a case or waiting for one."""
    states: dict[str, VehicleState] = {}
    watermark: dict[Partition, Any] = {}
    rules, seen = aliased(), set()
    for decoded in decode(records(drawn), {}):
        advance(watermark, decoded)
        for item in decoded.items:
            if item.fingerprint not in seen:
                seen.add(item.fingerprint)
                apply(item, decoded.record.partition, states, watermark, rules)
        if CAR not in states:
            yield set()
            continue
        car = states[CAR]
        faults = car.cases[-1].faults if car.cases else {}
        on = {code for code, fault in faults.items() if fault.status in _ON}
        yield {code for code in on | set(car.waiting) if not code.startswith("obd:")}


@settings(max_examples=150, deadline=None, print_blob=True)
@pytest.mark.parametrize("form", sorted(FORMS))
@given(data=st.data())
def test_a_code_of_one_format_is_on_as_long_as_it_says_it(form: str, data: st.DataObject) -> None:
    obeys(data.draw(st.lists(FORMS[form], min_size=2, max_size=16)))


@settings(max_examples=300, deadline=None, print_blob=True)
@given(drawn=st.lists(answers, min_size=2, max_size=25))
def test_a_code_is_on_as_long_as_a_source_says_it(drawn: list[Answer]) -> None:
    obeys(drawn)


def obeys(drawn: Sequence[Answer]) -> None:
    """After each answer the car has the codes that are said by the law."""
    said = Said()
    for answer, on in zip(drawn, on_after(drawn), strict=True):
        said.hears(answer)
        assert said.on <= on, answer
        assert on <= said.on | said.only_passed, answer


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=st.lists(answers, min_size=2, max_size=16), data=st.data())
def test_batches_do_not_show_and_what_is_stored_says_the_same_again(
    drawn: list[Answer],
    data: st.DataObject,
    migrated_sqlite: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    stream = records(drawn)
    cuts = data.draw(st.lists(st.integers(1, len(stream) - 1), max_size=6))
    folder = tmp_path_factory.mktemp("clearing")
    digests = []
    for name, at in (("whole", []), ("cut", cuts), ("single", range(1, len(stream)))):
        engine = make_engine(f"sqlite:///{copyfile(migrated_sqlite, folder / name)}")
        room = Centre(engine).plays(stream, cuts=list(at))
        digests.append((room.digest, room.rows(t.vehicle), room.rows(t.fault)))
        room.plays(stream)
        assert (room.digest, room.rows(t.vehicle), room.rows(t.fault)) == digests[-1]
        assert room.ledger["reconciled"]
        with engine.begin() as connection:
            again = [item for one in delivered(connection) for item in one.items]
        fresh = [item for one in decode(stream, {}) for item in one.items]
        assert {one.fingerprint: scope(one) for one in again} == {
            one.fingerprint: scope(one) for one in reversed(fresh)
        }
        engine.dispose()
    assert digests[0] == digests[1] == digests[2]


def scope(item: Any) -> tuple[Any, ...]:
    """What an item says of units and lists."""
    alert = getattr(item, "alert", None)
    return item.lists, getattr(item, "codes", None), alert.unit if alert else item.unit
