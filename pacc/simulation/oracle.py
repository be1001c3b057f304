"""What somebody who sees the hidden state would say: the true risk of standing within a day."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

from pacc.simulation.day import life_of
from pacc.simulation.episode import Episode, risk
from pacc.simulation.fleet import Car, cars
from pacc.simulation.stream import Simulation
from pacc.simulation.world import World


def oracle(simulation: Simulation) -> Callable[[str, datetime], float]:
    """Return (VIN, moment) → probability that the car is immobilised within 24 h of the moment.

    It knows the damage, the weather to come and the owner's habits, never the draw of chance; so
    no model that reads the stream can rank better, but for luck. While a car stands it is 1.
    """
    world = simulation.world
    hidden: dict[str, list[tuple[Car, Episode]]] = defaultdict(list)
    for car in cars(simulation.vehicles, simulation.seed):
        for episode in life_of(world, car).hidden:
            hidden[car.vin].append((car, episode))

    def probability(vin: str, at: datetime) -> float:
        return hidden_risk(world, hidden.get(vin, []), world.second_of(at, simulation.start))

    return probability


def hidden_risk(world: World, hidden: list[tuple[Car, Episode]], at: float) -> float:
    """Return the joint 24 h risk of a car's failing components, as if they were independent."""
    safe = 1.0
    for car, episode in hidden:
        safe *= 1 - risk(world, car, episode, at)
    return 1 - safe
