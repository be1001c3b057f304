"""What people do with tasks: claim, renew, step, hand on, complete; in the caller's transaction.

Only the holder of a live claim moves a task; losing a race says who won it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from msgspec.structs import replace

from dispatch.rules.deadlines import deadlines
from dispatch.rules.lifecycle import REACHING, TO_DEALER, after, new_task, require_ending
from dispatch.rules.policy import DispatchPolicy
from dispatch.rules.routing import needs_of, route_to_dealer
from dispatch.rules.snooze import snooze
from dispatch.tasks.locked_task import AWAKE, NOBODY, UNHELD, Assignment, LockedTask, not_there
from models.case import Task
from models.errors import Conflict, NotAllowed, Unusable
from models.person import WORKERS, Actor
from models.words import PRIORITY_RANK, Disposition, Priority, Queue, Role, Step, TaskState


@dataclass(frozen=True, slots=True)
class Details:
    """What some steps take: how long a pause lasts (None: as is usual), when the customer comes."""

    pause: timedelta | None = None
    appointment_at: datetime | None = None
    is_pick_up: bool | None = None


def claim(
    connection: sa.Connection,
    task_id: str,
    actor: Actor,
    at: datetime,
    house: DispatchPolicy,
    version: int | None = None,
) -> None:
    """Take a task in hand for the length of a lease; claiming what one has renews it."""
    bench = open_bench(connection, task_id, actor, at, house)
    if bench.hands.holder == actor.actor_id and bench.task.state is not TaskState.DONE:
        _renew(bench, at, house)
        return
    _require_free(bench, at)
    if bench.task.held_because is not None:
        raise Conflict("%(because)s", {"because": bench.task.held_because}, held=True)
    if version is not None and version != bench.version:
        raise Conflict("The task has changed since you saw it. Read it again.")
    _take(bench, actor, at, house, "claimed")


def renew(
    connection: sa.Connection, task_id: str, actor: Actor, at: datetime, house: DispatchPolicy
) -> None:
    """Make the actor's claim live on."""
    bench = open_bench(connection, task_id, actor, at, house)
    require_holder(bench, actor)
    _renew(bench, at, house)


def take_over(
    connection: sa.Connection,
    task_id: str,
    actor: Actor,
    at: datetime,
    house: DispatchPolicy,
    reason: str,
) -> None:
    """Take a task out of another's hand: a supervisor's right, with a reason."""
    if actor.role is not Role.SUPERVISOR:
        raise NotAllowed("Only a supervisor takes a task over.")
    bench = open_bench(connection, task_id, actor, at, house)
    before = bench.hands.holder_name or "nobody"
    _take(bench, actor, at, house, "taken_over", reason=reason, before=before)


def reassign(
    connection: sa.Connection,
    task_id: str,
    actor: Actor,
    at: datetime,
    house: DispatchPolicy,
    to: Actor,
    reason: str,
) -> None:
    """Put a task into somebody's hand: a supervisor's right, with a reason."""
    if actor.role is not Role.SUPERVISOR:
        raise NotAllowed("Only a supervisor gives a task to somebody.")
    bench = open_bench(connection, task_id, actor, at, house)
    if to.role not in WORKERS or not to.sees(bench.task.desk):
        raise Unusable(
            "%(name)s does not work at the desk of this task.", {"name": to.name}, field="person"
        )
    before = bench.hands.holder_name or "nobody"
    _take(bench, to, at, house, "reassigned", reason=reason, before=before, to=to.name)


def step(
    connection: sa.Connection,
    task_id: str,
    actor: Actor,
    at: datetime,
    house: DispatchPolicy,
    what: Step,
    note: str | None,
    more: Details | None = None,
) -> None:
    """Go one step of the state table. Reaching the customer is noted; any step ends a pause."""
    more = more or Details()
    bench = open_bench(connection, task_id, actor, at, house)
    state = after(bench.task.queue, bench.task.state, what)
    require_holder(bench, actor)
    task, hands = resumed(bench, at)
    if what is Step.PAUSE:
        rank = PRIORITY_RANK[task.priority]
        wake_at = at + snooze(task.priority, more.pause)
        hands = replace(hands, paused_at=at, wake_at=wake_at, paused_rank=rank)
    elif what is Step.RELEASE:
        hands = replace(hands, **NOBODY)
    elif what is Step.BOOK:
        hands = replace(hands, appointment_at=more.appointment_at, is_pick_up=more.is_pick_up)
    if what in REACHING:
        reached = hands.contacted_at or at
        hands = replace(hands, contacted_at=reached, next_attempt_at=None)
    if hands.holder is not None:
        hands = replace(hands, lease_until=at + house.lease)
    detail = {**({"note": note} if note else {}), **_told(what, hands)}
    bench.change(_DONE[what], replace(task, state=state), hands, **detail)


def _told(what: Step, hands: Assignment) -> dict[str, Any]:
    if what is Step.PAUSE and hands.wake_at is not None:
        return {"until": hands.wake_at.isoformat()}
    if what is Step.BOOK and hands.appointment_at is not None:
        return {"appointment_at": hands.appointment_at.isoformat(), "pick_up": hands.is_pick_up}
    return {}


_DONE = {
    Step.CONTACT: "contacted",
    Step.SET_OUT: "en_route",
    Step.ARRIVE: "on_site",
    Step.TOW: "towing",
    Step.BOOK: "booked",
    Step.CHECK_IN: "arrived",
    Step.REPAIR: "repaired",
    Step.PAUSE: "paused",
    Step.RESUME: "resumed",
    Step.RELEASE: "released",
}


