"""The product as one pure function: what a batch changes, given what is known and the policy."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from ingest.cluster import Track
from ingest.dedupe import Deliveries
from models.batch import END_OF_TIME, Batch, Decoded, Partition, Report, Snapshot, moment_of
from models.case import Vehicle
from models.decision import Decision, Ended, Known
from models.words import OUTCOME_ORDER, Outcome
from pacc.follow import Story, follow
from pacc.policy import Policy
from prioritizer.rank import rank

_OUTCOME_RANK: Mapping[Outcome, int] = {word: rank for rank, word in enumerate(OUTCOME_ORDER)}
_Filed = tuple[Partition, int, Outcome, Report | Snapshot]


def decide(batch: Batch, known: Known, policy: Policy) -> Decision:
    """Decide what a batch changes. Reads no clock, draws no chance, does no I/O.

    `known` must hold every vehicle of the batch that the store has, every fingerprint of the batch
    that was delivered before, and every vehicle whose case heals by the end of the batch.
    """
    tracks = {vin: Track(vehicle, policy.grouping) for vin, vehicle in known.vehicles.items()}
    watermark = dict(known.watermark)
    ended, filed = _cluster(batch.decoded, known, tracks, watermark, policy)
    for track in tracks.values():
        track.heal(watermark)
    stories = _follow(tracks, policy)
    return Decision(
        ended=tuple(ended),
        gaps=_gaps(batch),
        reports=tuple(filed),
        vehicles=tuple(_after(track) for track in tracks.values() if _is_changed(track)),
        cases=tuple(story.case for story in stories),
        faults=tuple(
            (chapter.case_id, track.before.vin, chapter.faults[code])
            for track in tracks.values()
            for chapter in track.chapters
            for code in sorted(chapter.changed)
        ),
        tasks=tuple((story.vin, task) for story in stories for task in story.tasks),
        entries=tuple(entry for story in stories for entry in story.entries),
        events=tuple(event for story in stories for event in story.events),
        watermark=watermark,
    )


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
    tracks: dict[str, Track],
    watermark: dict[Partition, datetime],
    policy: Policy,
) -> tuple[list[Ended], list[_Filed]]:
    deliveries = Deliveries(known.fingerprints)
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
    tracks: dict[str, Track],
    watermark: Mapping[Partition, datetime],
    policy: Policy,
) -> Outcome:
    """Let one delivered item change its vehicle's track, healing by stream time first."""
    vin = item.vin if isinstance(item, Snapshot) else item.alert.vin
    track = tracks.get(vin)
    if track is None:
        track = tracks[vin] = Track(Vehicle(vin), policy.grouping)
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


def _follow(tracks: Mapping[str, Track], policy: Policy) -> list[Story]:
    chapters = [
        (track, chapter)
        for track in tracks.values()
        for chapter in track.chapters
        if chapter.moments or chapter.closed_at
    ]
    standings = [moment.standing for _, chapter in chapters for moment in chapter.moments]
    ranked = rank(standings, policy.ranker)
    stories = []
    start = 0
    for track, chapter in chapters:
        stories.append(follow(track.before, chapter, ranked, start, policy))
        start += len(chapter.moments)
    return stories


def _gaps(batch: Batch) -> dict[Partition, int]:
    held: dict[Partition, int] = {}
    for decoded in batch.decoded:
        held[decoded.record.partition] = held.get(decoded.record.partition, 0) + 1
    return {
        partition: span.end - span.first - held.get(partition, 0)
        for partition, span in batch.spans.items()
    }


def _is_changed(track: Track) -> bool:
    before = track.before
    return (
        track.waiting != before.waiting
        or track.cleared != before.cleared
        or track.history != before.history
    )


def _after(track: Track) -> Vehicle:
    return Vehicle(
        vin=track.before.vin, waiting=track.waiting, cleared=track.cleared, history=track.history
    )
