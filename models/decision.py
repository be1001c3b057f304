"""What a batch is decided by, and everything that it changes."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from models.batch import Decoded, Partition, Report, Snapshot
from models.case import Case, Entry, Event, Fault, Task, Vehicle
from models.words import Outcome


class Known(Struct, frozen=True):
    """What the store knows that a batch may touch. `watermark` is stream time before the batch.

    `delivered` are the batch's fingerprints that came before, each with the vehicle and code of
    the alert that it was.
    """

    delivered: Mapping[str, tuple[str, str]]
    vehicles: Mapping[str, Vehicle]
    watermark: Mapping[Partition, datetime]


class Ended(Struct, frozen=True):
    """A record and the outcome that it ended in."""

    decoded: Decoded
    outcome: Outcome


class Decision(Struct, frozen=True):
    """Everything that one batch changes, or a part of that. The store writes it as it stands."""

    ended: tuple[Ended, ...] = ()
    gaps: Mapping[Partition, int] = {}
    reports: tuple[tuple[Partition, int, Outcome, Report | Snapshot], ...] = ()
    vehicles: tuple[Vehicle, ...] = ()
    cases: tuple[Case, ...] = ()
    faults: tuple[tuple[str, str, Fault], ...] = ()
    tasks: tuple[tuple[str, Task], ...] = ()
    entries: tuple[Entry, ...] = ()
    events: tuple[Event, ...] = ()
    watermark: Mapping[Partition, datetime] = {}


def joined(parts: Sequence[Decision]) -> Decision:
    """Put the parts of a decision together, in their order."""
    return Decision(
        ended=tuple(one for part in parts for one in part.ended),
        gaps={partition: count for part in parts for partition, count in part.gaps.items()},
        reports=tuple(one for part in parts for one in part.reports),
        vehicles=tuple(one for part in parts for one in part.vehicles),
        cases=tuple(one for part in parts for one in part.cases),
        faults=tuple(one for part in parts for one in part.faults),
        tasks=tuple(one for part in parts for one in part.tasks),
        entries=tuple(one for part in parts for one in part.entries),
        events=tuple(one for part in parts for one in part.events),
        watermark={partition: at for part in parts for partition, at in part.watermark.items()},
    )
