"""Which moments were followed by a breakdown within 24 hours, and of which nobody can say.

A label comes from the truth of a simulation, or from what people found (dispositions). What is not
known stays unknown and is counted by its reason; it is never taken for harmless. `docs/model.md`
says how each case is treated, and why.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.words import Disposition
from pacc.learn.samples import Sample

WITHIN: Final = timedelta(hours=24)
# The driver stood: a tow, or help on the spot.
STRANDED: Final = frozenset({Disposition.TOWED, Disposition.FIXED_ON_SITE})
# Somebody found out that the vehicle could go on, or it said so itself.
WENT_ON: Final = frozenset(
    {
        Disposition.FIXED_BY_PHONE,
        Disposition.DROVE_TO_DEALER,
        Disposition.REPAIRED,
        Disposition.NO_FAULT_FOUND,
        Disposition.FALSE_ALARM,
        Disposition.HEALED,
    }
)


class Unknown(StrEnum):
    """Why a moment has no label."""

    TOO_YOUNG = "too_young"  # the 24 hours are not over
    STILL_OPEN = "still_open"  # nobody has ended the case: never opened, or in hand
    NOT_REACHED = "not_reached"  # unreachable, declined, already helped: nobody knows


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A vehicle that could not go on, from `at` until it was repaired (None: not known)."""

    at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known afterwards. `ends`: how each case ended; None where every moment is known
    because the truth is (a simulation). Nothing is known after `known_until`."""

    stood: Mapping[str, Sequence[Breakdown]]
    known_until: datetime
    ends: Mapping[str, Disposition | None] | None = None


@dataclass(frozen=True, slots=True)
class Labels:
    """One entry a sample; `hours` to the breakdown (0 if it stood already), NaN without one."""

    is_immobilised: NDArray[np.bool_]
    is_known: NDArray[np.bool_]
    hours: NDArray[np.float64]
    weight: NDArray[np.float64]
    unknown: Mapping[str, int]


def label(samples: Sequence[Sample], floor: NDArray[np.int8], findings: Findings) -> Labels:
    """Label samples; `floor` is the rules' priority of each, by which labels are re-weighted."""
    hours = np.array([_hours(one, findings) for one in samples], dtype=np.float64)
    positive = hours <= WITHIN.total_seconds() / 3600
    why = [None if positive[row] else _unknown(one, findings) for row, one in enumerate(samples)]
    known = np.array([one is None for one in why], dtype=np.bool_)
    counted = Counter(str(one) for one in why if one is not None)
    old_enough = np.array([one is not Unknown.TOO_YOUNG for one in why], dtype=np.bool_)
    weight = _weights(known, old_enough, floor)
    return Labels(positive, known, hours, weight, dict(sorted(counted.items())))


def _hours(sample: Sample, findings: Findings) -> float:
    """Return the hours until the vehicle stands; 0 while it does."""
    stood = findings.stood.get(sample.vin, ())
    next_one = bisect_right([one.at for one in stood], sample.at)
    if next_one:
        last = stood[next_one - 1]
        if last.until is not None and sample.at < last.until:
            return 0.0
    if next_one == len(stood):
        return float("nan")
    return (stood[next_one].at - sample.at).total_seconds() / 3600


def _unknown(sample: Sample, findings: Findings) -> Unknown | None:
    if sample.at + WITHIN > findings.known_until:
        return Unknown.TOO_YOUNG
    if findings.ends is None:
        return None
    ended = findings.ends.get(sample.case_id)
    if ended is None:
        return Unknown.STILL_OPEN
    return None if ended in WENT_ON or ended in STRANDED else Unknown.NOT_REACHED


def _weights(
    known: NDArray[np.bool_], old_enough: NDArray[np.bool_], floor: NDArray[np.int8]
) -> NDArray[np.float64]:
    """Weigh each label by how rare labels are at its priority (inverse propensity): the queue
    decides who is called, so normal cases would otherwise hardly count."""
    weight = np.ones(len(known), dtype=np.float64)
    for rank in np.unique(floor):
        at_rank = floor == rank
        labelled = int((known & at_rank).sum())
        if labelled:
            weight[at_rank] = max(1.0, int((old_enough & at_rank).sum()) / labelled)
    return weight
