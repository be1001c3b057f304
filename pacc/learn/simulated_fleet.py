"""A lesson from an invented fleet, and what an oracle that sees its hidden state says of it."""

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from ingest.formats.decode import decode
from models.case import VehicleInfo
from pacc.decide.policy import Policy
from pacc.learn.labels import Breakdown
from pacc.learn.training_table import TrainingTable, from_stream
from pacc.simulation.fleet import cars
from pacc.simulation.oracle import oracle
from pacc.simulation.stream import Simulation

_AT_ONCE = 2000


def simulated(simulation: Simulation, policy: Policy) -> TrainingTable:
    """Return the lesson of a simulated fleet, with its truth."""
    records = simulation.records()
    stream = (
        one
        for start in range(0, len(records), _AT_ONCE)
        for one in decode(records[start : start + _AT_ONCE], {})
    )
    infos = {
        car.vin: VehicleInfo(car.model, car.powertrain, "CN", car.region)
        for car in cars(simulation.vehicles, simulation.seed)
    }
    return from_stream(stream, _stood(simulation), infos, policy)


def oracle_scores(simulation: Simulation, lesson: TrainingTable) -> NDArray[np.float64]:
    """Return the oracle's probability at every moment of a lesson."""
    probability_of: Callable[[str, datetime], float] = oracle(simulation)
    return np.array([probability_of(one.vin, one.at) for one in lesson.samples], dtype=np.float64)


def _stood(simulation: Simulation) -> dict[str, list[Breakdown]]:
    stood: dict[str, list[Breakdown]] = {}
    for car, truth in simulation.truths:
        if truth.immobilised_at is not None:
            at = simulation.start + timedelta(seconds=truth.immobilised_at)
            until = truth.repaired_at
            repaired = None if until is None else simulation.start + timedelta(seconds=until)
            stood.setdefault(car.vin, []).append(Breakdown(at, repaired))
    for breakdowns in stood.values():
        breakdowns.sort(key=lambda breakdown: breakdown.at)
    return stood
