"""Learning: what is refused, what may not leak, and a model that opens only when all holds."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import Unusable
from prioritizer.training.figures import Calibration
from prioritizer.training.table import (
    HORIZON_SECONDS,
    Table,
    fingerprint,
    require_usable,
    split_by_vehicle_and_time,
)
from prioritizer.training.train import Trained, distribution, highest_of_each, train
from tests.support.tables import quiet, small_table

TABLE = small_table()


SMALL = (
    {"max_iter": 25, "learning_rate": 0.2, "max_leaf_nodes": 8, "min_samples_leaf": 20},
    {"max_iter": 30, "learning_rate": 0.1, "max_leaf_nodes": 15, "min_samples_leaf": 20},
)


learn = partial(train, monotone={"hot": 1}, seed=7, report_progress=quiet, grid=SMALL)


@pytest.fixture(scope="module")
def trained() -> Trained:
    return learn(TABLE)


def column(place: int, value: Any) -> Table:
    values = TABLE.values.copy()
    values[:, place] = value
    return replace(TABLE, values=values)


def changed(name: str, value: Any) -> Table:
    return replace(TABLE, **{name: value})


def infinite() -> Table:
    values = TABLE.values.copy()
    values[:3, 2] = np.inf
    return replace(TABLE, values=values)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (TABLE.take(np.arange(150)), "150 rows, at least 200"),
        (replace(TABLE, is_immobilised=np.arange(1200) < 29), "29 immobilisations, at least 30"),
        (replace(TABLE, is_immobilised=np.zeros(1200, bool)), "one label"),
        (replace(TABLE, is_immobilised=np.ones(1200, bool)), "one label"),
        (infinite(), r"Infinity in feature count \(3 rows\)"),
        (replace(TABLE, names=("hot", "old", "old", "noise")), "stand twice: old"),
        (column(3, TABLE.is_immobilised), "Feature noise alone tells the classes apart"),
        (column(3, -1.0 * TABLE.is_immobilised), "Feature noise alone"),
        (column(3, np.where(TABLE.is_immobilised, TABLE.at, np.nan)), "Feature noise alone"),
        (replace(TABLE, vehicle=TABLE.vehicle[:-1]), "vehicle has 1199 entries for 1200 rows"),
        (replace(TABLE, slices={"age": TABLE.vehicle[:5]}), "age has 5 entries"),
        (replace(TABLE, names=TABLE.names[:3]), r"shape \(1200, 4\)"),
        (replace(TABLE, rule_score=np.full(1200, np.nan)), "rule_score is not a finite number"),
        (replace(TABLE, weight=-TABLE.weight), "Weights must not be negative"),
    ],
)
def test_a_table_that_cannot_teach_is_refused_with_what_and_how_many(
    table: Table, said: str
) -> None:
    with pytest.raises(Unusable, match=said):
        learn(table)


def test_features_of_another_program_are_refused() -> None:
    with pytest.raises(Unusable, match="features of version 1, this program computes 2"):
        require_usable(TABLE, feature_version="2")
    with pytest.raises(Unusable, match="does not know: noise"):
        require_usable(TABLE, known=("hot", "old", "count"))
    with pytest.raises(Unusable, match="that the table lacks: cold"):
        train(TABLE, monotone={"cold": 1}, seed=1, report_progress=quiet)
    require_usable(TABLE, feature_version="1", known=TABLE.names)


@settings(max_examples=25, deadline=None)
@given(share=st.floats(0.1, 0.6), seed=st.integers(0, 99))
def test_train_and_test_share_no_vehicle_and_never_go_back_in_time(share: float, seed: int) -> None:
    table = small_table(400, seed=seed, vehicles=60)
    split = split_by_vehicle_and_time(table, share)
    assert not set(split.train.vehicle) & set(split.test.vehicle)
    assert len(split.train) + len(split.test) + split.left_out == len(table)
    if len(split.train) and len(split.test):
        assert split.train.at.max() + HORIZON_SECONDS < split.test.at.min()
    turned = split_by_vehicle_and_time(table.take(np.arange(len(table))[::-1]), share)
    assert sorted(turned.test.case) == sorted(split.test.case)


def test_the_fingerprint_changes_with_every_part_and_with_nothing_else() -> None:
    shorter = replace(TABLE, slices={})
    names = ("weight", "at", "rule_score")
    others = [changed(name, getattr(TABLE, name) + 1) for name in names]
    flipped = replace(TABLE, is_immobilised=~TABLE.is_immobilised)
    renamed = [changed(name, TABLE.at.astype(str)) for name in ("vehicle", "case")]
    every = [
        TABLE,
        shorter,
        *others,
        flipped,
        *renamed,
        column(0, 0.0),
        replace(TABLE, floor=TABLE.floor * 0),
    ]
    assert len({fingerprint(one) for one in every}) == len(every)
    wide = replace(TABLE, vehicle=TABLE.vehicle.astype("U99"))
    assert fingerprint(wide) == fingerprint(TABLE) == fingerprint(small_table())


def test_the_same_table_and_seed_give_the_same_probabilities(trained: Trained) -> None:
    again = learn(small_table())
    assert (again.probability(TABLE.values) == trained.probability(TABLE.values)).all()
    assert (
        again.baseline_probability(TABLE.values) == trained.baseline_probability(TABLE.values)
    ).all()
    assert again.choice == trained.choice


def test_what_was_chosen_is_the_best_of_all_that_was_tried(trained: Trained) -> None:
    tried = trained.choice.candidates
    best = max(tried, key=lambda candidate: float(candidate["average_precision"]))
    assert len(tried) == len(SMALL)
    assert trained.choice.parameters == best["parameters"]


def test_probabilities_are_calibrated_and_rise_where_they_must(trained: Trained) -> None:
    fresh = small_table(6000, seed=5)
    probabilities = trained.probability(fresh.values)
    assert abs(probabilities.mean() - fresh.is_immobilised.mean()) < 0.04
    assert Calibration(probabilities, fresh.is_immobilised).error(fresh.weight) < 0.06
    hot = np.linspace(-3, 3, 50)
    line = np.column_stack([hot, np.ones(50), np.ones(50), np.zeros(50)])
    assert (np.diff(trained.probability(line)) >= 0).all()


def test_weights_are_honoured_in_learning() -> None:
    doubled = replace(TABLE, weight=np.where(TABLE.is_immobilised, 5.0, 1.0))
    heavy = learn(doubled).probability(TABLE.values).mean()
    assert heavy > TABLE.is_immobilised.mean() + 0.1


def test_the_reference_adds_up_and_the_budget_counts_cases(trained: Trained) -> None:
    assert set(trained.reference) == {*TABLE.names, "score"}
    for histogram in trained.reference.values():
        assert len(histogram["shares"]) == len(histogram["edges"]) + 1
        assert sum(histogram["shares"]) + histogram["missing"] == pytest.approx(1, abs=1e-4)
    assert distribution(np.array([np.nan, 1.0, 1.0, 2.0]))["missing"] == 0.25
    assert list(highest_of_each(np.array([1.0, 3, 2]), np.array(["b", "a", "b"]))) == [3, 2]
    assert len(trained.quantiles) == 1001
    assert list(trained.quantiles) == sorted(trained.quantiles)
