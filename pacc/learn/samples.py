"""Goes through a stream again as `decide` does, and notes what the case looked like at each moment.

Training sees the numbers of the pipeline because they come from the same code: the same tracks, the
same columns, the same list of predictors.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from ingest.cluster.dedupe import Deliveries
from ingest.cluster.open_case import CaseChange
from ingest.cluster.vehicle import VehicleState
from models.batch import Decoded, Partition
from models.case import Standing, Vehicle, VehicleInfo
from models.words import Outcome
from pacc.decide.decide import advance, apply
from pacc.decide.policy import Policy
from prioritizer.features.predictors import Numbers
from prioritizer.ranking.rank import Ranker, rank

_AT_ONCE = 5000
_ALWAYS_SAMPLED = (Outcome.OPENED, Outcome.JOINED)


@dataclass(frozen=True, slots=True)
class Sample:
    """A moment worth learning from: a case was opened, joined, or reported for the 2^n-th time."""

    vin: str
    case_id: str
    at: datetime
    standing: Standing


@dataclass(frozen=True, slots=True)
class ClosedByPeople:
    """When people closed a case, and when they had repaired the vehicle, if they did."""

    at: datetime
    repaired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Numbered:
    """Samples and what the pipeline would have computed of them; one row each."""

    samples: tuple[Sample, ...]
    values: Numbers
    floor: "np.ndarray[tuple[int], np.dtype[np.int8]]"
    rule_score: Numbers


def samples(
    stream: Iterable[Decoded],
    policy: Policy,
    infos: Mapping[str, VehicleInfo],
    ends: Mapping[str, ClosedByPeople] | None = None,
) -> Iterator[Sample]:
    """Yield the samples of a stream that is in the order of its arrival.

    `infos` are the master data; `ends` says how people closed cases, by case, where the stream is
    the past of a database and not a tape.
    """
    tracks: dict[str, VehicleState] = {}
    watermark: dict[Partition, datetime] = {}
    deliveries = Deliveries({})
    for decoded in stream:
        advance(watermark, decoded)
        for item, is_new in deliveries.fresh(decoded.items):
            if not is_new:
                continue
            vin = item.vin
            track = tracks.get(vin)
            if track is None:
                track = VehicleState(Vehicle(vin, infos.get(vin, VehicleInfo())), policy.grouping)
                tracks[vin] = track
            _end(track, ends, item.received_at)
            apply(item, decoded.record.partition, tracks, watermark, policy)
            yield from _new(vin, track)


def number(moments: Sequence[Sample], ranker: Ranker) -> Numbered:
    """Compute of samples what the pipeline would have, some thousands at a time."""
    values, floors, scores = [], [], []
    for start in range(0, len(moments), _AT_ONCE):
        ranked = rank([one.standing for one in moments[start : start + _AT_ONCE]], ranker)
        values.append(ranked.values)
        floors.append(ranked.floor)
        scores.append(ranked.rule_score)
    empty = rank([], ranker)
    return Numbered(
        tuple(moments),
        np.concatenate(values) if values else empty.values,
        np.concatenate(floors) if floors else empty.floor,
        np.concatenate(scores) if scores else empty.rule_score,
    )


def _end(track: VehicleState, ends: Mapping[str, ClosedByPeople] | None, at: datetime) -> None:
    ended = ends.get(track.open_case) if ends and track.open_case else None
    if ended is not None and ended.at <= at:
        track.close(ended.at, ended.repaired_at)


def _new(vin: str, track: VehicleState) -> Iterator[Sample]:
    """Remove the moments from the track, so that a long stream is not kept."""
    for chapter in track.cases:
        for moment in chapter.changes:
            if _is_sampled(moment):
                yield Sample(vin, chapter.case_id, moment.at, moment.standing)
        chapter.changes.clear()
    track.cases[:] = track.cases[-1:]


def _is_sampled(moment: CaseChange) -> bool:
    if not moment.standing.faults:
        return False
    if moment.kind is Outcome.REPEATED:
        reports = max(one.count for one in moment.standing.faults)
        return reports & (reports - 1) == 0
    return moment.kind in _ALWAYS_SAMPLED
