"""From what cars say to what arrives: delays, late ones, duplicates, and broken records."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zlib import crc32

import orjson

from models.batch import Partition, Record
from models.words import Feed
from pacc.simulation.day import Truth, life_of
from pacc.simulation.fleet import Car, cars
from pacc.simulation.update import Update, with_update
from pacc.simulation.voice import Utterance
from pacc.simulation.world import World, make_world

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
    acceleration: float | None = None
    update: Update | None = None
    truths: list[tuple[Car, Truth]] = field(default_factory=list)

    @property
    def world(self) -> World:
        """Return the weather and the calendar of this simulation, new from its seed."""
        return make_world(self.start, self.hours, self.seed, self.acceleration)

    def records(self) -> list[Record]:
        """Return all records; afterwards `truths` is what was really wrong."""
        self.truths = []
        world = self.world
        arrivals: list[tuple[float, str, bytes]] = []
        for car in cars(self.vehicles, self.seed):
            life = life_of(world, car)
            if self.update is not None:
                life, wave = with_update(world, car, life, self.update)
                arrivals += self._delivered(car, wave, "update")
            self.truths += [(car, truth) for truth in life.truths]
            arrivals += self._delivered(car, life.utterances)
        arrivals.sort()
        return self._numbered(arrivals)

    def _numbered(self, arrivals: list[tuple[float, str, bytes]]) -> list[Record]:
        parts = [Partition(Feed.TAPE, self.topic, number) for number in range(self.partitions)]
        offsets = [0] * self.partitions
        began = self.start.timestamp()
        records = []
        for second, vin, value in arrivals:
            key = vin.encode()
            number = crc32(key) % self.partitions
            at = int((began + second) * 1000)
            records.append(Record(parts[number], offsets[number], at, key, value))
            offsets[number] += 1
        return records

    def _delivered(
        self, car: Car, utterances: list[Utterance], why: str = ""
    ) -> Iterator[tuple[float, str, bytes]]:
        chance = random.Random(f"{self.seed} network{why} {car.number}")
        for number, utterance in enumerate(utterances):
            # A copy: orjson's own bytes keep a buffer of several kilobytes each.
            value = bytes(
                memoryview(orjson.dumps(self._document(car, f"{why}{number}", utterance)))
            )
            delay = chance.expovariate(1 / 3)
            if chance.random() < self.trouble.late:
                delay += chance.uniform(600, 7200)
            arrives = utterance.second + delay
            if chance.random() < self.trouble.broken:
                yield arrives, car.vin, broken(chance, value)
                continue
            yield arrives, car.vin, value
            if chance.random() < self.trouble.duplicates:
                yield arrives + chance.uniform(0, 60), car.vin, value

    def _document(self, car: Car, number: str, utterance: Utterance) -> dict[str, Any]:
        at = self.start + timedelta(milliseconds=int(utterance.second * 1000))
        return {
            "specversion": "1.0",
            "type": "pacc.alert.v1",
            "id": f"{car.vin}-{number}",
            "source": SOURCE,
            "time": at,
            "datacontenttype": "application/json",
            "data": {
                "vin": car.vin,
                "observed_at": at,
                "code": utterance.code,
                "status": utterance.status,
                "severity": utterance.severity,
                "model": car.model,
                **utterance.more,
            },
        }


def broken(chance: random.Random, value: bytes) -> bytes:
    """Return a record broken in a way in which records are broken."""
    return chance.choice(
        [
            value[: len(value) // 2],
            b"\xff\xfe" + value,
            value.replace(b'"observed_at":"', b'"observed_at":"?'),
            value.replace(b'"code":"', b'"codes":"'),
            value.replace(b'"data":', b'"date":'),
            b"null",
        ]
    )
