"""Figures against examples worked out by hand, bands against any score, and the report."""

import base64
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from models.errors import Unusable
from prioritizer.model.signing import load_key, new_key
from prioritizer.ranking.bands import Bands, bands, raised
from prioritizer.training.artifact import pack
from prioritizer.training.evaluate import Evaluation, evaluate
from prioritizer.training.figures import Calibration, Ranking, mean_cost, rule_order
from prioritizer.training.model_card import card
from prioritizer.training.report import report_html
from prioritizer.training.table import Table
from prioritizer.training.train import train
from tests.support.tables import quiet, small_table

EVEN = np.linspace(0, 1, 1001).tolist()
BANDS = Bands(0.3, 0.7)
shares = st.floats(0, 0.5)
any_number = st.floats() | st.floats(0, 1) | st.just(np.nan)


def numbers(*values: float) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)


def labels(*values: int) -> NDArray[np.bool_]:
    return np.array(values, dtype=np.bool_)


def small_bands(quantiles: list[float], **changes: float) -> Bands:
    asked: dict[str, float] = {
        "tow_cost": 1,
        "breakdown_cost": 3,
        "urgent_share": 0.05,
        "high_share": 0.15,
    } | changes
    return bands(quantiles, **asked)


def test_bands_follow_costs_until_the_budget_is_tighter() -> None:
    assert small_bands([0.0, 0.1]) == Bands(0.25, 0.5)
    tight = small_bands(EVEN)
    assert (tight.high_at, tight.urgent_at) == pytest.approx((0.8, 0.95))
    assert small_bands([0.0, 0.1], breakdown_cost=0.25) == Bands(0.8, 0.8)


@given(drawn=st.lists(any_number, max_size=50), low=st.floats(0, 1), high=st.floats(0, 1))
def test_no_score_whatever_raises_a_case_unless_it_is_a_probability(
    drawn: list[float], low: float, high: float
) -> None:
    asked = Bands(min(low, high), max(low, high))
    level = raised(numbers(*drawn), asked)
    for said, score in zip(level, drawn, strict=True):
        is_probability = 0 <= score <= 1
        assert said == is_probability * ((score >= asked.high_at) + (score >= asked.urgent_at))


@given(scores=st.lists(st.floats(0, 1), min_size=1, max_size=200), urgent=shares, high=shares)
def test_the_alarm_budget_holds_for_the_cases_that_it_was_made_of(
    scores: list[float], urgent: float, high: float
) -> None:
    scores = sorted({round(score, 6) for score in scores})
    limits = small_bands(
        [scores[0], *scores] if len(scores) == 1 else scores, urgent_share=urgent, high_share=high
    )
    level = raised(np.array(scores), limits)
    assert (level == 2).sum() <= urgent * len(scores) + 1
    assert (level >= 1).sum() <= (urgent + high) * len(scores) + 1
    assert limits.urgent_at >= max(limits.high_at, 0.5)
    assert limits.high_at >= 0.25


@pytest.mark.parametrize(
    "change",
    [
        {"tow_cost": 0},
        {"breakdown_cost": np.nan},
        {"urgent_share": 0.9, "high_share": 0.2},
        {"urgent_share": -0.1},
    ],
)
def test_bands_of_nonsense_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(Unusable):
        small_bands(EVEN, **change)
    for quantiles in ([], [0.5], [0.5, 0.2], [0.0, np.nan], [0.0, 2.0]):
        with pytest.raises(Unusable):
            small_bands(quantiles)
    with pytest.raises(Unusable):
        Bands(0.7, 0.3)


