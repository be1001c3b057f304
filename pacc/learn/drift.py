"""How far the cases of now have moved from those that a model was trained on.

The measure is the population stability index, the sum over bins of (now - then) * ln(now / then)
(Siddiqi, "Credit Risk Scorecards", 2006: below 0.1 stable, above 0.25 moved). An empty bin counts
as one ten-thousandth.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from models.errors import Unusable
from pacc.learn.training_table import TrainingTable
from prioritizer.training.figures import Calibration

MOVED: Final = 0.25
_LEAST_SHARE: Final = 1e-4
_FEWEST_ROWS: Final = 200
_FEWEST_LABELS: Final = 30


class _Model(Protocol):
    version: str
    manifest: Mapping[str, Any]

    def probability(self, values: NDArray[np.float64]) -> NDArray[np.float64]: ...


def drifted(lesson: TrainingTable, model: _Model) -> dict[str, Any]:
    """Compare a lesson with the reference in a model's manifest.

    `moved` names what is above 0.25; `calibration_error` is None until enough breakdowns are known.
    Raises `Unusable` for fewer than 200 moments.
    """
    table = lesson.table
    if len(table) < _FEWEST_ROWS:
        raise Unusable(
            f"{len(table)} moments are too few to speak of drift: {_FEWEST_ROWS} at least."
        )
    reference = model.manifest["reference"]
    probability = model.probability(table.values)
    index = {
        name: stability(reference[name], table.values[:, place])
        for place, name in enumerate(table.names)
    }
    score = stability(reference["score"], probability)
    is_labelled = int(table.is_immobilised.sum()) >= _FEWEST_LABELS
    error = Calibration(probability, table.is_immobilised).error(table.weight)
    known = set(model.manifest["metrics"]["codes"])
    return {
        "version": model.version,
        "moments": len(table),
        "moved": sorted(name for name, one in {**index, "score": score}.items() if one > MOVED),
        "score": round(score, 4),
        "features": {name: round(one, 4) for name, one in index.items()},
        "new_codes": sorted(lesson.codes - known),
        "calibration_error": round(float(error), 4) if is_labelled else None,
    }


def stability(reference: Mapping[str, Any], column: NDArray[np.float64]) -> float:
    """Return the population stability index of a column against a reference distribution."""
    missing = np.isnan(column)
    edges = np.asarray(reference["edges"], dtype=np.float64)
    places = np.searchsorted(edges, column[~missing], side="right")
    counts = np.bincount(places, minlength=len(edges) + 1)
    now = np.append(counts, missing.sum()) / max(len(column), 1)
    then = np.append(np.asarray(reference["shares"], dtype=np.float64), reference["missing"])
    now, then = np.maximum(now, _LEAST_SHARE), np.maximum(then, _LEAST_SHARE)
    return float(((now - then) * np.log(now / then)).sum())
