"""What the shipped model reaches on a fleet that it has never seen, and what its ranking costs.

    make bench-model
    python -m bench.model 2000 28 77      # vehicles, days, seed

Rules alone, the model and an oracle that sees the hidden state rank the same cases; the cost of
2,000 rows is the median of thirty, next to the same rows by rules alone.
"""

import json
import sys
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from dispatch.rules.routing import Directory
from pacc.learn import train_and_promote
from pacc.learn.champion import Costs, checked
from pacc.learn.simulated_fleet import oracle_scores, simulated
from pacc.process.settings import Settings
from pacc.simulation.stream import Simulation
from pacc.wiring import pipeline
from prioritizer.model.model import Model
from prioritizer.ranking.rank import Ranker, rank

ROWS = 2000


def shipped() -> Model:
    """Load the model that comes with the package."""
    container, manifest, signature = (
        (pipeline.shipped_model_folder() / name).read_bytes() for name in pipeline.MODEL_FILES
    )
    return checked((container, manifest, signature), pipeline.trusted_keys(Settings()))


def measure(vehicles: int, days: int, seed: int, report: Path | None) -> None:
    """Simulate, judge, print."""
    model, costs = shipped(), Costs()
    policy = pipeline.make_policy_for_desks(Settings(), Directory(()))
    simulation = Simulation("pacc.alerts", vehicles, days * 24, seed)
    lesson = simulated(simulation, policy)
    oracle = oracle_scores(simulation, lesson)
    judged, page = train_and_promote.judge(lesson, model, costs, 1, None, oracle)
    if report is not None:
        report.write_text(page, "utf-8")
    figures = judged["figures"]
    at_rules = {name: one["recall_at_rules_alarms"]["value"] for name, one in figures.items()}
    with_model = replace(policy.ranker, model=model, bands=costs.bands_of(model))
    standings = list(islice(cycle([one.standing for one in lesson.samples]), ROWS))
    alone, together = (
        _milliseconds(lambda by=by: _score(standings, by))  # type: ignore[misc]
        for by in (policy.ranker, with_model)
    )
    print(
        json.dumps(
            {
                "cars": vehicles,
                "days": days,
                "seed": seed,
                **judged["counts"],
                "recall_at_the_rules_own_alarms": at_rules,
                "times_the_rules": round(at_rules["model"] / at_rules["rules"], 3),
                "calibration_error": figures["model"]["ece"],
                "share_of_the_oracles_gain": judged["comparisons"]["share_of_oracle_gain"],
                "average_precision": {
                    name: one["average_precision"] for name, one in figures.items()
                },
                "priority_mix": judged["mix"],
                "raised_against_budget": judged["budget"],
                f"milliseconds_for_{ROWS}_rows": {"rules": alone, "rules and model": together},
            },
            indent=2,
        )
    )


def _score(standings: list, by: Ranker) -> None:  # type: ignore[type-arg]
    ranked = rank(standings, by)
    _ = ranked.priority


def _milliseconds(call: Callable[[], None]) -> float:
    took = []
    for _ in range(30):
        began = time.perf_counter()
        call()
        took.append(time.perf_counter() - began)
    return round(1000 * float(np.median(took)), 2)


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:4]]
    vehicles, days, seed = (*numbers, *(2000, 28, 77)[len(numbers) :])
    measure(vehicles, days, seed, Path(sys.argv[4]) if len(sys.argv) > 4 else None)
