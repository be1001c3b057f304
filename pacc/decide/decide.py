"""The product as one pure function: what a batch changes, given what is known and the policy."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Final

from ingest.cluster.dedupe import Deliveries
from ingest.cluster.open_case import OpenCase
from ingest.cluster.vehicle import VehicleState
from models.batch import Batch, Decoded, Partition, Report, Snapshot, moment_of
from models.case import Vehicle
from models.decision import Decision, Ended, Known, joined
from models.words import OUTCOME_ORDER, Outcome
from pacc.decide.follow_case import follow
from pacc.decide.policy import Policy
from prioritizer.ranking.rank import rank

_OUTCOME_RANK: Mapping[Outcome, int] = {word: rank for rank, word in enumerate(OUTCOME_ORDER)}
# Of the cases of a batch; each part costs statements, so they are few, however large the batch.
PARTS_AT_MOST: Final = 3
_CASES_AT_LEAST: Final = 250

_Filed = tuple[Partition, int, Outcome, Report | Snapshot]


def decide(batch: Batch, known: Known, policy: Policy) -> Decision:
    """Decide what a batch changes. Reads no clock, draws no chance, does no I/O.

    `known` must hold every vehicle of the batch that the store has, every fingerprint of the batch
    that was delivered before, and every vehicle whose case heals by the end of the batch.
    """
    return joined(tuple(in_parts(batch, known, policy)))


def in_parts(
    batch: Batch, known: Known, policy: Policy, at_least: int = _CASES_AT_LEAST
) -> Iterator[Decision]:
    """Decide a batch part by part: what became of its records, then its cases, some at a time.

    The database can work on a part while the next is decided. Joined they are the same decision,
    however large the parts.
    """
    states = {
        vin: VehicleState(vehicle, policy.grouping) for vin, vehicle in known.vehicles.items()
    }
    watermark = dict(known.watermark)
    ended, filed = _cluster(batch, known, states, watermark, policy)
    for state in states.values():
        state.heal(watermark)
    yield Decision(
        ended=tuple(ended),
        gaps=_gaps(batch),
        reports=tuple(filed),
        vehicles=tuple(_after(state) for state in states.values() if _is_changed(state)),
        watermark=watermark,
    )
    cases = [(state.before, case) for state in states.values() for case in state.cases]
    size = max(at_least, ceil(len(cases) / PARTS_AT_MOST))
    for start in range(0, len(cases), size):
        yield _follow(cases[start : start + size], policy)


def watermark_after(
    batch: Batch, before: Mapping[Partition, datetime]
) -> dict[Partition, datetime]:
    """Return each partition's stream time at the end of a batch: the newest timestamp so far."""
    after = dict(before)
    for decoded in batch.decoded:
        advance(after, decoded)
    return after


def _cluster(
    batch: Batch,
    known: Known,
    states: dict[str, VehicleState],
    watermark: dict[Partition, datetime],
    policy: Policy,
) -> tuple[list[Ended], list[_Filed]]:
    deliveries = Deliveries(known.delivered)
    ended: list[Ended] = []
    filed: list[_Filed] = []
    for decoded in batch.decoded:
        partition = decoded.record.partition
        advance(watermark, decoded)
        outcomes = []
        for item, is_new in deliveries.fresh(decoded.items):
            outcome = Outcome.DUPLICATE
            if is_new:
                outcome = apply(item, partition, states, watermark, policy)
                filed.append((partition, decoded.record.offset, outcome, item))
            outcomes.append(outcome)
        ended.append(Ended(decoded, _outcome_of(decoded, outcomes)))
    return ended, filed


def apply(
    item: Report | Snapshot,
    partition: Partition,
    states: dict[str, VehicleState],
    watermark: Mapping[Partition, datetime],
    policy: Policy,
) -> Outcome:
    """Apply one delivered item to its vehicle, healing what is due first."""
    vin = item.vin
    state = states.get(vin)
    if state is None:
        state = states[vin] = VehicleState(Vehicle(vin), policy.grouping)
    state.heal(watermark, item.observed_at)
    if isinstance(item, Snapshot):
        return state.snapshot(item, partition)
    return state.report(item, partition)


def _outcome_of(decoded: Decoded, outcomes: Sequence[Outcome]) -> Outcome:
    if outcomes:
        return min(outcomes, key=_OUTCOME_RANK.__getitem__)
    return Outcome.QUARANTINED if decoded.rejected else Outcome.QUIET


def advance(watermark: dict[Partition, datetime], decoded: Decoded) -> None:
    """Move stream time on: never back, and not by a record whose timestamp is no date."""
    partition, at = decoded.record.partition, moment_of(decoded.record.timestamp)
    if at is not None and (partition not in watermark or at > watermark[partition]):
        watermark[partition] = at


def _follow(cases: Sequence[tuple[Vehicle, OpenCase]], policy: Policy) -> Decision:
    moving = [pair for pair in cases if pair[1].changes or pair[1].closed_at]
    standings = [change.standing for _, case in moving for change in case.changes]
    ranked = rank(standings, policy.ranker)
    results = []
    start = 0
    for before, case in moving:
        results.append(follow(before, case, ranked, start, policy))
        start += len(case.changes)
    return Decision(
        cases=tuple(result.case for result in results),
        faults=tuple(
            (case.case_id, before.vin, case.faults[code])
            for before, case in cases
            for code in sorted(case.changed)
        ),
        tasks=tuple((result.vin, task) for result in results for task in result.tasks),
        reopened=tuple(task_id for result in results for task_id in result.reopened),
        entries=tuple(entry for result in results for entry in result.entries),
        events=tuple(event for result in results for event in result.events),
    )


def _gaps(batch: Batch) -> dict[Partition, int]:
    records: dict[Partition, int] = {}
    for decoded in batch.decoded:
        records[decoded.record.partition] = records.get(decoded.record.partition, 0) + 1
    return {
        partition: span.end - span.first - records.get(partition, 0)
        for partition, span in batch.spans.items()
    }


def _is_changed(state: VehicleState) -> bool:
    before = state.before
    return (
        state.waiting != before.waiting
        or state.cleared != before.cleared
        or state.history != before.history
    )


def _after(state: VehicleState) -> Vehicle:
    return Vehicle(
        vin=state.before.vin, waiting=state.waiting, cleared=state.cleared, history=state.history
    )
