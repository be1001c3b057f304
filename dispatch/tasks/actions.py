"""What people do with tasks: claim, renew, step, hand on, complete; in the caller's transaction.

Only the holder of a live claim moves a task; losing a race says who won it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from dispatch.access.acting import Acting
from dispatch.rules.calendar import next_open
from dispatch.rules.deadlines import counts_working_time, deadlines
from dispatch.rules.lifecycle import REACHING, TO_DEALER, after, new_task, require_ending
from dispatch.rules.routing import needs_of, route_to_dealer
from dispatch.rules.snooze import snooze
from dispatch.tasks.holder import lock_task, require_free, require_holder, resumed
from dispatch.tasks.locked_task import AWAKE, NOBODY, UNHELD, Assignment, LockedTask
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
    acting: Acting,
    task_id: str,
    version: int | None = None,
) -> None:
    """Claim a task for the length of a lease; claiming what one has renews it.

    Raises `Conflict` if somebody else has it, if it is held back, or past `version`.
    """
    locked = lock_task(acting, task_id)
    if (
        locked.assignment.holder == acting.actor.actor_id
        and locked.task.state is not TaskState.DONE
    ):
        _renew(locked)
        return
    require_free(locked)
    if locked.task.held_because is not None:
        raise Conflict("%(because)s", {"because": locked.task.held_because}, held=True)
    if version is not None and version != locked.version:
        raise Conflict("The task has changed since you saw it. Read it again.")
    _take(locked, acting.actor, "claimed")


def renew(acting: Acting, task_id: str) -> None:
    """Renew the actor's claim. Raises `Conflict` if the actor has none."""
    locked = lock_task(acting, task_id)
    require_holder(locked)
    _renew(locked)


def take_over(
    acting: Acting,
    task_id: str,
    reason: str,
) -> None:
    """Claim a task that another has, with a reason. Raises `NotAllowed` unless by a supervisor."""
    if acting.actor.role is not Role.SUPERVISOR:
        raise NotAllowed("Only a supervisor takes a task over.")
    locked = lock_task(acting, task_id)
    before = locked.assignment.holder_name or "nobody"
    _take(locked, acting.actor, "taken_over", reason=reason, before=before)


def reassign(
    acting: Acting,
    task_id: str,
    to: Actor,
    reason: str,
) -> None:
    """Claim a task for somebody else, with a reason.

    Raises `NotAllowed` unless by a supervisor, `Unusable` if `to` does not work at its desk.
    """
    if acting.actor.role is not Role.SUPERVISOR:
        raise NotAllowed("Only a supervisor gives a task to somebody.")
    locked = lock_task(acting, task_id)
    if to.role not in WORKERS or not to.sees(locked.task.desk):
        raise Unusable(
            "%(name)s does not work at the desk of this task.", {"name": to.name}, field="person"
        )
    before = locked.assignment.holder_name or "nobody"
    _take(locked, to, "reassigned", reason=reason, before=before, to=to.name)


def step(
    acting: Acting,
    task_id: str,
    what: Step,
    note: str | None,
    more: Details | None = None,
) -> None:
    """Move a task one step of the state table; any step ends a pause.

    Raises `Conflict` if the step does not exist here, or the actor has not claimed the task.
    """
    more = more or Details()
    locked = lock_task(acting, task_id)
    state = after(locked.task.queue, locked.task.state, what)
    require_holder(locked)
    task, assignment = resumed(locked)
    if what is Step.PAUSE:
        rank = PRIORITY_RANK[task.priority]
        wake_at = _wake_at(locked, snooze(task.priority, more.pause))
        assignment = replace(assignment, paused_at=acting.at, wake_at=wake_at, paused_rank=rank)
    elif what is Step.RELEASE:
        assignment = replace(assignment, **NOBODY)
    elif what is Step.BOOK:
        assignment = replace(
            assignment, appointment_at=more.appointment_at, is_pick_up=more.is_pick_up
        )
    if what in REACHING:
        reached = assignment.contacted_at or acting.at
        assignment = replace(assignment, contacted_at=reached, next_attempt_at=None)
    if assignment.holder is not None:
        assignment = replace(assignment, lease_until=acting.lease_until)
    detail = {**({"note": note} if note else {}), **_detail_of(what, assignment)}
    locked.change(_DONE[what], replace(task, state=state), assignment, **detail)


def _wake_at(locked: LockedTask, pause: timedelta) -> datetime:
    """Return when a pause ends: at a dealer not while nobody is there to hear of it."""
    at = locked.acting.at + pause
    desk = locked.acting.policy.directory.desk(locked.task.desk)
    if desk is None or not counts_working_time(locked.task):
        return at
    return next_open(desk, at) or at


