"""Small learning tables with a known pattern, for the tests of learning."""

import numpy as np

from prioritizer.training.table import Table

DAY = 86400.0


def small_table(rows: int = 1200, *, seed: int = 0, vehicles: int = 300) -> Table:
    """Immobilisation follows `hot` and, where `old` is set, `count`; `noise` says nothing."""
    chance = np.random.default_rng(seed)
    values = chance.normal(size=(rows, 4))
    values[:, 1] = chance.integers(0, 2, rows)
    values[:, 2] = chance.poisson(1.5, rows)
    odds = 2.0 * values[:, 0] + values[:, 1] * values[:, 2] - 3.0
    is_immobilised = chance.random(rows) < 1 / (1 + np.exp(-odds))
    values[chance.random(values.shape) < 0.05] = np.nan
    number = np.arange(rows)
    return Table(
        names=("hot", "old", "count", "noise"),
        values=values,
        is_immobilised=is_immobilised,
        weight=np.ones(rows),
        vehicle=np.array([f"V{one}" for one in chance.integers(0, vehicles, rows)]),
        at=1.7e9 + number * 100 * DAY / rows,
        floor=chance.integers(0, 3, rows).astype(np.int8),
        rule_score=chance.random(rows),
        case=np.array([f"C{one}" for one in number]),
        slices={"model": np.where(number % 3 == 0, "iX3", "i4")},
        feature_version="1",
    )


def quiet(_stage: str, _done: int, _of: int) -> None:
    """Hear nothing of the progress."""
