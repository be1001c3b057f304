"""Which learner, with which parameters and which calibration: chosen on folds forward in time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from models.errors import Unusable
from prioritizer.training.table import HORIZON_SECONDS, Table, places_of

ReportProgress = Callable[[str, int, int], None]

# Few and small trees: 2,000 rows must be ranked within a batch's time.
GRID: Final[Sequence[Mapping[str, Any]]] = (
    {"max_iter": 100, "learning_rate": 0.10, "max_leaf_nodes": 8, "min_samples_leaf": 20},
    {"max_iter": 150, "learning_rate": 0.10, "max_leaf_nodes": 8, "min_samples_leaf": 40},
    {"max_iter": 100, "learning_rate": 0.06, "max_leaf_nodes": 15, "min_samples_leaf": 40},
    {"max_iter": 100, "learning_rate": 0.10, "max_leaf_nodes": 15, "min_samples_leaf": 20},
)
CUTS: Final = (0.5, 0.75, 1.0)  # shares of the rows in time: a fold is tested between two
GROUPS: Final = 3  # of vehicles; a fold is tested on one, trained on the others
CHOICE_ROWS: Final = 20_000  # above, the choice is made on the rows of a part of the vehicles
ROWS_FOR_THREADS: Final = (
    100_000  # fewer are learnt faster by one thread, on a busy machine tenfold
)
LEAST_FOR_ISOTONIC: Final = 200  # positives; a step function of fewer is noise
ISOTONIC_GAIN: Final = 0.99  # a Brier score that much smaller is worth the coarser order


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen, and every figure that it was chosen by."""

    parameters: Mapping[str, Any]
    calibration: str
    candidates: tuple[Mapping[str, Any], ...]  # {"parameters", "average_precision", "folds"}
    calibrations: Mapping[str, float]  # Brier score of each, empty when there was no choice
    rows: int


def boosting(
    parameters: Mapping[str, Any], names: Sequence[str], monotone: Mapping[str, int], seed: int
) -> HistGradientBoostingClassifier:
    """Make the learner; `monotone` says 1 or -1 for features whose direction is known."""
    return HistGradientBoostingClassifier(
        **parameters,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
        monotonic_cst=[monotone.get(name, 0) for name in names],
    )


def logistic() -> Any:
    """Make the baseline: the median where not known, with a column that says so."""
    return make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(max_iter=300),
    )


def choose(
    table: Table,
    monotone: Mapping[str, int],
    seed: int,
    report_progress: ReportProgress,
    grid: Sequence[Mapping[str, Any]] = GRID,
) -> Choice:
    """Score every candidate by average precision on the same folds and take the best.

    Each fold trains on rows whose label was known before its test rows began, and on other
    vehicles. Of equals the first in the grid wins; it is the smallest.
    """
    small = part_of_vehicles(table, CHOICE_ROWS, "choice")
    pairs = [pair for pair in _folds(small) if _has_both(small, *pair)]
    if not pairs:
        raise Unusable(
            "The immobilisations lie too close together, in time or on too few vehicles, to learn "
            "from earlier ones and check on later ones: collect more."
        )
    candidates: list[Mapping[str, Any]] = []
    scores: list[NDArray[np.float64]] = []
    means: list[float] = []
    for place, parameters in enumerate(grid):
        report_progress("choose", place, len(grid))
        learner = boosting(parameters, small.names, monotone, seed)
        fold_scores = [_fold_scores(learner, small, train, test) for train, test in pairs]
        precisions = [
            _precision(small, test, fold)
            for (_, test), fold in zip(pairs, fold_scores, strict=True)
        ]
        weights = [int(small.is_immobilised[test].sum()) for _, test in pairs]
        means.append(round(float(np.average(precisions, weights=weights)), 6))
        candidates.append(
            {"parameters": dict(parameters), "average_precision": means[-1], "folds": len(pairs)}
        )
        scores.append(np.concatenate(fold_scores))
    report_progress("choose", len(grid), len(grid))
    best = int(np.argmax(means))  # the first of equals
    tested = small.take(np.concatenate([test for _, test in pairs]))
    calibrations = _briers(tested, scores[best])
    return Choice(
        grid[best], _calibration(calibrations), tuple(candidates), calibrations, len(small)
    )


def part_of_vehicles(table: Table, rows: int, salt: str) -> Table:
    """Keep all rows of about as many vehicles as make `rows`; always the same ones."""
    if len(table) <= rows:
        return table
    return table.take(places_of(table.vehicle, salt) < rows / len(table))


def _folds(table: Table) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    group = (places_of(table.vehicle, "fold") * GROUPS).astype(np.int64)
    cuts = np.quantile(table.at, CUTS)
    cuts[-1] = np.inf
    folds = []
    for begin, end in pairwise(cuts):
        for tested_group in range(GROUPS):
            train = (group != tested_group) & (table.at < begin - HORIZON_SECONDS)
            test = (group == tested_group) & (table.at >= begin) & (table.at < end)
            folds.append((np.flatnonzero(train), np.flatnonzero(test)))
    return folds


def _has_both(table: Table, train: NDArray[Any], test: NDArray[Any]) -> bool:
    return all(
        0 < int((table.weight[rows] * table.is_immobilised[rows] > 0).sum()) < len(rows)
        for rows in (train, test)
    )


def _fold_scores(
    learner: Any, table: Table, train: NDArray[Any], test: NDArray[Any]
) -> NDArray[np.float64]:
    with few_threads(len(train)):
        learner.fit(
            table.values[train], table.is_immobilised[train], sample_weight=table.weight[train]
        )
        scores: NDArray[np.float64] = learner.decision_function(table.values[test])
    return scores


def few_threads(rows: int) -> Any:
    """Return a context in which small tables are learnt on one thread: waiting threads spin."""
    return threadpool_limits(limits=1 if rows < ROWS_FOR_THREADS else None)


def _precision(table: Table, test: NDArray[Any], scores: NDArray[np.float64]) -> float:
    return float(
        average_precision_score(
            table.is_immobilised[test], scores, sample_weight=table.weight[test]
        )
    )


def _briers(tested: Table, scores: NDArray[np.float64]) -> Mapping[str, float]:
    """Fit each calibration on the scores of one half of the vehicles, measure it on the other."""
    half = places_of(tested.vehicle, "calibration") < 1 / 2
    label = tested.is_immobilised
    if min(int((label & half).sum()), int((label & ~half).sum())) < LEAST_FOR_ISOTONIC / 2:
        return {}
    calibrated = {name: np.zeros(len(tested)) for name in ("sigmoid", "isotonic")}
    for fit, measured in ((half, ~half), (~half, half)):
        weight = tested.weight[fit]
        line = LogisticRegression(C=1e6).fit(scores[fit, None], label[fit], sample_weight=weight)
        steps = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
        steps.fit(scores[fit], label[fit], sample_weight=weight)
        calibrated["sigmoid"][measured] = line.predict_proba(scores[measured, None])[:, 1]
        calibrated["isotonic"][measured] = steps.predict(scores[measured])
    return {
        name: round(float(brier_score_loss(label, probability, sample_weight=tested.weight)), 6)
        for name, probability in calibrated.items()
    }


def _calibration(briers: Mapping[str, float]) -> str:
    if briers and briers["isotonic"] < ISOTONIC_GAIN * briers["sigmoid"]:
        return "isotonic"
    return "sigmoid"
