"""What the challenger would have done with the cases that it scored beside the champion."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from prioritizer.ranking.bands import Bands, raised


def compared(
    scored: Sequence[tuple[float, float]], champion: Bands, challenger: Bands
) -> dict[str, Any]:
    """Compare pairs (champion's probability, challenger's) of cases.

    `would_raise` and `would_leave` count the cases that only one of the two raises.
    """
    if not scored:
        return {"cases": 0, "mean_difference": None, "would_raise": 0, "would_leave": 0}
    pairs = np.array(scored, dtype=np.float64)
    ours, theirs = raised(pairs[:, 0], champion), raised(pairs[:, 1], challenger)
    return {
        "cases": len(pairs),
        "mean_difference": round(float((pairs[:, 1] - pairs[:, 0]).mean()), 4),
        "mean_distance": round(float(np.abs(pairs[:, 1] - pairs[:, 0]).mean()), 4),
        "would_raise": int((theirs > ours).sum()),
        "would_leave": int((theirs < ours).sum()),
    }
