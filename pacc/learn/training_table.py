"""Makes the table that a model learns from: out of a tape and its truth, or out of the database."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from dispatch.read.outcomes import endings
from ingest.formats.decode import decode
from ingest.store.history import delivered
from ingest.tape import read_tape
from models import memory
from models import tables as t
from models.batch import Decoded, Record
from models.case import VehicleInfo
from models.errors import Unusable
from pacc.decide.policy import Policy
from pacc.learn.labels import Breakdown, Findings, Labels, label
from pacc.learn.samples import ClosedByPeople, Numbered, Sample, number, samples
from prioritizer.features import predictors
from prioritizer.training.table import Table

_AT_ONCE = 2000
_YOUNG, _OLD = 3, 7  # years: the bounds of the age bands


@dataclass(frozen=True, slots=True)
class TrainingTable:
    """A table with a label in every row, and what had none; `hours` to the breakdown, or NaN."""

    table: Table
    hours: NDArray[np.float64]
    unknown: Mapping[str, int]
    codes: frozenset[str]
    samples: tuple[Sample, ...]


def from_tape(
    tapes: Sequence[Path], truth: Path, infos: Mapping[str, VehicleInfo], policy: Policy
) -> TrainingTable:
    """Return the lesson of tapes with a known truth; raise `Unusable` for a truth that is none."""
    stream = (one for tape in tapes for one in _decoded(tape))
    return from_stream(stream, read_truth(truth), infos, policy)


def from_stream(
    stream: Iterable[Decoded],
    stood: Mapping[str, Sequence[Breakdown]],
    infos: Mapping[str, VehicleInfo],
    policy: Policy,
) -> TrainingTable:
    """Return the lesson of a stream and the truth about it."""
    taken = list(samples(stream, policy, infos))
    if not taken:
        raise Unusable("There are no cases in this stream to learn from.")
    return lesson(taken, Findings(stood, max(one.at for one in taken)), policy)


def from_database(
    connection: sa.Connection, policy: Policy, since: datetime | None
) -> TrainingTable:
    """Return the lesson of what people found."""
    outcomes = list(endings(connection))
    by_people = {
        outcome.case_id: ClosedByPeople(outcome.closed_by_people_at, outcome.repaired_at)
        for outcome in outcomes
        if outcome.closed_by_people_at is not None
    }
    stream = delivered(connection, since)
    taken = list(samples(stream, policy, known_infos(connection), by_people))
    if not taken:
        raise Unusable("The database holds no cases to learn from.")
    stood: dict[str, list[Breakdown]] = {}
    breakdowns = (
        (outcome.stood_at, outcome.case_id, outcome)
        for outcome in outcomes
        if outcome.stood_at is not None
    )
    for stood_at, _, outcome in sorted(breakdowns, key=itemgetter(0, 1)):
        stood.setdefault(outcome.vin, []).append(Breakdown(stood_at, outcome.closed_at))
    until = max(moment.at for moment in taken)
    dispositions = {outcome.case_id: outcome.disposition for outcome in outcomes}
    return lesson(taken, Findings(stood, until, dispositions), policy)


def lesson(taken: Sequence[Sample], findings: Findings, policy: Policy) -> TrainingTable:
    """Number and label samples; keep the rows with a label."""
    numbered = number(taken, policy.ranker)
    labels = label(taken, numbered.floor, findings)
    table = _table(numbered, labels)
    kept = np.flatnonzero(labels.is_known)
    codes = frozenset(fault.code for one in taken for fault in one.standing.faults)
    return TrainingTable(
        table.take(kept),
        labels.hours[kept],
        labels.unknown,
        codes,
        tuple(taken[int(row)] for row in kept),
    )


def read_truth(path: Path) -> dict[str, list[Breakdown]]:
    """Read when each vehicle of a simulation stood. Raises `Unusable` with the line."""
    stood: dict[str, list[Breakdown]] = {}
    for line_number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            truth = json.loads(line)
            if truth["immobilised_at"] is None:
                continue
            at, until = _time(truth["immobilised_at"]), _time(truth.get("repaired_at"))
            if at is None:
                continue
            stood.setdefault(truth["vin"], []).append(Breakdown(at, until))
        except (ValueError, KeyError, TypeError) as error:
            raise Unusable(f"{path.name}: line {line_number} is no truth: {error}") from None
    for breakdowns in stood.values():
        breakdowns.sort(key=lambda breakdown: breakdown.at)
    return stood


def known_infos(connection: sa.Connection) -> dict[str, VehicleInfo]:
    """Read the master data of all vehicles."""
    return {
        row["vin"]: memory.vehicle(dict(row), None, {}, (), ()).info
        for row in connection.execute(sa.select(t.vehicle)).mappings()
    }


def _time(spelled: Any) -> datetime | None:
    return datetime.fromisoformat(spelled) if spelled else None


def _decoded(tape: Path) -> Iterator[Decoded]:
    part: list[Record] = []
    for record in read_tape(tape):
        part.append(record)
        if len(part) == _AT_ONCE:
            yield from decode(part, {})
            part = []
    yield from decode(part, {})


def _table(numbered: Numbered, labels: Labels) -> Table:
    taken = numbered.samples
    return Table(
        names=predictors.NAMES,
        values=numbered.values,
        is_immobilised=labels.is_immobilised,
        weight=labels.weight,
        vehicle=np.array([one.vin for one in taken]),
        at=np.array([one.at.timestamp() for one in taken]),
        floor=numbered.floor,
        rule_score=numbered.rule_score,
        case=np.array([one.case_id for one in taken]),
        slices={
            "model": np.array([one.standing.info.model or "unknown" for one in taken]),
            "age": np.array([_age_band(one) for one in taken]),
            "season": np.array([_season(one.at) for one in taken]),
        },
        feature_version=predictors.VERSION,
    )


def _age_band(sample: Sample) -> str:
    year = sample.standing.model_year
    if year is None:
        return "unknown"
    age = sample.at.year - year
    return (
        f"0-{_YOUNG}"
        if age <= _YOUNG
        else f"{_YOUNG + 1}-{_OLD}"
        if age <= _OLD
        else f"{_OLD + 1}+"
    )


def _season(at: datetime) -> str:
    return ("winter", "spring", "summer", "autumn")[(at + timedelta(hours=8)).month % 12 // 3]
