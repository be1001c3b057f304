"""What a batch is decided by, and everything that it changes."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from models.batch import Decoded, Partition, Report, Snapshot
from models.case import Case, Entry, Event, Fault, Task, Vehicle
from models.words import Outcome


class Known(Struct, frozen=True):
    """What the store knows that a batch may touch. `watermark` is stream time before the batch."""

    fingerprints: frozenset[str]
    vehicles: Mapping[str, Vehicle]
    watermark: Mapping[Partition, datetime]


class Ended(Struct, frozen=True):
    """A record and the outcome that it ended in."""

    decoded: Decoded
    outcome: Outcome


class Decision(Struct, frozen=True):
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
