"""Learns the calibrated probability that a vehicle is immobilised within 24 hours."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from models.errors import Unusable
from prioritizer.training.candidates import (
    GRID,
    Choice,
    ReportProgress,
    boosting,
    choose,
    few_threads,
    logistic,
    part_of_vehicles,
)
from prioritizer.training.table import Table, fingerprint, places_of, require_usable

CALIBRATION_SHARE: Final = 0.25  # of the vehicles
BASELINE_ROWS: Final = 200_000
BINS: Final = 10
QUANTILES: Final = 1001


@dataclass(frozen=True, slots=True)
class Trained:
    """Everything that training found; nothing in it needs the table any more."""

    model: Any  # CalibratedClassifierCV around the boosted trees
    baseline: Any  # CalibratedClassifierCV around the logistic regression
    names: tuple[str, ...]
    feature_version: str
    fingerprint: str  # of the table
    choice: Choice
    quantiles: tuple[
        float, ...
    ]  # of the highest probability of each case set apart for calibration
    reference: Mapping[str, Any]  # for drift: feature, and "score" → {"edges", "shares", "missing"}
    neutral: Mapping[str, float | None]  # the median of each feature, None where never known
    facts: Mapping[str, Any]  # rows, cases, vehicles, immobilisations, first and last moment, seed

    def probability(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return each row's probability of immobilisation, by the model."""
        return _probability(self.model, values)

    def baseline_probability(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the same by the logistic regression."""
        return _probability(self.baseline, values)


def train(
    table: Table,
    *,
    monotone: Mapping[str, int],
    seed: int,
    report_progress: ReportProgress,
    grid: Sequence[Mapping[str, Any]] = GRID,
) -> Trained:
    """Choose, fit and calibrate on this table alone; keep the rows of the test away from it.

    A quarter of the vehicles is set apart from fitting and used for calibration only. No row is
    repeated or dropped to balance the classes; `weight` is honoured throughout. Above 20,000 rows
    the parameters are chosen, and above 200,000 the baseline is fitted, on all rows of a part of
    the vehicles. The same table and seed give the same probabilities. `report_progress` gets the
    stage, the steps done and their number. Raises `Unusable` for a table that teaches nothing.
    """
    require_usable(table)
    _require_known(monotone, table)
    choice = choose(table, monotone, seed, report_progress, grid)
    is_calibrating = places_of(table.vehicle, "calibrate") < CALIBRATION_SHARE
    fitting, calibrating = table.take(~is_calibrating), table.take(is_calibrating)
    _require_both(fitting, calibrating)
    report_progress("fit", 0, 2)
    learner = boosting(choice.parameters, table.names, monotone, seed)
    model = _calibrated(learner, fitting, calibrating, choice.calibration)
    report_progress("fit", 1, 2)
    part = part_of_vehicles(fitting, BASELINE_ROWS, "baseline")
    baseline = _calibrated(logistic(), part, calibrating, "sigmoid")
    report_progress("fit", 2, 2)
    scores = _probability(model, calibrating.values)
    highest = highest_of_each(scores, calibrating.case)
    columns = dict(zip(table.names, table.values.T, strict=True))
    return Trained(
        model=model,
        baseline=baseline,
        names=table.names,
        feature_version=table.feature_version,
        fingerprint=fingerprint(table),
        choice=choice,
        quantiles=tuple(np.quantile(highest, np.linspace(0, 1, QUANTILES)).round(6).tolist()),
        reference={name: distribution(one) for name, one in (columns | {"score": scores}).items()},
        neutral={name: _median(one) for name, one in columns.items()},
        facts=_facts(table, len(calibrating), seed),
    )


def _require_known(monotone: Mapping[str, int], table: Table) -> None:
    strange = sorted(set(monotone) - set(table.names))
    if strange:
        raise Unusable(
            f"A direction is set for features that the table lacks: {', '.join(strange)}."
        )


def _calibrated(learner: Any, fitting: Table, calibrating: Table, method: str) -> Any:
    is_pipeline = hasattr(learner, "named_steps")
    weight = "logisticregression__sample_weight" if is_pipeline else "sample_weight"
    calibrated = CalibratedClassifierCV(FrozenEstimator(learner), method=method, cv=2)
    with few_threads(len(fitting)), warnings.catch_warnings():
        learner.fit(fitting.values, fitting.is_immobilised, **{weight: fitting.weight})
        # It says that the weights reach the calibration only: the learner had them above.
        warnings.filterwarnings("ignore", message="Since FrozenEstimator does not appear")
        calibrated.fit(
            calibrating.values, calibrating.is_immobilised, sample_weight=calibrating.weight
        )
    return calibrated


def _probability(classifier: Any, values: NDArray[np.float64]) -> NDArray[np.float64]:
    if not len(values):
        return np.zeros(0)
    with few_threads(len(values)):
        probability: NDArray[np.float64] = classifier.predict_proba(values)[:, 1]
    return probability


def _require_both(fitting: Table, calibrating: Table) -> None:
    for what, part in (("fit", fitting), ("calibrate", calibrating)):
        positives = int((part.is_immobilised & (part.weight > 0)).sum())
        if positives < 2 or len(part) - positives < 2:  # noqa: PLR2004 - calibration needs two of each
            raise Unusable(
                f"Too few vehicles: those left to {what} have {positives} immobilisations in "
                f"{len(part)} rows."
            )


def highest_of_each(scores: NDArray[np.float64], group: NDArray[np.str_]) -> NDArray[np.float64]:
    """Return the highest score of each group, in the order of the groups' names."""
    if not len(scores):
        return np.zeros(0)
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.r_[True, group[order][1:] != group[order][:-1]])
    highest: NDArray[np.float64] = np.maximum.reduceat(scores[order], starts)
    return highest


def distribution(column: NDArray[np.float64]) -> dict[str, Any]:
    """Return the shares of at most ten bins of about equal mass.

    Bin i holds edges[i-1] <= x < edges[i], the first and the last are open; `shares` and
    `missing` add up to 1.
    """
    known = column[~np.isnan(column)]
    if not len(known):
        return {"edges": [], "shares": [0.0], "missing": 1.0}
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
    counts = np.bincount(np.searchsorted(edges, known, "right"), minlength=len(edges) + 1)
    return {
        "edges": edges.tolist(),
        "shares": (counts / len(column)).round(6).tolist(),
        "missing": round(1 - len(known) / len(column), 6),
    }


def _median(column: NDArray[np.float64]) -> float | None:
    known = column[~np.isnan(column)]
    return float(np.median(known)) if len(known) else None


def _facts(table: Table, calibration_rows: int, seed: int) -> dict[str, Any]:
    return {
        "rows": len(table),
        "rows_for_calibration": calibration_rows,
        "cases": len(np.unique(table.case)),
        "vehicles": len(np.unique(table.vehicle)),
        "immobilisations": int(table.is_immobilised.sum()),
        "first_at": float(table.at.min()),
        "last_at": float(table.at.max()),
        "seed": seed,
    }
