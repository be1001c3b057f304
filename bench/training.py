"""Trains on a million rows: how long, and how much memory at most.

    make bench-training
    python -m bench.training 1000000 1000 7      # rows, cars of the invented fleet, seed

The rows of an invented fleet are laid side by side until there are enough, each copy with its own
cars and with its readings moved a little, so that no two rows are the same.
"""

import json
import resource
import sys
import time
from dataclasses import replace

import numpy as np

from dispatch.rules.routing import Directory
from pacc.learn.simulated_fleet import simulated
from pacc.process.settings import Settings
from pacc.simulation.stream import Simulation
from pacc.wiring import pipeline
from prioritizer.features.predictors import MONOTONE
from prioritizer.training.table import Table
from prioritizer.training.train import train

DAYS = 28


def widened(table: Table, rows: int, seed: int) -> Table:
    """Repeat a table's rows up to a number, as other cars with slightly other readings."""
    place = np.arange(rows) % len(table)
    suffix = np.char.add("-", (np.arange(rows) // len(table)).astype(str))
    values = table.values[place]
    is_float = np.array([bool(np.any(one % 1 > 0)) for one in np.nan_to_num(table.values).T])
    noise = np.random.default_rng(seed).normal(1.0, 0.005, (rows, int(is_float.sum())))
    values[:, is_float] *= noise
    return replace(
        table.take(place),
        values=values,
        vehicle=np.char.add(table.vehicle[place], suffix),
        case=np.char.add(table.case[place], suffix),
    )


def main(rows: int = 1_000_000, vehicles: int = 1000, seed: int = 7) -> None:
    """Simulate, widen, train, print."""
    policy = pipeline.make_policy_for_desks(Settings(), Directory(()))
    table = simulated(Simulation("pacc.alerts", vehicles, DAYS * 24, seed), policy).table
    wide = widened(table, rows, seed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()

    def report_progress(stage: str, done: int, of: int) -> None:
        print(f"{time.perf_counter() - start:7.0f} s  {stage} {done}/{of}", file=sys.stderr)

    trained = train(wide, monotone=MONOTONE, seed=seed, report_progress=report_progress)
    print(
        json.dumps(
            {
                "rows": rows,
                "rows_of_the_fleet": len(table),
                "immobilisations": trained.facts["immobilisations"],
                "seconds": round(time.perf_counter() - start),
                "mib_before": before // 1024,
                "mib_at_most": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:]))
