"""What a batch is decided by, and everything that it changes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from models.batch import Content, Decoded, Partition, Report, Snapshot
from models.case import Case, Fault, Task, Vehicle
from models.words import Outcome


class Known(Struct, frozen=True):
    """What the store knows that a batch may touch. `watermark` is stream time before the batch.

    `delivered` are the batch's fingerprints that came before, each with what it said.
    """

    delivered: Mapping[str, Content]
    vehicles: Mapping[str, Vehicle]
    watermark: Mapping[Partition, datetime]


class Entry(Struct, frozen=True):
    """One line of a case's timeline."""

    entry_id: str
    case_id: str
    at: datetime
    actor: str
    kind: str
    detail: Mapping[str, Any]
    task_id: str | None = None


class Event(Struct, frozen=True):
    """What leaves the system: one CloudEvent, ordered per case by `sequence`."""

    event_id: str
    topic: str
    kind: str
    case_id: str
    sequence: int
    at: datetime
    data: Mapping[str, Any]


class Ended(Struct, frozen=True):
    """A record and the outcome that it ended in."""

    decoded: Decoded
    outcome: Outcome


class Decision(Struct, frozen=True):
    """Everything that one batch changes, or a part of that. The store writes it as it stands.

    `reopened` names the tasks that go on although they had ended.
    """

    ended: tuple[Ended, ...] = ()
    gaps: Mapping[Partition, int] = {}
    reports: tuple[tuple[Partition, int, Outcome, Report | Snapshot], ...] = ()
    vehicles: tuple[Vehicle, ...] = ()
    cases: tuple[Case, ...] = ()
    faults: tuple[tuple[str, str, Fault], ...] = ()
    tasks: tuple[tuple[str, Task], ...] = ()
    reopened: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    events: tuple[Event, ...] = ()
    watermark: Mapping[Partition, datetime] = {}


def joined(parts: Sequence[Decision]) -> Decision:
    """Return the whole decision from its parts, in their order."""
    return Decision(
        ended=tuple(ended for part in parts for ended in part.ended),
        gaps={partition: count for part in parts for partition, count in part.gaps.items()},
        reports=tuple(report for part in parts for report in part.reports),
        vehicles=tuple(vehicle for part in parts for vehicle in part.vehicles),
        cases=tuple(case for part in parts for case in part.cases),
        faults=tuple(fault for part in parts for fault in part.faults),
        tasks=tuple(task for part in parts for task in part.tasks),
        reopened=tuple(task_id for part in parts for task_id in part.reopened),
        entries=tuple(entry for part in parts for entry in part.entries),
        events=tuple(event for part in parts for event in part.events),
        watermark={partition: at for part in parts for partition, at in part.watermark.items()},
    )
