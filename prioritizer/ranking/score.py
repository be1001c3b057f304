"""The rule score, 0 to 1: the order of cases inside a priority, until the trained model ranks.

A weighted sum of what makes a breakdown near or dear. The weights are assumed, add up to 1, and
are written down here so that anybody can see why one case stands above another. Only + * min max
and comparisons are used, so that a row scores the same in a batch of any size.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from prioritizer.features.codes import SYSTEM_BIT
from prioritizer.features.features import Columns

_CORE: Final = sum(
    SYSTEM_BIT[name] for name in ("propulsion", "braking", "steering", "high_voltage")
)

WEIGHTS: Final = {
    "worst": 0.40,  # severity of the worst fault, info 0 to stop 1
    "core": 0.15,  # propulsion, braking, steering or high voltage fails
    "limiteds": 0.15,  # limited or stop faults at once, full at three
    "low_charge": 0.10,  # state of charge below 20 %
    "weak_12v": 0.08,  # 12 V system below 12.0 V
    "frost": 0.04,  # below 0 degrees C
    "repeat": 0.05,  # back within thirty days of a repair
    "flicker": 0.03,  # came back often, full at five times
}


def score(columns: Columns) -> NDArray[np.float64]:
    """Return every row's score, 0 to 1; a reading that is not known adds nothing."""
    grave = columns["stop_systems"] | columns["lost_systems"]
    parts: dict[str, NDArray[Any]] = {
        "worst": columns["worst"] / 3,
        "core": (grave & _CORE) != 0,
        "limiteds": np.minimum(columns["limiteds"] + columns["stops"], 3) / 3,
        "low_charge": columns["state_of_charge"] < 0.2,  # noqa: PLR2004 - named in WEIGHTS
        "weak_12v": columns["low_voltage_v"] < 12.0,  # noqa: PLR2004 - named in WEIGHTS
        "frost": columns["ambient_c"] < 0,
        "repeat": columns["repeat_repair"],
        "flicker": np.minimum(columns["returns"], 5) / 5,
    }
    total = np.zeros(len(columns["worst"]), dtype=np.float64)
    for name, weight in WEIGHTS.items():
        total = total + weight * parts[name]
    return np.minimum(total, 1.0)
