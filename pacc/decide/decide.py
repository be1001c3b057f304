"""The product as one pure function: what a batch changes, given what is known and the policy."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Final

from ingest.cluster.dedupe import Deliveries
from ingest.cluster.open_case import OpenCase
from ingest.cluster.vehicle import VehicleState
from models.batch import END_OF_TIME, Batch, Decoded, Partition, Report, Snapshot, moment_of
from models.case import Vehicle
from models.decision import Decision, Ended, Known, joined
from models.words import OUTCOME_ORDER, Outcome
from pacc.decide.follow_case import follow
from pacc.decide.policy import Policy
from prioritizer.ranking.rank import rank

_OUTCOME_RANK: Mapping[Outcome, int] = {word: rank for rank, word in enumerate(OUTCOME_ORDER)}
# Of the cases of a batch; each part costs statements, so they are few, however large the batch.
PARTS_AT_MOST: Final = 3
_CHAPTERS_AT_LEAST: Final = 250

_Filed = tuple[Partition, int, Outcome, Report | Snapshot]


def decide(batch: Batch, known: Known, policy: Policy) -> Decision:
    """Decide what a batch changes. Reads no clock, draws no chance, does no I/O.

    `known` must hold every vehicle of the batch that the store has, every fingerprint of the batch
    that was delivered before, and every vehicle whose case heals by the end of the batch.
    """
    return joined(tuple(in_parts(batch, known, policy)))


def in_parts(
    batch: Batch, known: Known, policy: Policy, at_least: int = _CHAPTERS_AT_LEAST
) -> Iterator[Decision]:
    """Decide a batch part by part: what became of its records, then its cases, some at a time.

    The database can work on a part while the next is decided. Joined they are the same decision,
    however large the parts.
    """
    tracks = {
        vin: VehicleState(vehicle, policy.grouping) for vin, vehicle in known.vehicles.items()
    }
    watermark = dict(known.watermark)
    ended, filed = _cluster(batch.decoded, known, tracks, watermark, policy)
    for track in tracks.values():
        track.heal(watermark)
    yield Decision(
        ended=tuple(ended),
        gaps=_gaps(batch),
        reports=tuple(filed),
        vehicles=tuple(_after(track) for track in tracks.values() if _is_changed(track)),
        watermark=watermark,
    )
    told = [(track.before, chapter) for track in tracks.values() for chapter in track.chapters]
    size = max(at_least, ceil(len(told) / PARTS_AT_MOST))
    for start in range(0, len(told), size):
        yield _follow(told[start : start + size], policy)


def watermark_after(
    batch: Batch, before: Mapping[Partition, datetime]
) -> dict[Partition, datetime]:
    """Give the stream time of each partition at the end of a batch: the newest timestamp so far."""
    after = dict(before)
    for decoded in batch.decoded:
        advance(after, decoded)
    return after


def _cluster(
    decoded: Sequence[Decoded],
    known: Known,
    tracks: dict[str, VehicleState],
    watermark: dict[Partition, datetime],
    policy: Policy,
) -> tuple[list[Ended], list[_Filed]]:
    deliveries = Deliveries(known.delivered)
    ended: list[Ended] = []
    filed: list[_Filed] = []
    for one in decoded:
        partition = one.record.partition
        advance(watermark, one)
        outcomes = []
        for item, is_new in deliveries.fresh(one.items):
            outcome = Outcome.DUPLICATE
            if is_new:
                outcome = apply(item, partition, tracks, watermark, policy)
                filed.append((partition, one.record.offset, outcome, item))
            outcomes.append(outcome)
        ended.append(Ended(one, _outcome_of(one, outcomes)))
    return ended, filed


def apply(
    item: Report | Snapshot,
    partition: Partition,
    tracks: dict[str, VehicleState],
    watermark: Mapping[Partition, datetime],
    policy: Policy,
) -> Outcome:
    """Let one delivered item change its vehicle's track, healing by stream time first."""
    vin = item.vin
    track = tracks.get(vin)
    if track is None:
        track = tracks[vin] = VehicleState(Vehicle(vin), policy.grouping)
    track.heal(watermark)
    if isinstance(item, Snapshot):
        return track.snapshot(item, partition)
    return track.report(item, partition)


def _outcome_of(decoded: Decoded, outcomes: Sequence[Outcome]) -> Outcome:
    if outcomes:
        return min(outcomes, key=_OUTCOME_RANK.__getitem__)
    return Outcome.QUARANTINED if decoded.rejected else Outcome.QUIET


def advance(watermark: dict[Partition, datetime], decoded: Decoded) -> None:
    """Stream time never runs back; a record whose timestamp is no date does not move it."""
    partition, timestamp = decoded.record.partition, decoded.record.timestamp
    if not 0 <= timestamp < END_OF_TIME:
        return
    at = moment_of(timestamp)
    if partition not in watermark or at > watermark[partition]:
        watermark[partition] = at


def _follow(told: Sequence[tuple[Vehicle, OpenCase]], policy: Policy) -> Decision:
    moving = [one for one in told if one[1].changes or one[1].closed_at]
    standings = [change.standing for _, chapter in moving for change in chapter.changes]
    ranked = rank(standings, policy.ranker)
    stories = []
    start = 0
    for before, chapter in moving:
        stories.append(follow(before, chapter, ranked, start, policy))
        start += len(chapter.changes)
    return Decision(
        cases=tuple(story.case for story in stories),
        faults=tuple(
            (chapter.case_id, before.vin, chapter.faults[code])
            for before, chapter in told
            for code in sorted(chapter.changed)
        ),
        tasks=tuple((story.vin, task) for story in stories for task in story.tasks),
        entries=tuple(entry for story in stories for entry in story.entries),
        events=tuple(event for story in stories for event in story.events),
    )


def _gaps(batch: Batch) -> dict[Partition, int]:
    held: dict[Partition, int] = {}
    for decoded in batch.decoded:
        held[decoded.record.partition] = held.get(decoded.record.partition, 0) + 1
    return {
        partition: span.end - span.first - held.get(partition, 0)
        for partition, span in batch.spans.items()
    }


def _is_changed(track: VehicleState) -> bool:
    before = track.before
    return (
        track.waiting != before.waiting
        or track.cleared != before.cleared
        or track.history != before.history
    )


def _after(track: VehicleState) -> Vehicle:
    return Vehicle(
        vin=track.before.vin, waiting=track.waiting, cleared=track.cleared, history=track.history
    )
