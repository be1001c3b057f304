"""Everything that the case page shows of one task: car, reasons, faults, calls, earlier cases."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from dispatch.access.sessions import at_work
from dispatch.access.visibility import callable_owner, seen
from dispatch.console.show import call_script, queue_rows
from dispatch.console.show.languages import READINGS
from dispatch.console.show.settings import Console
from dispatch.read.outcomes import earlier_cases
from dispatch.rules.lifecycle import endings, possible
from dispatch.rules.policy import DispatchPolicy
from dispatch.tasks import silences
from models import tables as t
from models.errors import NotThere
from models.person import WORKERS, Actor
from models.sql import upsert
from models.words import Queue, Role, Step, TaskState


def casefile(
    connection: sa.Connection,
    task_id: str,
    actor: Actor,
    at: datetime,
    house: DispatchPolicy,
    console: Console,
) -> dict[str, Any]:
    """Gather the page. Raises `NotThere` for another desk's task and for nobody's."""
    task = queue_rows.row(connection, task_id, actor, house)
    if task is None:
        raise NotThere("There is no task %(id)s.", {"id": task_id})
    one = sa.select(t.case).where(t.case.c.case_id == task["case_id"])
    case = dict(connection.execute(one).mappings().one())
    faults = _faults(connection, case["case_id"], console)
    root = console.codes(task["cause"])
    systems = {one["entry"].system for one in faults if one["folded_under"] is None}
    return {
        "task": task,
        "case": case,
        "root": root,
        "faults": faults,
        "readings": _readings(faults),
        "owner": None if actor.role is Role.ENGINEER else _owner(connection, task["vin"]),
        "car": _car(connection, task["vin"]),
        "questions": call_script.questions(systems),
        "hints": call_script.hints(root.system),
        "sheets": _sheets(connection, task_id, actor),
        "earlier": earlier_cases(connection, case["vin"], case["case_id"], actor),
        "timeline": _timeline(connection, case["case_id"], actor),
        "rules": console.rules(case["rules"]),
        "looking": queue_rows.present(connection, [task_id], actor, at).get(task_id, []),
        **_what_can_be_done(task, actor, house),
        "colleagues": _colleagues(connection, task, actor, at),
        "silences": _silences(connection, task["vin"], actor, at),
        "map_url": console.map_link(case["lat"], case["lon"]),
    }


def _what_can_be_done(
    task: Mapping[str, Any], actor: Actor, house: DispatchPolicy
) -> dict[str, Any]:
    """What the actor's role and hand allow: steps, ends, and desks to hand it to."""
    queue, state = Queue(task["queue"]), TaskState(task["state"])
    can_work = actor.role in WORKERS
    works_on_it = bool(task["is_mine"]) and can_work
    return {
        "can_work": can_work,
        "steps": _steps(queue, state) if works_on_it else [],
        "endings": sorted(endings(queue, state)) if works_on_it else [],
        "desks": _desks(house, queue, task["desk"]) if can_work else [],
    }


def _steps(queue: Queue, state: TaskState) -> list[Step]:
    """The steps that are one press; the others have forms of their own."""
    return [step for step in possible(queue, state) if step not in _ELSEWHERE]


_ELSEWHERE: Final = (Step.CLAIM, Step.RELEASE, Step.PAUSE, Step.COMPLETE, Step.BOOK)


def save_sheet(
    connection: sa.Connection,
    task_id: str,
    actor: Actor,
    at: datetime,
    fields: Mapping[str, str],
) -> None:
    """Keep what somebody wrote on a task: theirs alone, whoever has the task in hand."""
    row = {
        "task_id": task_id,
        "person_id": actor.actor_id,
        "name": actor.name,
        "answers": call_script.answers_in(fields),
        "note": fields.get("note", "")[:4000],
        "saved_at": at,
    }
    upsert(connection, t.worksheet, ("task_id", "person_id"), [row])


