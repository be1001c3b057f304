"""A trained model that is ready to rank: arrays only, made from what was checked and loaded."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from prioritizer.model.container import LearnedArrays
from prioritizer.model.forest import Forest

DIGITS: Final = 6


class Model:
    """Says how probable immobilisation within 24 hours is; a row never depends on its batch."""

    def __init__(self, arrays: LearnedArrays, manifest: Mapping[str, Any]) -> None:
        """Set up the forest; raises `ValueError` for trees that are no forest of ours."""
        self.manifest = manifest
        self.version: str = manifest["version"]
        self.neutral: Mapping[str, float | None] = manifest["neutral"]
        counts = manifest.get("metrics", {}).get("counts", {})
        cases = counts.get("cases")
        # the share of cases whose car stood within 24 h, as judged when it was trained
        self.base_rate: float | None = counts["immobilised_cases"] / cases if cases else None
        self._width = len(manifest["names"])
        self._curve = arrays.curve
        self._forest = Forest(arrays.trees, arrays.start)

    def probability(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map (rows, features) to (rows,), 0 to 1 with six digits.

        The columns stand in the order of the manifest's names. NaN and infinities count as not
        known. Raises `ValueError` for another number of columns.
        """
        if values.ndim != 2 or values.shape[1] != self._width:  # noqa: PLR2004 - rows and features
            raise ValueError(f"{values.shape} is not (rows, {self._width})")
        known = np.where(np.isfinite(values), values, np.nan)
        return self._curve(self._forest.score(known)).round(DIGITS)
