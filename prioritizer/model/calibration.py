"""From a forest's score to a probability: the two curves that training fits."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# NumPy's own exponential differs in the last bit between processors; the C library's does not.
_exp: Final = np.frompyfunc(math.exp, 1, 1)
_LARGEST_EXPONENT: Final = 709.0  # above, the exponential of a double overflows


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """Platt's curve: 1 / (1 + exp(slope * score + offset))."""

    slope: float
    offset: float

    def __call__(self, scores: Floats) -> Floats:
        """Map scores to probabilities."""
        exponents = np.minimum(self.slope * scores + self.offset, _LARGEST_EXPONENT)
        return 1.0 / (1.0 + np.asarray(_exp(exponents), dtype=np.float64))


@dataclass(frozen=True, slots=True)
class Isotonic:
    """Straight lines between points; constant below the first and above the last."""

    scores: Floats
    probabilities: Floats

    def __call__(self, scores: Floats) -> Floats:
        """Map scores to probabilities."""
        return np.interp(scores, self.scores, self.probabilities)
