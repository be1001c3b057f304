"""A model beside the rules: what it may raise, what it says, and what it never lowers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from models.words import ACTION_RANK, Action, Motion, Priority, Severity
from prioritizer.features.predictors import NAMES
from prioritizer.ranking.attribution import drivers_of, falls
from prioritizer.ranking.rank import EXPLORED, rank
from tests.support.faults import FAULTS, active_fault, standing_of
from tests.support.models import StubModel, with_model
from tests.worlds import ranker


@given(
    faults=st.lists(FAULTS, min_size=1, max_size=5), answer=st.one_of(st.floats(), st.floats(0, 1))
)
def test_no_answer_of_a_model_takes_a_case_below_its_floor(faults: list, answer: float) -> None:  # type: ignore[type-arg]
    alone = rank([standing_of(*faults)], ranker())
    together = rank([standing_of(*faults)], with_model(StubModel(answer)))
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
    stop = standing_of(active_fault("dtc:P0420", Severity.STOP, Motion.UNKNOWN))
    assert rank([stop], with_model(StubModel(answer))).explain(0).priority is Priority.URGENT


def test_the_order_inside_a_priority_is_the_probability() -> None:
    model = StubModel(lambda values: values[:, NAMES.index("low_voltage_v")] / 100)
    standings = [
        standing_of(active_fault("dtc:B1342"), low_voltage_v=volts) for volts in (12.0, 9.0, 14.0)
    ]
    ranked = rank(standings, with_model(model))
    scores = [ranked.explain(place).score for place in range(3)]
    assert scores == sorted(scores, key=lambda score: (0.12, 0.09, 0.14).index(round(score, 2)))
    assert np.argsort(scores).tolist() == [1, 0, 2]


def test_a_case_that_the_model_raises_says_so_in_both_languages_after_the_rules() -> None:
    volts = NAMES.index("low_voltage_v")
    model = StubModel(lambda values: np.where(values[:, volts] > 1, 0.4, 0.1))
    ranked = rank(
        [standing_of(active_fault("dtc:B1342"), low_voltage_v=10.8)], with_model(model)
    ).explain(0)
    assert (ranked.priority, ranked.action) == (Priority.HIGH, Action.DRIVE_TO_DEALER)
    assert (
        ranked.reasons[-1].en
        == "Model: 40 of 100 such cars stand within a day (usual: 4): 12 V system at 10.8 V"
    )
    assert (
        ranked.reasons[-1].zh
        == "模型：每 100 辆这样的车有 40 辆在 24 小时内抛锚（通常 4 辆）：12 V 系统电压 10.8 V"
    )
    assert len(ranked.reasons) <= 3
    shown = " ".join(line.en + line.zh for line in ranked.reasons)
    assert [name for name in NAMES if "_" in name and name in shown] == []


@given(st.lists(st.floats(-5, 200), min_size=len(NAMES), max_size=len(NAMES)))
def test_taking_a_driver_away_lowers_the_score_by_what_is_said(numbers: list[float]) -> None:
    weights = np.linspace(-1, 1, len(NAMES))
    model = StubModel(lambda values: 1 / (1 + np.exp(-np.clip(values @ weights / 50, -30, 30))))
    values = np.array([numbers])
    before = model.probability(values)
    for driver, fall in falls(values, before, model).items():
        without = values.copy()
        without[:, drivers_of([driver])] = 0.0
        drop = before[0] - model.probability(without)[0]
        assert fall[0] == pytest.approx(max(drop, 0.0), abs=1e-12)


def test_a_case_that_was_picked_to_learn_from_is_called_and_says_why() -> None:
    standing = replace(standing_of(active_fault("dtc:B1342")), lot=0.01)
    exploring = replace(ranker(), explore_share=0.02)
    picked = rank([standing, replace(standing, lot=0.5)], exploring)
    assert (picked.explain(0).priority, picked.explain(1).priority) == (
        Priority.HIGH,
        Priority.NORMAL,
    )
    assert EXPLORED in picked.explain(0).rules
    assert picked.explain(0).reasons[-1].en.startswith("Picked at random")
    urgent = replace(standing_of(active_fault("dtc:P0C01", Severity.STOP)), lot=0.01)
    assert EXPLORED not in rank([urgent], exploring).explain(0).rules
