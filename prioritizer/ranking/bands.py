"""From a probability to a priority that the model may raise a case to: costs and alarm budget."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.errors import Unusable

LEAST_URGENT: Final = 0.5


@dataclass(frozen=True, slots=True)
class Bands:
    """From these probabilities on (inclusive) a case is raised to high, and to urgent."""

    high_at: float
    urgent_at: float

    def __post_init__(self) -> None:
        if not 0 <= self.high_at <= self.urgent_at <= 1:
            raise Unusable(f"Bands must satisfy 0 <= high <= urgent <= 1: {self}.")


def bands(
    quantiles: Sequence[float],
    *,
    tow_cost: float,
    breakdown_cost: float,
    urgent_share: float,
    high_share: float,
) -> Bands:
    """Return the thresholds; `quantiles` are of the probability of past cases, evenly spaced.

    Acting costs `tow_cost` when it was needless, waiting costs `breakdown_cost` when it was
    not; both in the same money. With probability p, acting is cheaper when
    (1 - p) * tow_cost < p * breakdown_cost, that is from p = tow_cost / (tow_cost +
    breakdown_cost) on (Elkan 2001, "The foundations of cost-sensitive learning", equation 2).

    high_at = max(that, the quantile at 1 - urgent_share - high_share);
    urgent_at = max(high_at, 0.5, the quantile at 1 - urgent_share).

    So on cases like the past ones at most the budget is raised, except for ties at a threshold.
    Raises `Unusable` for costs, shares or quantiles that are none.
    """
    _require(quantiles, tow_cost, breakdown_cost, urgent_share, high_share)
    optimal = tow_cost / (tow_cost + breakdown_cost)
    high_at = max(optimal, _quantile(quantiles, 1 - urgent_share - high_share))
    urgent_at = max(high_at, LEAST_URGENT, _quantile(quantiles, 1 - urgent_share))
    return Bands(high_at, urgent_at)


def raised(probability: NDArray[Any], bands: Bands) -> NDArray[np.int8]:
    """Return per row 0 (leave), 1 (at least high) or 2 (urgent); 0 for what is no probability."""
    values = np.asarray(probability, dtype=np.float64)
    usable = (values >= 0) & (values <= 1)  # false for NaN
    level = (values >= bands.high_at).astype(np.int8) + (values >= bands.urgent_at).astype(np.int8)
    return np.where(usable, level, 0).astype(np.int8)


def _quantile(quantiles: Sequence[float], share: float) -> float:
    places = np.linspace(0, 1, len(quantiles))
    return float(np.interp(share, places, np.asarray(quantiles, dtype=np.float64)))


def _require(
    quantiles: Sequence[float], tow: float, breakdown: float, urgent: float, high: float
) -> None:
    if not (0 < tow < np.inf and 0 < breakdown < np.inf):
        raise Unusable(f"Costs must be positive numbers: tow {tow}, breakdown {breakdown}.")
    if not (urgent >= 0 and high >= 0 and urgent + high <= 1):
        raise Unusable(f"Shares must add up to at most 1: urgent {urgent}, high {high}.")
    values = np.asarray(quantiles, dtype=np.float64)
    if len(values) < 2 or not ((values >= 0) & (values <= 1)).all() or (np.diff(values) < 0).any():  # noqa: PLR2004 - two ends make a range
        raise Unusable("The quantiles must be rising probabilities, at least two.")
