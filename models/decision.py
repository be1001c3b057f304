"""What a batch is decided by, and everything that it changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from models.batch import Decoded, Partition, Report, Snapshot
from models.case import Case, Entry, Event, Fault, Task, Vehicle
from models.words import Outcome


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows that a batch may touch. `watermark` is stream time before the batch."""

    fingerprints: frozenset[str]
    vehicles: Mapping[str, Vehicle]
    watermark: Mapping[Partition, datetime]


@dataclass(frozen=True, slots=True)
class Ended:
    """A record and the outcome that it ended in."""

    decoded: Decoded
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Decision:
    """Everything that one batch changes. The store writes it as it stands."""

    ended: tuple[Ended, ...]
    gaps: Mapping[Partition, int]
    reports: tuple[tuple[Partition, int, Outcome, Report | Snapshot], ...]
    vehicles: tuple[Vehicle, ...]
    cases: tuple[Case, ...]
    faults: tuple[tuple[str, str, Fault], ...]
    tasks: tuple[tuple[str, Task], ...]
    entries: tuple[Entry, ...]
    events: tuple[Event, ...]
    watermark: Mapping[Partition, datetime]
