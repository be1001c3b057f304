"""One case of a vehicle while a batch is clustered, and what each alert made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec import Struct

from ingest.cluster.fold import CauseGraph, fold
from models.batch import Partition, Report
from models.case import UNKNOWN_BUILD, Build, Case, Fault, Place, Standing
from models.words import SEVERITY_RANK, Outcome


class CaseChange(Struct, frozen=True):
    """One alert's effect on a case: what happened, and how the case stood after it."""

    kind: Outcome
    fingerprint: str
    partition: Partition
    at: datetime
    codes: tuple[str, ...]
    active: frozenset[str]
    standing: Standing
    place: Place | None
    build: Build
    # The case had ended: by itself at this time in this batch, or before it.
    reopens: datetime | None = None


@dataclass(slots=True)
class OpenCase:
    """One case of a vehicle while a batch is clustered. `closed_at` is set when it healed."""

    case_id: str
    is_new: bool
    opened_at: datetime
    partition: Partition
    root: str
    previous_case: str | None
    is_repeat_repair: bool
    faults: dict[str, Fault]
    changed: set[str] = field(default_factory=set)
    changes: list[CaseChange] = field(default_factory=list)
    defaulted: set[str] = field(default_factory=set)
    place: Place | None = None
    build: Build = UNKNOWN_BUILD
    heal_at: datetime | None = None
    closed_at: datetime | None = None
    reopens: datetime | None = None

    def put(self, fault: Fault) -> None:
        """Set a fault as it is now."""
        self.faults[fault.code] = fault
        self.changed.add(fault.code)

    def locate(self, report: Report) -> None:
        """Set where the vehicle is, if the report says so and none that is newer does."""
        where, before = report.alert.position, self.place
        if where is not None and (before is None or report.observed_at >= before.at):
            self.place = Place(
                where.lat, where.lon, report.observed_at, where.accuracy_m, where.road
            )

    def name_build(self, known: str | None, report: Report) -> None:
        """Set model and software: the model by master data, else by the car itself; the software
        that the car named last, by its own clock.
        """
        alert, before = report.alert, self.build
        is_newest = all(report.observed_at >= one.last_seen for one in self.faults.values())
        reported = (_named(alert.model), _named(alert.software)) if is_newest else (None, None)
        build = Build(_named(known) or reported[0] or before.model, reported[1] or before.software)
        if build != before:
            self.build = build

    def refold(self, graph: CauseGraph, make: str | None) -> None:
        """Fold symptoms under their causes anew, as this make's codes are meant."""
        for code, folded in fold(self.faults, graph, make).items():
            if folded is not self.faults[code]:
                self.put(folded)

    def name_root(self) -> None:
        """Name the case by the worst fault that it has had; the first of equals stays."""
        known = {code: fault for code, fault in self.faults.items() if not fault.never_was}
        if len(self.faults) == 1 or not known:
            return
        worst = max(SEVERITY_RANK[fault.severity] for fault in known.values())
        root = known.get(self.root)
        if root is None or SEVERITY_RANK[root.severity] != worst:
            self.root = min(
                (fault.first_seen, code)
                for code, fault in known.items()
                if SEVERITY_RANK[fault.severity] == worst
            )[1]

    def plan_heal(self, heal_after: timedelta, cleared: datetime | None) -> None:
        """Set by which stream time it heals if nothing comes; `cleared` is when a clear came in.

        Stream time counts from there: what the vehicle buffered behind the clear comes first.
        """
        before, self.heal_at = self.heal_at, None
        healed_at = self.heals_at(heal_after)
        if healed_at is None or any(fault.is_active for fault in self.faults.values()):
            return
        bound = before if cleared is None else cleared + heal_after
        self.heal_at = max(healed_at, bound or healed_at)

    def heals_at(self, heal_after: timedelta) -> datetime | None:
        """Return when it heals by the vehicle's own time; None while nothing is cleared."""
        ends = [one.cleared_at for one in self.faults.values() if one.cleared_at is not None]
        return max(ends) + heal_after if ends else None

    def readings(self) -> Mapping[str, float]:
        """Return the newest reading of each name."""
        if len(self.faults) == 1:
            return next(iter(self.faults.values())).readings
        merged: dict[str, float] = {}
        for fault in sorted(self.faults.values(), key=lambda fault: (fault.last_seen, fault.code)):
            merged.update(fault.readings)
        return merged


def resumed(case: Case, faults: Mapping[str, Fault]) -> OpenCase:
    """Return a case that is known, as it stood before the batch."""
    return OpenCase(
        case_id=case.case_id,
        is_new=False,
        opened_at=case.opened_at,
        partition=case.partition,
        root=case.root,
        previous_case=case.previous_case,
        is_repeat_repair=case.is_repeat_repair,
        faults=dict(faults),
        defaulted=set(case.defaulted),
        place=case.place,
        build=case.build,
        heal_at=case.heal_at,
    )


def _named(text: str | None) -> str | None:
    """Return a name as it is compared and stored: no blanks around, no longer than its column."""
    return (text.strip().replace("\x00", "\\u0000")[:64] or None) if text else None