def test_figures_of_five_cases_as_worked_out_by_hand() -> None:
    ranking = Ranking(numbers(0.9, 0.8, 0.7, 0.6, 0.5), labels(1, 0, 1, 0, 0))
    equal = np.ones(5)
    assert ranking.average_precision(equal) == pytest.approx((1 + 2 / 3) / 2)
    assert ranking.recall_at(0.2, equal) == 0.5
    assert ranking.recall_at(0.6, equal) == 1
    assert ranking.recall_at(0.5, equal) == pytest.approx(0.75)  # half of the third case
    heavy = numbers(1, 3, 1, 1, 1)
    assert ranking.average_precision(heavy) == pytest.approx((1 + 2 / 5) / 2)
    tied = Ranking(np.zeros(5), labels(1, 0, 1, 0, 0))
    assert tied.average_precision(equal) == pytest.approx(0.4)
    assert tied.recall_at(0.2, equal) == pytest.approx(0.2)
    assert np.isnan(Ranking(np.zeros(5), labels(0, 0, 0, 0, 0)).average_precision(equal))


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(1, 4)), min_size=2))
def test_average_precision_is_that_of_scikit_learn(rows: list[tuple[int, bool, int]]) -> None:
    scores, label, weight = (np.array(one) for one in zip(*rows, strict=True))
    if label.any():
        ours = Ranking(scores.astype(float), label).average_precision(weight.astype(float))
        assert ours == pytest.approx(average_precision_score(label, scores, sample_weight=weight))


def test_calibration_and_cost_as_worked_out_by_hand() -> None:
    said, came = numbers(0.1, 0.9), labels(0, 1)
    assert Calibration(said, came).brier(np.ones(2)) == pytest.approx(0.01)
    assert Calibration(said, came).error(np.ones(2)) == pytest.approx(0.1)
    assert Calibration(said, came).error(numbers(3, 1)) == pytest.approx(0.1)
    assert Calibration(np.full(20, 0.5), np.arange(20) % 2 == 0).error(np.ones(20)) < 1e-9
    cost = mean_cost(labels(1, 1, 0, 0), labels(1, 0, 1, 0), np.ones(4), 2.0, 10.0)
    assert cost == pytest.approx((2 + 10) / 4)
    order = rule_order(np.array([0, 2, 0], dtype=np.int8), numbers(9, -5, 8))
    assert list(np.argsort(-order)) == [1, 0, 2]


def four_cases() -> Table:
    """Four cases on four vehicles; the first has two rows, the second of them immobilised."""
    return replace(
        small_table(5),
        is_immobilised=labels(0, 1, 0, 1, 0),
        vehicle=np.array(["a", "a", "b", "c", "d"]),
        case=np.array(["1", "1", "2", "3", "4"]),
        floor=np.array([0, 1, 2, 0, 0], dtype=np.int8),
        rule_score=numbers(0, 0, 0, 0.1, 0.2),
        slices={"model": np.array(["x", "x", "x", "y", "y"])},
    )


def judged(table: Table, **changes: Any) -> Evaluation:
    asked: dict[str, Any] = {
        "scores": {
            "model": numbers(0.1, 0.9, 0.2, 0.4, 0.0),
            "oracle": numbers(0, 1, 0, 1, 0),
            "champion": numbers(0.1, 0.9, 0.2, 0.4, 0.0),
        },
        "bands": BANDS,
        "tow_cost": 1.0,
        "breakdown_cost": 4.0,
        "seed": 3,
        "rounds": 50,
        "hours_to_event": numbers(30, 6, np.nan, 10, np.nan),
    } | changes
    return evaluate(table, asked.pop("scores"), **asked)


def test_an_evaluation_of_four_cases_as_worked_out_by_hand() -> None:
    evaluation = judged(four_cases())
    assert evaluation.counts == {
        "rows": 5,
        "cases": 4,
        "vehicles": 4,
        "immobilised_cases": 2,
        "rounds": 50,
    }
    value = {
        name: figures["average_precision"]["value"] for name, figures in evaluation.figures.items()
    }
    # The rules' order is 2 (no), 1 (yes), 4 (no), 3 (yes).
    assert value == pytest.approx({"model": 1.0, "oracle": 1.0, "champion": 1.0, "rules": 0.5})
    assert evaluation.figures["model"]["recall_at_rules_alarms"]["value"] == 1.0
    assert evaluation.figures["rules"]["recall_at_rules_alarms"]["value"] == 0.5
    assert evaluation.figures["rules"]["mean_cost"]["value"] == pytest.approx((1 + 4) / 4)
    assert evaluation.figures["model"]["mean_cost"]["value"] == pytest.approx(1 / 4)
    assert evaluation.comparisons["share_of_oracle_gain"]["value"] == 1.0
    assert evaluation.comparisons["model_minus_champion"] == {"value": 0, "low": 0, "high": 0}
    assert evaluation.mix["rules"] == {"normal": 0.5, "high": 0.25, "urgent": 0.25}
    assert evaluation.mix["with model"] == {"normal": 0.25, "high": 0.25, "urgent": 0.5}
    assert evaluation.lead_time["rules"]["median_hours"] == 6
    assert evaluation.lead_time["with model"]["median_hours"] == 8
    assert evaluation.slices["model"]["x"]["cases"] == 2
    assert json.loads(json.dumps(evaluation.document(), allow_nan=False))


