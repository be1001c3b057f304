"""Who has a task in hand: locking one for an actor, and what is refused to everybody else."""

from msgspec.structs import replace

from dispatch.access.acting import Acting
from dispatch.rules.deadlines import after_pause
from dispatch.tasks.locked_task import AWAKE, Assignment, LockedTask, not_there
from models.case import Task
from models.errors import Conflict, NotAllowed
from models.person import WORKERS


def lock_task(acting: Acting, task_id: str) -> LockedTask:
    """Lock a task of the actor's desks.

    Raises `NotThere` for any other, `NotAllowed` if the actor only reads.
    """
    if acting.actor.role not in WORKERS:
        raise NotAllowed("Your key may look, and not work on tasks.")
    locked = LockedTask(acting, task_id)
    if not acting.actor.sees(locked.task.desk):
        raise not_there(task_id)
    return locked


def require_free(locked: LockedTask) -> None:
    """Raise `Conflict` that names the holder if somebody has claimed the task."""
    if locked.assignment.is_claimed(locked.acting.at):
        _refuse(locked)


def require_holder(locked: LockedTask) -> None:
    """Raise `Conflict` that names the holder unless the actor has claimed the task."""
    if locked.assignment.holder is None:
        raise Conflict("Nobody has the task in hand: claim it first.", holder=None)
    if locked.assignment.holder != locked.acting.actor.actor_id:
        _refuse(locked)


def _refuse(locked: LockedTask) -> None:
    holder = locked.assignment.holder_name or "Somebody"
    until = locked.assignment.lease_until
    raise Conflict(
        "%(name)s has the task in hand.",
        {"name": holder},
        holder=holder,
        until=until.isoformat() if until else None,
    )


def resumed(locked: LockedTask) -> tuple[Task, Assignment]:
    """Return the task after its pause, if any: waiting for the customer moves the deadline."""
    paused, due, task = locked.assignment.paused_at, locked.task.contact_by, locked.task
    if paused is None:
        return locked.task, locked.assignment
    desk = locked.acting.policy.directory.desk(task.desk)
    later = after_pause(due, task, desk, paused, locked.acting.at) if due else None
    return replace(locked.task, contact_by=later), replace(locked.assignment, **AWAKE)
