"""Learning: what is refused, what may not leak, and a model that opens only when all holds."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from models.errors import ModelRefused, SettingsInvalid, Unusable
from models.words import ModelRefusal
from prioritizer import artifact as artifacts
from prioritizer.artifact import Artifact, pack, unpack
from prioritizer.figures import Calibration
from prioritizer.model import Model
from prioritizer.signing import load_key, new_key, public_key
from prioritizer.table import (
    HORIZON_SECONDS,
    Table,
    fingerprint,
    require_usable,
    split_by_vehicle_and_time,
)
from prioritizer.train import Trained, distribution, highest_of_each, train
from tests.tables import quiet, small_table

PEM, PUBLIC = new_key()
OTHER_PEM, OTHER_PUBLIC = new_key()
TABLE = small_table()
SMALL = (
    {"max_iter": 25, "learning_rate": 0.2, "max_leaf_nodes": 8, "min_samples_leaf": 20},
    {"max_iter": 30, "learning_rate": 0.1, "max_leaf_nodes": 15, "min_samples_leaf": 20},
)
learn = partial(train, monotone={"hot": 1}, seed=7, tell=quiet, grid=SMALL)


@pytest.fixture(scope="module")
def trained() -> Trained:
    return learn(TABLE)


@pytest.fixture(scope="module")
def packed(trained: Trained) -> Artifact:
    return packed_by(trained)


def packed_by(trained: Trained, metrics: Any = None, pem: bytes = PEM) -> Artifact:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return pack(trained, metrics or {}, sign=load_key(pem), made_at=at, revision="abc1234")


def opened(artifact: Artifact, **changes: Any) -> Model:
    asked: dict[str, Any] = {"trusted": [public_key(PUBLIC)], "feature_version": "1",
                             "names": TABLE.names} | changes  # fmt: skip
    return unpack(artifact, **asked)


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
        train(TABLE, monotone={"cold": 1}, seed=1, tell=quiet)
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
    best = max(tried, key=lambda one: float(one["average_precision"]))
    assert len(tried) == len(SMALL)
    assert trained.choice.parameters == best["parameters"]


def test_probabilities_are_calibrated_and_rise_where_they_must(trained: Trained) -> None:
    fresh = small_table(6000, seed=5)
    told = trained.probability(fresh.values)
    assert abs(told.mean() - fresh.is_immobilised.mean()) < 0.04
    assert Calibration(told, fresh.is_immobilised).error(fresh.weight) < 0.06
    hot = np.linspace(-3, 3, 50)
    line = np.column_stack([hot, np.ones(50), np.ones(50), np.zeros(50)])
    assert (np.diff(trained.probability(line)) >= 0).all()


def test_weights_are_honoured_in_learning() -> None:
    doubled = replace(TABLE, weight=np.where(TABLE.is_immobilised, 5.0, 1.0))
    heavy = learn(doubled).probability(TABLE.values).mean()
    assert heavy > TABLE.is_immobilised.mean() + 0.1


def test_the_reference_adds_up_and_the_budget_counts_cases(trained: Trained) -> None:
    assert set(trained.reference) == {*TABLE.names, "score"}
    for one in trained.reference.values():
        assert len(one["shares"]) == len(one["edges"]) + 1
        assert sum(one["shares"]) + one["missing"] == pytest.approx(1, abs=1e-4)
    assert distribution(np.array([np.nan, 1.0, 1.0, 2.0]))["missing"] == 0.25
    assert list(highest_of_each(np.array([1.0, 3, 2]), np.array(["b", "a", "b"]))) == [3, 2]
    assert len(trained.quantiles) == 1001
    assert list(trained.quantiles) == sorted(trained.quantiles)


def test_a_model_comes_back_as_it_was(trained: Trained, packed: Artifact) -> None:
    model = opened(packed)
    slow = trained.probability(TABLE.values)
    assert (model.probability(TABLE.values) == slow.round(6)).all()
    assert model.version == json.loads(packed.manifest)["version"]
    assert len(model.version) == 12
    assert model.manifest["data_sha256"] == fingerprint(TABLE)


def test_the_isotonic_curve_comes_back_as_it_was(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prioritizer.candidates.ISOTONIC_GAIN", 99.0)
    monkeypatch.setattr("prioritizer.candidates.LEAST_FOR_ISOTONIC", 2)
    stepped = learn(TABLE)
    assert (trained.choice.calibration, stepped.choice.calibration) == ("sigmoid", "isotonic")
    told = opened(packed_by(stepped)).probability(TABLE.values)
    assert np.allclose(told, stepped.probability(TABLE.values), atol=1e-6)


@pytest.mark.parametrize("size", [1, 7, 2000])
def test_a_probability_does_not_depend_on_its_batch(packed: Artifact, size: int) -> None:
    model = opened(packed)
    values = small_table(2000, seed=3).values
    whole = model.probability(values)
    rows = range(0, 70 if size == 1 else 2000, size)
    for start in rows:
        part = model.probability(values[start : start + size])
        assert (part == whole[start : start + size]).all()


def test_a_model_answers_whatever_the_readings(packed: Artifact) -> None:
    model = opened(packed)
    strange = np.array([[np.inf, 0, 0, 0], [np.nan, 0, 0, 0], [np.nan] * 4, [1e308, -1e308, 0, 0]])
    told = model.probability(strange)
    assert ((told >= 0) & (told <= 1)).all()
    assert told[0] == told[1]
    assert len(model.probability(np.zeros((0, 4)))) == 0
    with pytest.raises(ValueError, match="is not"):
        model.probability(np.zeros((2, 3)))


def flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def refused(artifact: Artifact, **changes: Any) -> ModelRefusal:
    with pytest.raises(ModelRefused) as error:
        opened(artifact, **changes)
    assert error.value.facts["why"] == error.value.why
    return error.value.why


@pytest.mark.parametrize("part", ["model", "manifest", "signature"])
def test_one_altered_byte_anywhere_refuses_the_model(packed: Artifact, part: str) -> None:
    data = getattr(packed, part)
    for place in (0, len(data) // 3, len(data) - 1):
        altered = replace(packed, **{part: flip(data, place)})
        assert refused(altered) is ModelRefusal.ALTERED


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda one: replace(one, model=b""), ModelRefusal.MISSING),
        (lambda one: replace(one, manifest=b""), ModelRefusal.MISSING),
        (lambda one: replace(one, signature=b""), ModelRefusal.UNSIGNED),
    ],
)
def test_a_part_that_is_not_there_refuses_the_model(
    packed: Artifact, change: Callable[[Artifact], Artifact], why: ModelRefusal
) -> None:
    assert refused(change(packed)) is why


def test_a_model_that_nobody_trusted_has_signed_is_refused(
    trained: Trained, packed: Artifact
) -> None:
    assert refused(packed, trusted=[]) is ModelRefusal.UNSIGNED
    assert refused(packed_by(trained, pem=OTHER_PEM)) is ModelRefusal.UNSIGNED
    both = [public_key(OTHER_PUBLIC), public_key(PUBLIC)]
    assert opened(packed, trusted=both).version


def test_a_model_of_other_features_is_refused(packed: Artifact) -> None:
    assert refused(packed, feature_version="2") is ModelRefusal.FEATURE_VERSION
    assert refused(packed, names=TABLE.names[::-1]) is ModelRefusal.FEATURE_VERSION


@pytest.mark.parametrize("made_by", ["99.0.0", "1.0.2", "0.24.1"])
def test_a_model_of_another_scikit_learn_is_refused(
    trained: Trained, monkeypatch: pytest.MonkeyPatch, made_by: str
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("sklearn.__version__", made_by)
        foreign = packed_by(trained)
    assert refused(foreign) is ModelRefusal.LIBRARY


def test_foreign_types_are_refused_though_signed(trained: Trained) -> None:
    strangers = [
        make_pipeline(FunctionTransformer(json.dumps), LogisticRegression()),  # not allowed
        LogisticRegression(),  # harmless, and not ours
        trained.baseline,  # calibrated, and of no trees
    ]
    for stranger in strangers:
        assert refused(packed_by(replace(trained, model=stranger))) is ModelRefusal.BROKEN
    with pytest.raises(ModelRefused, match="types that are not allowed: json"):
        opened(packed_by(replace(trained, model=strangers[0])))
    dump = skops.io.dumps(trained.model)
    assert set(skops.io.get_untrusted_types(data=dump)) == artifacts.ALLOWED_TYPES


def test_a_signed_manifest_that_lacks_something_is_refused(packed: Artifact) -> None:
    for manifest in (b"{}", b"[]", b"{", b'{"libraries": 3}'):
        signed = Artifact(packed.model, manifest, load_key(PEM).sign(manifest))
        assert refused(signed) is ModelRefusal.BROKEN


def test_keys_that_are_none_are_refused() -> None:
    for text in ("", "AAAA", "not base64!"):
        with pytest.raises(SettingsInvalid):
            public_key(text)
    with pytest.raises(SettingsInvalid):
        load_key(b"-----BEGIN NOTHING-----")