def test_intervals_come_from_whole_vehicles_and_from_the_seed() -> None:
    table = small_table(600)
    scores = {"model": np.nan_to_num(table.values[:, 0])}
    first = judged(table, scores=scores, hours_to_event=None)
    assert first == judged(table, scores=scores, hours_to_event=None)
    assert first != judged(table, scores=scores, hours_to_event=None, seed=4)
    assert first.lead_time == {}
    # Of two vehicles a draw holds one, the other or both: the ends are two of these three.
    half = np.arange(600) < 300
    two = replace(table, vehicle=np.where(half, "one", "two"))
    figure = judged(two, scores=scores, hours_to_event=None).figures["model"]["average_precision"]
    ranking = Ranking(scores["model"], table.is_immobilised)
    weights: list[Any] = [half.astype(float), (~half).astype(float), np.ones(600)]
    drawn = [ranking.average_precision(weight) for weight in weights]
    assert [figure["low"], figure["high"]] == pytest.approx([min(drawn), max(drawn)], abs=1e-6)


def test_scores_that_do_not_fit_are_refused() -> None:
    with pytest.raises(Unusable, match="no scores of the model"):
        judged(four_cases(), scores={})
    for wrong in (np.zeros(4), np.full(5, np.nan)):
        with pytest.raises(Unusable, match="The scores of model"):
            judged(four_cases(), scores={"model": wrong})
    with pytest.raises(Unusable, match="one label only"):
        judged(replace(four_cases(), is_immobilised=np.zeros(5, bool)))


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    grid = ({"max_iter": 10, "learning_rate": 0.2, "max_leaf_nodes": 8, "min_samples_leaf": 20},)
    trained = train(small_table(), monotone={}, seed=1, report_progress=quiet, grid=grid)
    artifact = pack(
        trained,
        judged(four_cases()).document(),
        sign=load_key(new_key()[0]),
        made_at=datetime(2026, 3, 1, tzinfo=UTC),
        revision="abc1234",
    )
    document: dict[str, Any] = json.loads(artifact.manifest)
    return document


def test_the_report_needs_nothing_from_anywhere(manifest: dict[str, Any]) -> None:
    page = report_html(manifest | {"revision": "<script>alert(1)</script>"}, judged(four_cases()))
    assert "<script" not in page
    assert not re.search(r"(https?:)?//\w", re.sub(r"base64,[\w+/=]+", "", page))
    pictures = re.findall(r'<img alt="([^"]{20,})" src="data:image/svg\+xml;base64,([^"]+)">', page)
    assert len(pictures) == 6
    for _, picture in pictures:
        drawn = base64.b64decode(picture).decode()
        named = set(re.findall(r"https?://[^\"'<> ]+", drawn))
        assert named <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    for heading in ("精确率与召回率", "Reliability", "提前量", "Priority mix", "分组"):
        assert heading in page
    assert "color-scheme: light dark" in page


def test_the_card_says_purpose_data_figures_limits_and_the_way_back(
    manifest: dict[str, Any],
) -> None:
    text = card(manifest)
    for said in (
        "Purpose:",
        "1200 rows",
        manifest["data_sha256"],
        "1.000 (1.000 to 1.000)",
        "## Limits",
        "## Rolling back",
        "scikit-learn",
    ):
        assert said in text
    assert "It was not evaluated." in card(manifest | {"metrics": {}})
