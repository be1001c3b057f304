"""A trained model that is ready to rank: arrays only, made from what was checked and loaded."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression

from prioritizer.model.forest import Forest

DIGITS: Final = 6
_Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class NotOurs(ValueError):
    """The object is no calibrated tree model of this program."""


class Model:
    """Says how probable immobilisation within 24 hours is; a row never depends on its batch."""

    def __init__(self, calibrated: Any, manifest: Mapping[str, Any]) -> None:
        """Take the arrays out of a `CalibratedClassifierCV`; raises `NotOurs` for anything else."""
        self.manifest = manifest
        self.version: str = manifest["version"]
        self.neutral: Mapping[str, float | None] = manifest["neutral"]
        self._width = len(manifest["names"])
        trees, self._curve = _taken_apart(calibrated, self._width)
        self._forest = trees

    def probability(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map (rows, features) to (rows,), 0 to 1 with six digits.

        The columns stand in the order of the manifest's names. NaN and infinities count as not
        known. Raises `ValueError` for another number of columns.
        """
        if values.ndim != 2 or values.shape[1] != self._width:  # noqa: PLR2004 - rows and features
            raise ValueError(f"{values.shape} is not (rows, {self._width})")
        known = np.where(np.isfinite(values), values, np.nan)
        return self._curve(self._forest.score(known)).round(DIGITS)


def _taken_apart(calibrated: Any, width: int) -> tuple[Forest, _Curve]:
    if type(calibrated) is not CalibratedClassifierCV:
        raise NotOurs(f"it is a {type(calibrated).__name__}")
    (one,) = calibrated.calibrated_classifiers_
    frozen = one.estimator
    learner = frozen.estimator if type(frozen) is FrozenEstimator else frozen
    if type(learner) is not HistGradientBoostingClassifier:
        raise NotOurs(f"it calibrates a {type(learner).__name__}")
    if learner.n_features_in_ != width or list(learner.classes_) != [False, True]:
        raise NotOurs("its features or classes are not those of the manifest")
    trees = [tree.nodes for (tree,) in learner._predictors]
    (calibrator,) = one.calibrators
    return Forest(trees, float(learner._baseline_prediction.item())), _curve(calibrator)


def _curve(calibrator: Any) -> _Curve:
    if type(calibrator) is IsotonicRegression:
        at, steps = calibrator.X_thresholds_, calibrator.y_thresholds_
        return lambda scores: np.interp(scores, at, steps)
    slope, offset = float(calibrator.a_), float(calibrator.b_)
    return lambda scores: expit(-(slope * scores + offset))