def complete(
    connection: sa.Connection,
    task_id: str,
    actor: Actor,
    at: datetime,
    house: DispatchPolicy,
    disposition: Disposition,
    note: str | None,
) -> None:
    """End a task. After a tow a dealer follows the repair; the last task's end closes the case."""
    bench = open_bench(connection, task_id, actor, at, house)
    if bench.task.state is TaskState.DONE:
        raise Conflict("The task is done already.", disposition=str(bench.task.disposition))
    require_holder(bench, actor)
    require_ending(bench.task.queue, bench.task.state, disposition)
    end(bench, disposition, at, note=note)
    if bench.task.queue is Queue.ROADSIDE and disposition in TO_DEALER:
        bench.open_beside(_follow_up(bench, house, at))
    if not bench.has_open_tasks():
        bench.close_case(disposition.value)


def end(bench: LockedTask, disposition: Disposition, at: datetime, note: str | None = None) -> None:
    """Write the end of a task."""
    done = replace(
        bench.task, state=TaskState.DONE, disposition=disposition, closed_at=at, **UNHELD
    )
    hands = replace(bench.hands, **NOBODY, **AWAKE)
    detail = {"disposition": disposition.value, **({"note": note} if note else {})}
    bench.change("closed", done, hands, **detail)


def transfer(
    connection: sa.Connection,
    task_id: str,
    actor: Actor,
    at: datetime,
    house: DispatchPolicy,
    desk_id: str,
    reason: str,
) -> None:
    """Hand a task to another desk of the same kind; its deadlines go with it."""
    bench = open_bench(connection, task_id, actor, at, house)
    if actor.role is not Role.SUPERVISOR:
        require_holder(bench, actor)
    desk = house.directory.desk(desk_id)
    if desk is None or desk.kind is not bench.task.queue or not desk.is_open:
        raise Unusable(
            "%(desk)s is no %(queue)s desk that is in business.",
            {"desk": desk_id, "queue": bench.task.queue},
            field="desk",
        )
    if desk_id == bench.task.desk:
        raise Unusable("The task is at %(desk)s already.", {"desk": desk_id}, field="desk")
    if bench.task.state not in (TaskState.QUEUED, TaskState.CLAIMED, TaskState.CONTACTED):
        raise Conflict(
            "Help is under way (%(state)s): end the task instead.", {"state": bench.task.state}
        )
    task, hands = resumed(bench, at)
    moved = replace(task, desk=desk_id, state=TaskState.QUEUED)
    free = replace(hands, **NOBODY)
    before = bench.task.desk
    bench.change("transferred", moved, free, reason=reason, before=before, desk=desk_id)


def open_bench(
    connection: sa.Connection, task_id: str, actor: Actor, at: datetime, house: DispatchPolicy
) -> LockedTask:
    """Lock a task of the actor's desks. Raises `NotThere` for any other."""
    if actor.role not in WORKERS:
        raise NotAllowed("Your key may look, and not work on tasks.")
    bench = LockedTask(connection, task_id, house.topics, actor.name, at)
    if not actor.sees(bench.task.desk):
        raise not_there(task_id)
    return bench


def _take(
    bench: LockedTask, actor: Actor, at: datetime, house: DispatchPolicy, what: str, **detail: str
) -> None:
    state = after(bench.task.queue, bench.task.state, Step.CLAIM)
    hands = replace(
        bench.hands,
        holder=actor.actor_id,
        holder_name=actor.name,
        lease_until=at + house.lease,
        claimed_at=bench.hands.claimed_at or at,
    )
    free = UNHELD if bench.task.issue_id is not None else {}  # a person has it: no matter holds it
    bench.change(what, replace(bench.task, state=state, touched=True, **free), hands, **detail)


def _renew(bench: LockedTask, at: datetime, house: DispatchPolicy) -> None:
    bench.set(bench.task, replace(bench.hands, lease_until=at + house.lease))


def _require_free(bench: LockedTask, at: datetime) -> None:
    if bench.hands.is_held(at):
        _refuse(bench)


def require_holder(bench: LockedTask, actor: Actor) -> None:
    """Refuse whoever does not have the task in hand, saying who does."""
    if bench.hands.holder is None:
        raise Conflict("Nobody has the task in hand: claim it first.", holder=None)
    if bench.hands.holder != actor.actor_id:
        _refuse(bench)


def _refuse(bench: LockedTask) -> None:
    holder = bench.hands.holder_name or "Somebody"
    until = bench.hands.lease_until
    raise Conflict(
        "%(name)s has the task in hand.",
        {"name": holder},
        holder=holder,
        until=until.isoformat() if until else None,
    )


def resumed(bench: LockedTask, at: datetime) -> tuple[Task, Assignment]:
    """End a pause: the time that we waited for the customer does not count."""
    paused = bench.hands.paused_at
    if paused is None:
        return bench.task, bench.hands
    due = bench.task.contact_by
    later = due + (at - paused) if due else None
    return replace(bench.task, contact_by=later), replace(bench.hands, **AWAKE)


def _follow_up(bench: LockedTask, house: DispatchPolicy, at: datetime) -> Task:
    """The dealer's part after a tow: as pressing as the case, with a dealer's deadlines."""
    case = bench.case
    place = case.place.point if case.place else None
    needs = needs_of(bench.info.powertrain)
    routed = route_to_dealer(bench.info, place, house.directory, needs=needs, at=at)
    priority = case.ranking.priority
    made = new_task(case.case_id, case.tasks_made, priority, routed, house.directory, at)
    due = deadlines(Priority.NORMAL, routed.queue, house.directory.desk(routed.desk), at)
    return replace(made, claim_by=due.claim_by, contact_by=due.contact_by)
