"""The model inside the rules' floor: what it sees, what it may raise, what it says, who it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from numpy.typing import NDArray

from ingest.formats.decode import decode
from ingest.store.history import delivered
from models import tables as t
from models.case import Standing, VehicleInfo
from models.words import ACTION_RANK, Action, Motion, Priority, Severity
from pacc.decide.policy import Policy
from pacc.learn.samples import number, samples
from pacc.pipeline.limits import Limits
from pacc.pipeline.worker import Worker
from prioritizer.features.predictors import NAMES, PREDICTORS, matrix
from prioritizer.ranking.attribution import drivers_of, falls
from prioritizer.ranking.bands import Bands
from prioritizer.ranking.rank import EXPLORED, Ranker, rank
from tests.prioritizer.ranking.test_rules import FAULTS, fault, row
from tests.worlds import CAR, OTHER, START, Room, Stream, policy, ranker

Numbers = NDArray[np.float64]
BANDS = Bands(0.2, 0.6)


@dataclass
class Says:
    """A model that answers from the numbers it is given, and remembers them."""

    answer: object = 0.3
    version: str = "test-model"
    neutral: Mapping[str, float | None] = field(default_factory=lambda: dict.fromkeys(NAMES, 0.0))
    seen: list[tuple[float, ...]] = field(default_factory=list)

    def probability(self, values: Numbers) -> Numbers:
        """Answer with one number, or with what a function makes of the rows."""
        self.seen += [tuple(one) for one in values.tolist()]
        if callable(self.answer):
            return np.asarray(self.answer(values), dtype=np.float64)
        return np.full(len(values), self.answer, dtype=np.float64)


def with_model(model: Says, bands: Bands = BANDS) -> Ranker:
    """The rules, and a model."""
    return replace(ranker(), model=model, bands=bands)


def test_every_predictor_has_a_name_a_unit_a_sentence_and_a_driver_that_is_said() -> None:
    assert len(set(NAMES)) == len(NAMES) > 30
    for name, one in PREDICTORS.items():
        assert one.unit, name
        assert one.sentence.endswith("."), name
        assert NAMES.index(name) in drivers_of([one.driver]), name


@given(
    held=st.lists(FAULTS, min_size=1, max_size=5), answer=st.one_of(st.floats(), st.floats(0, 1))
)
def test_no_answer_of_a_model_takes_a_case_below_its_floor(held: list, answer: float) -> None:  # type: ignore[type-arg]
    alone = rank([row(*held)], ranker())
    together = rank([row(*held)], with_model(Says(answer)))
    assert together.priority[0] >= alone.priority[0]
    assert together.needs_task[0] >= alone.needs_task[0]
    if not 0.2 <= answer <= 1:
        assert together.priority[0] == alone.priority[0]
    said = together.explain(0)
    assert ACTION_RANK[said.action] >= ACTION_RANK[alone.explain(0).action]
    assert 0 <= said.score <= 1
    assert said.ranked_by == ("test-model" if 0 <= answer <= 1 else "rules")


@given(answer=st.floats())
def test_a_stop_fault_in_motion_is_urgent_under_every_model(answer: float) -> None:
    stop = row(fault("dtc:P0420", Severity.STOP, Motion.UNKNOWN))
    assert rank([stop], with_model(Says(answer))).explain(0).priority is Priority.URGENT


def test_the_order_inside_a_priority_is_the_probability() -> None:
    model = Says(lambda values: values[:, NAMES.index("low_voltage_v")] / 100)
    standings = [row(fault("dtc:B1342"), low_voltage_v=volts) for volts in (12.0, 9.0, 14.0)]
    ranked = rank(standings, with_model(model))
    scores = [ranked.explain(place).score for place in range(3)]
    assert scores == sorted(scores, key=lambda one: (0.12, 0.09, 0.14).index(round(one, 2)))
    assert np.argsort(scores).tolist() == [1, 0, 2]


def test_a_case_that_the_model_raises_says_so_in_both_languages_after_the_rules() -> None:
    volts = NAMES.index("low_voltage_v")
    model = Says(lambda values: np.where(values[:, volts] > 1, 0.4, 0.1))
    ranked = rank([row(fault("dtc:B1342"), low_voltage_v=10.8)], with_model(model)).explain(0)
    assert (ranked.priority, ranked.action) == (Priority.HIGH, Action.DRIVE_TO_DEALER)
    assert (
        ranked.reasons[-1].en
        == "Model: breakdown within 24 h possible (40 %): 12 V system at 10.8 V"
    )
    assert ranked.reasons[-1].zh == "模型：24 小时内可能抛锚（40 %）：12 V 系统电压 10.8 V"
    assert len(ranked.reasons) <= 3
    shown = " ".join(line.en + line.zh for line in ranked.reasons)
    assert [name for name in NAMES if "_" in name and name in shown] == []


@given(st.lists(st.floats(-5, 200), min_size=len(NAMES), max_size=len(NAMES)))
def test_taking_a_driver_away_lowers_the_score_by_what_is_said(numbers: list[float]) -> None:
    weights = np.linspace(-1, 1, len(NAMES))
    model = Says(lambda values: 1 / (1 + np.exp(-np.clip(values @ weights / 50, -30, 30))))
    values = np.array([numbers])
    before = model.probability(values)
    for driver, fall in falls(values, before, model).items():
        without = values.copy()
        without[:, drivers_of([driver])] = 0.0
        drop = before[0] - model.probability(without)[0]
        assert fall[0] == pytest.approx(max(drop, 0.0), abs=1e-12)


def test_a_case_that_was_picked_to_learn_from_is_called_and_says_why() -> None:
    standing = replace(row(fault("dtc:B1342")), lot=0.01)
    exploring = replace(ranker(), explore_share=0.02)
    picked = rank([standing, replace(standing, lot=0.5)], exploring)
    assert (picked.explain(0).priority, picked.explain(1).priority) == (
        Priority.HIGH,
        Priority.NORMAL,
    )
    assert EXPLORED in picked.explain(0).rules
    assert picked.explain(0).reasons[-1].en.startswith("Picked at random")
    urgent = replace(row(fault("dtc:P0C01", Severity.STOP)), lot=0.01)
    assert EXPLORED not in rank([urgent], exploring).explain(0).rules


def the_past() -> list[tuple[str, int, dict[str, Any]]]:
    """A car whose fault comes, goes and comes back over days, among others."""
    said: list[tuple[str, int, dict[str, Any]]] = []
    for day in (0, 1, 3):
        start = day * 1440
        said += [("dtc:P0562", start + n, {}) for n in range(4)]
        said += [
            ("dtc:U0100", start + 5, {}),
            ("dtc:P0562", start + 6, {"status": "cleared"}),
            ("dtc:P0562", start + 9, {}),
            ("dtc:P0562", start + 10, {"status": "cleared"}),
            ("dtc:U0100", start + 11, {"status": "cleared"}),
        ]
    return said


def a_stream() -> Stream:
    """The same of two cars, with readings."""
    stream = Stream()
    for code, minute, more in the_past():
        signals = {"low_voltage_v": 12.5 - minute / 3000, "ambient_c": -3.0}
        stream.says(CAR, code, minute, signals=signals, odometer_km=1000 + minute, **more)
        stream.says(OTHER, "dtc:B1342", minute + 0.5)
    return stream


@pytest.mark.parametrize("cuts", [(), (1, 2, 3, 9, 20), tuple(range(1, 60))])
def test_training_sees_exactly_the_numbers_of_the_pipeline(
    engine: sa.Engine, cuts: Sequence[int]
) -> None:
    """No skew: from the stream and from the database, however the pipeline cut it into batches."""
    records = a_stream().records
    model = Says()
    room = Room(engine)
    room.worker = Worker(
        engine, replace(room.policy, ranker=with_model(model)), {}, "test", Limits()
    )
    room.plays(records, cuts)
    from_stream = number(list(samples(decode(records, {}), policy(), {})), ranker())
    with engine.begin() as connection:
        from_past = number(list(samples(delivered(connection), policy(), {})), ranker())
    assert len(from_stream.samples) > 15
    np.testing.assert_array_equal(from_past.values, from_stream.values)
    assert [one.case_id for one in from_past.samples] == [
        one.case_id for one in from_stream.samples
    ]
    used = {spelled(one) for one in model.seen}
    assert {spelled(tuple(one)) for one in from_stream.values.tolist()} <= used
    history = from_stream.values[:, NAMES.index("same_30d")]
    assert history.max() == 2


def spelled(numbers: tuple[float, ...]) -> str:
    """A row that NaN does not keep from being equal to itself."""
    return repr(numbers)


def test_the_matrix_of_a_row_does_not_depend_on_its_neighbours() -> None:
    standings = [
        Standing(
            START, (fault("dtc:P0562"),), VehicleInfo(powertrain="bev"), {"low_voltage_v": volts}
        )
        for volts in (10.0, 12.0)
    ]
    together = rank(standings, ranker()).values
    alone = [rank([one], ranker()).values[0] for one in standings]
    np.testing.assert_array_equal(together, np.array(alone))
    assert matrix(rank([], ranker())._columns).shape == (0, len(NAMES))


def test_a_new_champion_ranks_from_the_next_batch_on_without_a_restart(engine: sa.Engine) -> None:
    records = Stream().says(CAR, "dtc:B1342").says(OTHER, "dtc:B1342", minute=1).records
    room = Room(engine)
    promoted: list[Says] = []

    def refresh(_connection: sa.Connection, held: Policy) -> Policy:
        return replace(held, ranker=with_model(promoted[0])) if promoted else held

    worker = Worker(engine, room.policy, {}, "test", Limits(), refresh)
    worker.take(records[0].partition, 0)
    worker.process(records[:1])
    promoted.append(Says(0.7))
    worker.process(records[1:])
    ranked = {one["vin"]: (one["ranked_by"], one["priority"]) for one in room.rows(t.case)}
    assert ranked == {CAR: ("rules", "normal"), OTHER: ("test-model", "urgent")}
