"""How well the trainer does on public data that it was not made for: Azure's fleet of machines.

    make bench-azure

An error of a machine stands for an alert, a failure within 24 hours after it for the
immobilisation. Training sees what happened before 2015-08-01, the test is what came from then on.
Everything that is chosen, the threshold too, is chosen on the training part. Features are of
errors, failures and maintenance strictly before the moment, and of the errors of the moment itself.
Forbidden, because they would read this data set's calendar instead of its faults: the time since
maintenance of a component, hour, weekday and month.
"""

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prioritizer.training.figures import Ranking
from prioritizer.training.table import HORIZON_SECONDS, Table, places_of
from prioritizer.training.train import Trained, train

FOLDER = Path(os.environ.get("PACC_SHARED_DATA", "../shared/data")) / "azure_pdm"
CUT = datetime(2015, 8, 1, tzinfo=UTC).timestamp()
HOUR = 3600.0
WINDOWS = {"24h": 24 * HOUR, "3d": 72 * HOUR, "7d": 168 * HOUR}
ERRORS = tuple(f"error{number}" for number in range(1, 6))
SEED = 20150801
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Machine:
    """What happened to one machine: sorted moments by kind, in seconds since 1970."""

    errors: dict[str, Floats]
    failures: dict[str, Floats]
    maintenance: Floats


def read(name: str, what: str) -> dict[str, dict[str, Floats]]:
    """Read a file of events: machine → kind → sorted moments."""
    moments: dict[str, dict[str, list[float]]] = {}
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["datetime"]).replace(tzinfo=UTC).timestamp()
            moments.setdefault(row["machineID"], {}).setdefault(row[what], []).append(at)
    return {
        machine: {kind: np.sort(np.array(times)) for kind, times in kinds.items()}
        for machine, kinds in moments.items()
    }


def machines() -> dict[str, Machine]:
    """Read the fleet."""
    errors, failures = read("PdM_errors.csv", "errorID"), read("PdM_failures.csv", "failure")
    maintained = read("PdM_maint.csv", "comp")
    return {
        name: Machine(kinds, failures.get(name, {}), merged(maintained.get(name, {})))
        for name, kinds in errors.items()
    }


def merged(kinds: dict[str, Floats]) -> Floats:
    """Sort the moments of all kinds into one order."""
    return np.sort(np.concatenate([*kinds.values(), np.zeros(0)]))


def columns(machine: Machine, at: float) -> dict[str, float]:
    """Compute the features of one moment."""
    row: dict[str, float] = {}
    for kind in ERRORS:
        times = machine.errors.get(kind, np.zeros(0))
        row[f"{kind}_now"] = float(at in times)
        row[f"{kind}_since"] = since(times, at)
        row |= {f"{kind}_{name}": within(times, at, width) for name, width in WINDOWS.items()}
    failures = merged(machine.failures)
    # Failures come at one hour of the day: in whole days, so that it does not tell the hour.
    row["failure_since_days"] = since(failures, at) // 24
    row |= {f"failures_{name}": within(failures, at, width) for name, width in WINDOWS.items()}
    row |= {
        f"maintenance_{name}": within(machine.maintenance, at, width)
        for name, width in WINDOWS.items()
    }
    row["errors_now"] = sum(row[f"{kind}_now"] for kind in ERRORS)
    for name in WINDOWS:
        row[f"distinct_{name}"] = float(sum(row[f"{kind}_{name}"] > 0 for kind in ERRORS))
    return row


def since(times: Floats, at: float) -> float:
    """Return the hours since the last one strictly before, NaN when there was none."""
    place = int(np.searchsorted(times, at))
    return (at - times[place - 1]) / HOUR if place else float("nan")


def within(times: Floats, at: float, width: float) -> float:
    """Count those less than or exactly `width` seconds before, and strictly before."""
    return float(np.searchsorted(times, at) - np.searchsorted(times, at - width))


def table_of(fleet: dict[str, Machine]) -> Table:
    """Make the table: one row for each moment at which a machine reported errors."""
    rows, label, names, times = [], [], [], []
    for name, machine in sorted(fleet.items(), key=lambda pair: int(pair[0])):
        failures = merged(machine.failures)
        for at in np.unique(merged(machine.errors)).tolist():
            rows.append(columns(machine, at))
            names.append(name)
            times.append(at)
            label.append(bool(((failures > at) & (failures <= at + HORIZON_SECONDS)).any()))
    count = len(rows)
    return Table(
        names=tuple(rows[0]),
        values=np.array([list(row.values()) for row in rows]),
        is_immobilised=np.array(label),
        weight=np.ones(count),
        vehicle=np.array(names),
        at=np.array(times),
        floor=np.zeros(count, dtype=np.int8),
        rule_score=np.zeros(count),
        case=np.arange(count).astype(str),
        slices={},
        feature_version="azure",
    )


def f1(probability: Floats, label: NDArray[np.bool_], threshold: float) -> float:
    """Return the harmonic mean of precision and recall."""
    alarms = probability >= threshold
    hits = int((alarms & label).sum())
    return 2 * hits / max(int(alarms.sum()) + int(label.sum()), 1)


def threshold_of(table: Table) -> float:
    """Choose where F1 is best on training machines that a model of the others has not seen."""
    probability = np.zeros(len(table))
    group = (places_of(table.vehicle, "threshold") * 3).astype(int)
    for tested_group in range(3):
        trained = learn(table.take(group != tested_group))
        probability[group == tested_group] = trained.probability(
            table.values[group == tested_group]
        )
    tried = np.unique(probability.round(3))
    return float(tried[np.argmax([f1(probability, table.is_immobilised, one) for one in tried])])


def learn(table: Table) -> Trained:
    """Train as the product does."""
    return train(table, monotone={}, seed=SEED, report_progress=lambda *_: None)


def figures(table: Table, probability: Floats, threshold: float) -> Sequence[tuple[str, Any]]:
    """Return the figures of the test part."""
    ranking, weight = Ranking(probability, table.is_immobilised), np.ones(len(table))
    return [
        ("average precision", ranking.average_precision(weight)),
        ("F1 at the chosen threshold", f1(probability, table.is_immobilised, threshold)),
        ("recall in the top 20 %", ranking.recall_at(0.2, weight)),
    ]


def main() -> None:
    """Train before the cut, choose there, and print what comes out after it."""
    table = table_of(machines())
    # A label is known a day later: the last day before the cut teaches nothing.
    before, after = table.take(table.at < CUT - HORIZON_SECONDS), table.take(table.at >= CUT)
    threshold = threshold_of(before)
    trained = learn(before)
    print(
        f"train {len(before)} rows, {before.is_immobilised.sum()} before failures; "
        f"test {len(after)} rows, {after.is_immobilised.sum()}"
    )
    for who, probability in (
        ("model", trained.probability(after.values)),
        ("logistic", trained.baseline_probability(after.values)),
    ):
        for name, value in figures(after, probability, threshold):
            print(f"{who:9} {name:28} {value:.3f}")
    best = max(one["average_precision"] for one in trained.choice.candidates)
    print(
        f"chosen on the training part alone: {dict(trained.choice.parameters)} of "
        f"{len(trained.choice.candidates)} by average precision on folds forward in time "
        f"({best:.3f}), {trained.choice.calibration} calibration, threshold {threshold:.3f} by "
        "F1 on machines held out"
    )


if __name__ == "__main__":
    main()