def _faults(connection: sa.Connection, case_id: str, console: Console) -> list[dict[str, Any]]:
    """The causes first, each followed by the symptoms folded under it."""
    f = t.fault.c
    query = sa.select(t.fault).where(f.case_id == case_id).order_by(f.first_seen, f.code)
    rows = [
        {**row, "entry": console.codes(row["code"])} for row in connection.execute(query).mappings()
    ]
    codes = {one["code"] for one in rows}
    tops = [one for one in rows if one["folded_under"] not in codes]
    tops.sort(key=lambda one: one["status"] == "cleared")
    ordered = []
    for top in tops:
        ordered.append({**top, "is_folded": False})
        ordered += [
            {**one, "is_folded": True} for one in rows if one["folded_under"] == top["code"]
        ]
    return ordered


def _readings(faults: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Give what is read in the car, with its unit; a number without a name helps nobody here."""
    merged: dict[str, float] = {}
    for one in sorted(faults, key=lambda fault: fault["last_seen"]):
        merged.update(one["readings"])
    return [
        (label, f"{merged[name] * factor:.{digits}f} {unit}")
        for name, (label, unit, digits, factor) in READINGS.items()
        if name in merged
    ]


def _owner(connection: sa.Connection, vin: str) -> dict[str, Any] | None:
    """The owner; the number only where its owner allowed calls."""
    found = connection.execute(sa.select(t.contact).where(t.contact.c.vin == vin)).mappings()
    row = found.one_or_none()
    if row is None:
        return None
    return callable_owner(row)


def _car(connection: sa.Connection, vin: str) -> dict[str, Any]:
    v = t.vehicle.c
    query = sa.select(v.plate, v.model, v.powertrain, v.region).where(v.vin == vin)
    return dict(connection.execute(query).mappings().one())


def _sheets(connection: sa.Connection, task_id: str, actor: Actor) -> dict[str, Any]:
    """What the person wrote, and what others wrote before."""
    w = t.worksheet.c
    query = sa.select(t.worksheet).where(w.task_id == task_id).order_by(w.saved_at)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    own = next((row for row in rows if row["person_id"] == actor.actor_id), None)
    others = [row for row in rows if row is not own and (row["note"] or row["answers"])]
    answers: dict[str, str] = {}
    for row in others:
        answers.update(row["answers"])
    answers.update(own["answers"] if own else {})
    return {"note": own["note"] if own else "", "answers": answers, "others": others}


def _timeline(connection: sa.Connection, case_id: str, actor: Actor) -> list[dict[str, Any]]:
    e = t.entry.c
    query = sa.select(t.entry).where(e.case_id == case_id).order_by(e.at.desc(), e.entry_id)
    if actor.desks is not None:
        own = sa.select(t.task.c.task_id).where(seen(t.task.c.desk, actor))
        query = query.where(sa.or_(e.task_id.is_(None), e.task_id.in_(own)))
    return [dict(row) for row in connection.execute(query.limit(200)).mappings()]


def _silences(
    connection: sa.Connection, vin: str, actor: Actor, at: datetime
) -> list[dict[str, Any]]:
    """What holds the vehicle back now, and whether the actor may end it."""
    s = t.silence.c
    query = sa.select(t.silence).where(s.vin == vin, silences.in_force(at)).order_by(s.starts_at)
    return [
        {**row, "can_lift": silences.may_hold_back(actor, row["kind"])}
        for row in connection.execute(query).mappings()
    ]


def _colleagues(
    connection: sa.Connection, task: Mapping[str, Any], actor: Actor, at: datetime
) -> list[Actor]:
    """Who is at work and could be given the task; only a supervisor gives."""
    if actor.role is not Role.SUPERVISOR:
        return []
    kind = Role.OPERATOR if task["queue"] == Queue.ROADSIDE else Role.DEALER
    people = [one.actor for one in at_work(connection, at)]
    return [one for one in people if one.role is kind and one.sees(task["desk"])]


def _desks(house: DispatchPolicy, queue: Queue, desk: str) -> list[dict[str, Any]]:
    """The desks that a task could be handed to."""
    return [
        {"desk_id": one.desk_id, "name": one.name}
        for one in house.directory.open_desks(queue, None).desks
        if one.desk_id != desk
    ]
