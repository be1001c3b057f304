"""From what cars say to what arrives: delays, late ones, duplicates, and broken records."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zlib import crc32

from models.batch import Partition, Record
from models.words import Feed
from pacc.simulation.day import Said, Truth, happens
from pacc.simulation.fleet import Car, cars

SOURCE: Final = "urn:pacc:simulator"
START: Final = datetime(2026, 1, 14, 16, 0, tzinfo=UTC)  # midnight in China


@dataclass(frozen=True, slots=True)
class Trouble:
    """How badly the stream is delivered: shares of all alerts."""

    duplicates: float = 0.03
    late: float = 0.02
    broken: float = 0.005


@dataclass(slots=True)
class Simulation:
    """A stream and what was true. Records are in the order of their arrival."""

    topic: str
    vehicles: int
    hours: float
    seed: int
    trouble: Trouble = field(default_factory=Trouble)
    partitions: int = 4
    start: datetime = START
    truths: list[tuple[Car, Truth]] = field(default_factory=list)

    def records(self) -> list[Record]:
        """Play the day; `truths` holds what was really wrong afterwards."""
        self.truths = []
        arrivals: list[tuple[float, str, bytes]] = []
        for car in cars(self.vehicles, self.seed):
            said, truths = happens(car, self.hours, self.seed)
            self.truths += [(car, truth) for truth in truths]
            arrivals += self._delivered(car, said)
        arrivals.sort()
        offsets = [0] * self.partitions
        made = []
        for second, vin, value in arrivals:
            number = crc32(vin.encode()) % self.partitions
            at = int((self.start + timedelta(seconds=second)).timestamp() * 1000)
            partition = Partition(Feed.TAPE, self.topic, number)
            made.append(Record(partition, offsets[number], at, vin.encode(), value))
            offsets[number] += 1
        return made

    def _delivered(self, car: Car, said: list[Said]) -> Iterator[tuple[float, str, bytes]]:
        chance = random.Random(f"{self.seed} network {car.number}")
        for number, one in enumerate(sorted(said, key=lambda one: one.second)):
            value = json.dumps(self._document(car, number, one), ensure_ascii=False).encode()
            delay = chance.expovariate(1 / 3)
            if chance.random() < self.trouble.late:
                delay += chance.uniform(600, 7200)
            arrives = one.second + delay
            if chance.random() < self.trouble.broken:
                yield arrives, car.vin, broken(chance, value)
                continue
            yield arrives, car.vin, value
            if chance.random() < self.trouble.duplicates:
                yield arrives + chance.uniform(0, 60), car.vin, value

    def _document(self, car: Car, number: int, said: Said) -> dict[str, Any]:
        chance = random.Random(f"{self.seed} place {car.number} {number}")
        at = self.start + timedelta(seconds=said.second)
        return {
            "specversion": "1.0",
            "type": "pacc.alert.v1",
            "id": f"{car.vin}-{number}",
            "source": SOURCE,
            "time": at.isoformat(timespec="milliseconds"),
            "datacontenttype": "application/json",
            "data": {
                "vin": car.vin,
                "observed_at": at.isoformat(timespec="milliseconds"),
                "code": said.code,
                "status": said.status,
                "severity": said.severity,
                "model": car.model,
                "position": {
                    "lat": round(car.lat + chance.gauss(0, 0.02), 5),
                    "lon": round(car.lon + chance.gauss(0, 0.02), 5),
                },
                **said.more,
            },
        }


def broken(chance: random.Random, value: bytes) -> bytes:
    """Break a record in one of the ways in which records are broken."""
    return chance.choice(
        [
            value[: len(value) // 2],
            b"\xff\xfe" + value,
            value.replace(b'"vin": "', b'"vin": "?'),
            value.replace(b'"code": "', b'"codes": "'),
            value.replace(b'"lat": ', b'"lat": 9'),
            b"null",
        ]
    )