def _detail_of(what: Step, assignment: Assignment) -> dict[str, Any]:
    if what is Step.PAUSE and assignment.wake_at is not None:
        return {"until": assignment.wake_at.isoformat()}
    if what is Step.BOOK and assignment.appointment_at is not None:
        return {
            "appointment_at": assignment.appointment_at.isoformat(),
            "pick_up": assignment.is_pick_up,
        }
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
    acting: Acting,
    task_id: str,
    disposition: Disposition,
    note: str | None,
) -> None:
    """End a task. After a tow a dealer follows the repair; the last task's end closes the case.

    Raises `Conflict` if it is done or not the actor's, `Unusable` if it cannot end this way.
    """
    locked = lock_task(acting, task_id)
    if locked.task.state is TaskState.DONE:
        raise Conflict("The task is done already.", disposition=str(locked.task.disposition))
    require_holder(locked)
    require_ending(locked.task.queue, locked.task.state, disposition)
    end(locked, disposition, note=note)
    if locked.task.queue is Queue.ROADSIDE and disposition in TO_DEALER:
        locked.open_beside(_follow_up(locked))
    if not locked.has_open_tasks():
        locked.close_case(disposition.value)


def end(locked: LockedTask, disposition: Disposition, note: str | None = None) -> None:
    """Write the end of a task."""
    done = replace(
        locked.task,
        state=TaskState.DONE,
        disposition=disposition,
        closed_at=locked.acting.at,
        **UNHELD,
    )
    assignment = replace(locked.assignment, **NOBODY, **AWAKE)
    detail = {"disposition": disposition.value, **({"note": note} if note else {})}
    locked.change("closed", done, assignment, **detail)


def transfer(
    acting: Acting,
    task_id: str,
    desk_id: str,
    reason: str,
) -> None:
    """Move a task to another desk of the same kind; its deadlines go with it.

    Raises `Unusable` for a desk that cannot have it, `Conflict` once help is under way.
    """
    locked = lock_task(acting, task_id)
    if acting.actor.role is not Role.SUPERVISOR:
        require_holder(locked)
    desk = acting.policy.directory.desk(desk_id)
    if desk is None or desk.kind is not locked.task.queue or not desk.is_open:
        raise Unusable(
            "%(desk)s is no %(queue)s desk that is in business.",
            {"desk": desk_id, "queue": locked.task.queue},
            field="desk",
        )
    if desk_id == locked.task.desk:
        raise Unusable("The task is at %(desk)s already.", {"desk": desk_id}, field="desk")
    if locked.task.state not in (TaskState.QUEUED, TaskState.CLAIMED, TaskState.CONTACTED):
        raise Conflict(
            "Help is under way (%(state)s): end the task instead.", {"state": locked.task.state}
        )
    task, assignment = resumed(locked)
    moved = replace(task, desk=desk_id, state=TaskState.QUEUED)
    free = replace(assignment, **NOBODY)
    before = locked.task.desk
    locked.change("transferred", moved, free, reason=reason, before=before, desk=desk_id)


def _take(locked: LockedTask, holder: Actor, what: str, **detail: str) -> None:
    state = after(locked.task.queue, locked.task.state, Step.CLAIM)
    assignment = replace(
        locked.assignment,
        holder=holder.actor_id,
        holder_name=holder.name,
        lease_until=locked.acting.lease_until,
        claimed_at=locked.assignment.claimed_at or locked.acting.at,
    )
    # a person has it: no fleet issue holds it any more
    free = UNHELD if locked.task.issue_id is not None else {}
    locked.change(
        what, replace(locked.task, state=state, touched=True, **free), assignment, **detail
    )


def _renew(locked: LockedTask) -> None:
    locked.set(locked.task, replace(locked.assignment, lease_until=locked.acting.lease_until))


def _follow_up(locked: LockedTask) -> Task:
    """The dealer's part after a tow: as pressing as the case, with a dealer's deadlines."""
    case, at, directory = locked.case, locked.acting.at, locked.acting.policy.directory
    place = case.place.point if case.place else None
    needs = needs_of(locked.info.powertrain)
    routed = route_to_dealer(locked.info, place, directory, needs=needs, at=at)
    priority = case.ranking.priority
    task = new_task(case.case_id, case.tasks_made, priority, routed, directory, at)
    due = deadlines(Priority.NORMAL, routed.queue, directory.desk(routed.desk), at)
    return replace(task, claim_by=due.claim_by, contact_by=due.contact_by)
