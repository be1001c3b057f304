"""A model that answers what a test says, and a ranker that asks it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from prioritizer.features.predictors import NAMES
from prioritizer.ranking.bands import Bands
from prioritizer.ranking.rank import Ranker
from tests.worlds import ranker

Numbers = NDArray[np.float64]
BANDS = Bands(0.2, 0.6)


@dataclass
class StubModel:
    """A model that answers from the numbers it is given, and remembers them."""

    answer: object = 0.3
    version: str = "test-model"
    neutral: Mapping[str, float | None] = field(default_factory=lambda: dict.fromkeys(NAMES, 0.0))
    base_rate: float | None = 0.04
    seen: list[tuple[float, ...]] = field(default_factory=list)

    def probability(self, values: Numbers) -> Numbers:
        """Answer with one number, or with what a function makes of the rows."""
        self.seen += [tuple(row) for row in values.tolist()]
        if callable(self.answer):
            return np.asarray(self.answer(values), dtype=np.float64)
        return np.full(len(values), self.answer, dtype=np.float64)


def with_model(model: StubModel, bands: Bands = BANDS) -> Ranker:
    """Return a ranker whose rules have this model beside them."""
    return replace(ranker(), model=model, bands=bands)
