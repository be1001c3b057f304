"""Everything that the case page shows of one task: car, reasons, faults, calls, earlier cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dispatch.access.sessions import at_work
from dispatch.console.show import call_script
from dispatch.console.show.languages import READINGS
from dispatch.console.show.queue_rows import ShownRow, shown
from dispatch.console.show.settings import Code, Console, own_advice
from dispatch.read import cases, queue, silences
from dispatch.read.outcomes import earlier_cases
from dispatch.read.silences import SilenceRow
from dispatch.read.typed_rows import values_of
from dispatch.read.vehicles import owners, vehicle
from dispatch.rules.lifecycle import endings, possible
from dispatch.rules.policy import DispatchPolicy
from dispatch.shift.presence import others_present
from dispatch.shift.worksheets import worksheets
from dispatch.tasks.silences import may_hold_back
from models.person import WORKERS, Actor
from models.sql import Connection
from models.words import Queue, Role, Status, Step

_ENTRIES: Final = 200
# What is no fault now comes after what is one.
_LAST: Final = {Status.VERIFYING: 1, Status.CLEARED: 2}


@dataclass(frozen=True, slots=True)
class ShownFault(cases.MeasuredFault):
    """A fault with what its code means, and whether it is shown under its cause."""

    entry: Code
    is_folded: bool


@dataclass(frozen=True, slots=True)
class ShownSilence(SilenceRow):
    """A silence, and whether the reader may end it."""

    can_lift: bool


def casefile(
    connection: Connection,
    task_id: str,
    actor: Actor,
    at: datetime,
    house: DispatchPolicy,
    console: Console,
) -> dict[str, Any]:
    """Gather the page. Raises `NotThere` for another desk's task and for nobody's."""
    row = queue.row(connection, task_id, actor)
    looking = others_present(connection, [task_id], actor, at).get(task_id, [])
    task = shown(row, actor, house, console, looking)
    case = cases.case_alone(connection, task.case_id, actor)
    faults = _faults(connection, task, console)
    systems = {fault.entry.system for fault in faults if fault.folded_under is None}
    active = [fault.entry for fault in faults if fault.status not in _LAST]
    return {
        "task": task,
        "case": case,
        "root": task.code,
        "advice": console.advise(case.action, own_advice([task.code, *active])),
        "faults": faults,
        "readings": _readings(faults),
        "owner": owners(connection, [task.vin], actor).get(task.vin),
        "car": vehicle(connection, task.vin),
        "questions": call_script.questions(systems),
        "hints": call_script.hints(task.code.system),
        "sheets": worksheets(connection, task_id, actor),
        "earlier": earlier_cases(connection, task.vin, task.case_id, actor),
        "timeline": cases.newest_entries(connection, task.case_id, actor, _ENTRIES),
        "rules": console.rules(case.rules),
        "looking": looking,
        **_what_can_be_done(task, actor, house),
        "colleagues": _colleagues(connection, task, actor, at),
        "silences": _silences(connection, task.vin, actor, at),
        "map_url": console.map_link(task.lat, task.lon),
    }


def _what_can_be_done(task: ShownRow, actor: Actor, house: DispatchPolicy) -> dict[str, Any]:
    """What the actor's role and hand allow: steps, ends, and desks to hand it to."""
    can_work = actor.role in WORKERS
    works_on_it = task.is_mine and can_work
    return {
        "can_work": can_work,
        "steps": _steps(task) if works_on_it else [],
        "endings": sorted(endings(task.queue, task.state)) if works_on_it else [],
        "desks": _desks(house, task) if can_work else [],
    }


def _steps(task: ShownRow) -> list[Step]:
    """The steps that are one press; the others have forms of their own."""
    return [step for step in possible(task.queue, task.state) if step not in _ELSEWHERE]


_ELSEWHERE: Final = (Step.CLAIM, Step.RELEASE, Step.PAUSE, Step.COMPLETE, Step.BOOK)


def _faults(connection: Connection, task: ShownRow, console: Console) -> list[ShownFault]:
    """The causes first, each followed by the symptoms folded under it."""
    rows = cases.measured_faults(connection, task.case_id)
    codes = {row.code for row in rows}
    tops = [row for row in rows if row.folded_under not in codes]
    tops.sort(key=lambda row: _LAST.get(row.status, 0))
    ordered = []
    for top in tops:
        ordered.append(_shown_fault(top, task.vin, console, is_folded=False))
        ordered += [
            _shown_fault(row, task.vin, console, is_folded=True)
            for row in rows
            if row.folded_under == top.code
        ]
    return ordered


def _shown_fault(
    row: cases.MeasuredFault, vin: str, console: Console, *, is_folded: bool
) -> ShownFault:
    return ShownFault(**values_of(row), entry=console.codes(row.code, vin), is_folded=is_folded)


def _readings(faults: Sequence[ShownFault]) -> list[tuple[str, str]]:
    """What is read in the car, with its unit; a number without a name helps nobody here."""
    newest: dict[str, float] = {}
    for fault in sorted(faults, key=lambda fault: fault.last_seen):
        newest.update(fault.readings)
    return [
        (label, f"{newest[name] * factor:.{digits}f} {unit}")
        for name, (label, unit, digits, factor) in READINGS.items()
        if name in newest
    ]


def _silences(connection: Connection, vin: str, actor: Actor, at: datetime) -> list[ShownSilence]:
    """What holds the vehicle back now, and whether the actor may end it."""
    return [
        ShownSilence(**values_of(row), can_lift=may_hold_back(actor, row.kind))
        for row in silences.silences_of(connection, vin, at)
    ]


def _colleagues(connection: Connection, task: ShownRow, actor: Actor, at: datetime) -> list[Actor]:
    """Who is at work and could be given the task; only a supervisor gives."""
    if actor.role is not Role.SUPERVISOR:
        return []
    kind = Role.OPERATOR if task.queue is Queue.ROADSIDE else Role.DEALER
    people = [person.actor for person in at_work(connection, at)]
    return [other for other in people if other.role is kind and other.sees(task.desk)]


def _desks(house: DispatchPolicy, task: ShownRow) -> list[dict[str, Any]]:
    """The desks that a task could be handed to."""
    return [
        {"desk_id": desk.desk_id, "name": desk.name}
        for desk in house.directory.open_desks(task.queue, None).desks
        if desk.desk_id != task.desk
    ]
