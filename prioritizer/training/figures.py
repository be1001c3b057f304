"""The figures that a ranking is judged by, from weighted counts; ties count as their average."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

BINS: Final = 10
Floats = NDArray[np.float64]


class Ranking:
    """Scores of cases, grouped by equal score from the highest down; weights come with each call.

    Worked out once, asked again for every draw of a bootstrap.
    """

    def __init__(self, scores: Floats, label: NDArray[np.bool_]) -> None:
        _, inverse = np.unique(-scores, return_inverse=True)
        self.group = inverse.reshape(-1)
        self.groups = int(self.group.max()) + 1 if len(self.group) else 0
        self.label = label.astype(np.float64)

    def reached(self, weight: Floats) -> tuple[Floats, Floats]:
        """Count, down to each distinct score, all cases and those that were immobilised."""
        every = np.bincount(self.group, weight, self.groups)
        hits = np.bincount(self.group, weight * self.label, self.groups)
        return np.cumsum(every), np.cumsum(hits)

    def average_precision(self, weight: Floats) -> float:
        """Sum precision times the step in recall; NaN without an immobilisation."""
        every, hits = self.reached(weight)
        if not len(hits) or hits[-1] <= 0:
            return float("nan")
        precision = np.divide(hits, every, out=np.zeros_like(hits), where=every > 0)
        return float((np.diff(hits, prepend=0.0) * precision).sum() / hits[-1])

    def recall_at(self, share: float, weight: Floats) -> float:
        """Return the share of immobilisations among the first `share` of the cases."""
        every, hits = self.reached(weight)
        if not len(hits) or hits[-1] <= 0:
            return float("nan")
        return float(np.interp(share * every[-1], np.r_[0, every], np.r_[0, hits]) / hits[-1])

    def precision_recall(self, weight: Floats, points: int = 100) -> list[list[float]]:
        """Return at most `points` of (recall, precision), from the highest score down."""
        every, hits = self.reached(weight)
        some: Iterable[int] = (
            np.unique(np.linspace(0, len(every) - 1, points).astype(np.int64)) if len(every) else ()
        )
        return [
            [round(hits[k] / hits[-1], 4), round(hits[k] / every[k], 4)]
            for k in some
            if every[k] > 0 and hits[-1] > 0
        ]

    def gain(self, weight: Floats, shares: Sequence[float]) -> list[list[float]]:
        """Return (share of cases, recall) points."""
        return [[round(one, 4), round(self.recall_at(one, weight), 4)] for one in shares]


class Calibration:
    """Probabilities in ten bins of equal mass; a bin never moves between draws."""

    def __init__(self, probability: Floats, label: NDArray[np.bool_]) -> None:
        place = np.empty(len(probability), dtype=np.int64)
        place[np.argsort(probability, kind="stable")] = np.arange(len(probability))
        self.bin = place * BINS // max(len(probability), 1)
        self.probability, self.label = probability, label.astype(np.float64)

    def brier(self, weight: Floats) -> float:
        """Average the squared distance of probability and outcome."""
        return _average((self.probability - self.label) ** 2, weight)

    def error(self, weight: Floats) -> float:
        """Return the expected calibration error: mean distance of the bins from the diagonal."""
        gap = np.bincount(self.bin, weight * (self.probability - self.label), BINS)
        total = weight.sum()
        return float(np.abs(gap).sum() / total) if total > 0 else float("nan")

    def points(self, weight: Floats) -> list[list[float]]:
        """Return (mean probability, share immobilised, weight) for each bin that holds anything."""
        mass = np.bincount(self.bin, weight, BINS)
        predicted = np.bincount(self.bin, weight * self.probability, BINS)
        observed = np.bincount(self.bin, weight * self.label, BINS)
        return [
            [round(predicted[k] / mass[k], 4), round(observed[k] / mass[k], 4), round(mass[k], 1)]
            for k in range(BINS)
            if mass[k] > 0
        ]


def mean_cost(
    is_alarm: NDArray[np.bool_], label: NDArray[np.bool_], weight: Floats, tow: float, missed: float
) -> float:
    """Average over cases: `tow` for a needless alarm, `missed` for an immobilisation without."""
    cost = np.where(is_alarm & ~label, tow, 0.0) + np.where(~is_alarm & label, missed, 0.0)
    return _average(cost, weight)


def rule_order(floor: NDArray[np.int8], rule_score: Floats) -> Floats:
    """Return the rules' own order: by floor, inside it by score (any finite numbers)."""
    low, high = (float(rule_score.min()), float(rule_score.max())) if len(rule_score) else (0, 0)
    return floor + (rule_score - low) / (1 + high - low)


def interval(value: float, draws: Floats) -> dict[str, float | None]:
    """Return the value and the middle 95 % of its draws; what could not be computed is None."""
    known = draws[np.isfinite(draws)]
    low, high = np.quantile(known, (0.025, 0.975)) if len(known) else (np.nan, np.nan)
    return {"value": _plain(value), "low": _plain(low), "high": _plain(high)}


def _plain(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None


def _average(values: Floats, weight: Floats) -> float:
    total = weight.sum()
    return float((values * weight).sum() / total) if total > 0 else float("nan")
