"""A street that goes on: faults of an invented fleet, as if they happened one by one now."""

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from models.words import Status
from pacc.simulation.stream import Simulation

# Which share of what arrives is how bad; livelier than a real day, so that a short visit sees all.
_MIX: Final = {"stop": 0.15, "limited": 0.5, "service": 0.35}
_OF_THE_CAR: Final = ("vin", "model", "position")
_HERE_DEGREES: Final = 1.0
_HERE_SHARE: Final = 0.5


def arrivals(
    simulation: Simulation, here: tuple[float, float], seed: int
) -> Iterator[dict[str, Any]]:
    """Yield alerts without a time, for ever; half of them from cars near `here` (lat, lon)."""
    chance = random.Random(f"{seed} street")
    faults: dict[str, list[dict[str, Any]]] = {name: [] for name in _MIX}
    locals_: list[dict[str, Any]] = []
    for document in _usable(simulation):
        if document["severity"] in _MIX and document.get("status") == Status.ACTIVE:
            faults[document["severity"]].append(document)
        place = document["position"]
        if all(
            abs(place[name] - at) < _HERE_DEGREES
            for name, at in zip(("lat", "lon"), here, strict=True)
        ):
            locals_.append({name: document[name] for name in _OF_THE_CAR if name in document})
    while all(faults.values()) and locals_:
        severity = chance.choices(list(_MIX), weights=list(_MIX.values()))[0]
        fault = chance.choice(faults[severity])
        yield {**fault, **(chance.choice(locals_) if chance.random() < _HERE_SHARE else {})}


def alert_now(document: dict[str, Any], number: int, at: datetime) -> bytes:
    """Return an alert of the street as a canonical alert of now."""
    seen = at - timedelta(seconds=2)
    alert = {
        **document,
        "id": f"street-{number}-{int(at.timestamp() * 1000)}",
        "source": "urn:pacc:demo",
        "observed_at": seen.isoformat(),
    }
    return json.dumps(alert, ensure_ascii=False).encode()


def _usable(simulation: Simulation) -> Iterator[dict[str, Any]]:
    for record in simulation.records():
        try:
            document: dict[str, Any] = json.loads(record.value or b"")["data"]
        except (ValueError, KeyError, TypeError):
            continue  # one of the broken ones
        if isinstance(document, dict) and {"severity", "position", "code"} <= set(document):
            yield document
