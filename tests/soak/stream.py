"""The known stream: what the driver sends, and so knows of every offset."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zlib import crc32

from models.batch import Partition, Record
from models.words import Feed

PARTITIONS: Final = 4
# A round is so long in the stream's time, and cases heal after `HEAL` of it.
ROUND: Final = timedelta(seconds=100)
HEAL: Final = timedelta(seconds=40)
_FLEET: Final = 60
_BUSY: Final = 8
_SETTLED: Final = 24
_POISON: Final = (b"\xff\xfe", b"{", b"null", b'{"specversion": "1.0"}')
_PLACES: Final = ((39.9, 116.4), (39.95, 116.3), (31.2, 121.5))
_CODES: Final = (
    "dtc:P0562",
    "dtc:U0100",
    "dtc:P0A80",
    "dtc:B1342",
    "ccm:164",
    "dtc:P0A94",
    "new:1",
)


def vin_of(kind: str, number: int) -> str:
    """Name a vehicle: `F` of the fleet, `B` one that is always busy, `S` one that reports once."""
    return f"LBV8P2C05L7{kind}{number:05d}"


def is_for_people(vin: str) -> bool:
    """Whether people may work on it to the end: it reports nothing new any more."""
    return vin[11] == "S"


def is_busy(vin: str) -> bool:
    """Whether it reports all the time: people may have it in hand, and never finish it."""
    return vin[11] == "B"


@dataclass(slots=True)
class Known:
    """What the driver knows of the offsets of one partition."""

    first: set[int] = field(default_factory=set)
    duplicate: set[int] = field(default_factory=set)
    poison: set[int] = field(default_factory=set)


class Tape:
    """A stream that grows by a round at a time; the same for the same seed and start."""

    def __init__(self, topic: str, seed: int, start: datetime) -> None:
        self.topic = topic
        self.known = [Known() for _ in range(PARTITIONS)]
        self.records: list[Record] = []
        self._chance = random.Random(f"stream {seed}")
        self._start = start
        self._rounds = 0
        self._said = 0
        self._settled = 0
        self._ends = [0] * PARTITIONS
        self._last: dict[int, list[tuple[bytes, bytes]]] = {n: [] for n in range(PARTITIONS)}

    def more(self) -> list[Record]:
        """Grow by a round; return its records in the order of their time."""
        begin = self._start + self._rounds * ROUND
        self._rounds += 1
        reports = sorted(self._round(), key=lambda report: report[0])
        fresh = [
            self._record(begin + timedelta(seconds=second), vin, fault)
            for second, vin, fault in reports
        ]
        self.records += fresh
        return fresh

    def _round(self) -> Iterator[tuple[float, str, dict[str, Any] | None]]:
        chance = self._chance
        length = ROUND.total_seconds()
        for _ in range(260):
            vin = vin_of("F", chance.randrange(_FLEET))
            yield chance.uniform(0, length), vin, self._fault(vin)
        for number in range(_BUSY):
            for _ in range(6):
                yield chance.uniform(0, length), vin_of("B", number), _stop("dtc:P0C01")
        storm, begin = vin_of("F", chance.randrange(_FLEET)), chance.uniform(0, length)
        for number in range(80):
            yield begin + number / 50, storm, _stop("dtc:P0A94")
        for _ in range(_SETTLED):
            vin = vin_of("S", self._settled)
            self._settled += 1
            fault = _stop("dtc:P0C01") if chance.random() < 0.5 else _limited("dtc:B1342")
            yield chance.uniform(0, length), vin, fault
        for _ in range(8):
            yield chance.uniform(0, length), vin_of("F", chance.randrange(_FLEET)), None

    def _fault(self, vin: str) -> dict[str, Any]:
        chance = self._chance
        lat, lon = _PLACES[int(vin[-1]) % len(_PLACES)]
        return {
            "code": chance.choice(_CODES),
            "severity": chance.choice(["info", "service", "limited", "stop", "unknown", "odd"]),
            "status": chance.choice(["active", "pending", "cleared", "cleared", "lamp_only"]),
            "motion": chance.choice(["parked", "moving", "unknown"]),
            "position": {"lat": lat, "lon": lon},
            "late": chance.choice([0, 0, 0, 30, 200]),
        }

    def _record(self, at: datetime, vin: str, fault: dict[str, Any] | None) -> Record:
        number = crc32(vin.encode()) % PARTITIONS
        offset, known, last = self._ends[number], self.known[number], self._last[number]
        self._ends[number] += 1
        key = vin.encode()
        if fault is None:
            known.poison.add(offset)
            value = self._chance.choice(_POISON)
        elif last and self._chance.random() < 0.06:
            # the alert that was to be said now is never said: an old one comes again instead
            known.duplicate.add(offset)
            key, value = self._chance.choice(last)
        else:
            known.first.add(offset)
            value = self._value(at, vin, fault)
            last.append((key, value))
        partition = Partition(Feed.TAPE, self.topic, number)
        return Record(partition, offset, int(at.timestamp() * 1000), key, value)

    def _value(self, at: datetime, vin: str, fault: dict[str, Any]) -> bytes:
        self._said += 1
        late = timedelta(seconds=fault.get("late", 0))
        data = {name: value for name, value in fault.items() if name != "late"}
        document = {
            "specversion": "1.0",
            "type": "pacc.alert.v1",
            "id": f"alert {self._said}",
            "source": "soak",
            "data": {"vin": vin, "observed_at": (at - late).astimezone(UTC).isoformat(), **data},
        }
        return json.dumps(document).encode()


def _stop(code: str) -> dict[str, Any]:
    place = {"lat": 39.9, "lon": 116.4}
    return {"code": code, "severity": "stop", "motion": "moving", "position": place}


def _limited(code: str) -> dict[str, Any]:
    return {"code": code, "severity": "limited", "position": {"lat": 39.9, "lon": 116.4}}
