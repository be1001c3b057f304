"""The life of a task: one table of steps, and which ends each state may have. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from dispatch.rules.deadlines import deadlines
from dispatch.rules.routing import Directory, Routed
from models.case import Task, Text
from models.errors import Conflict, Unusable
from models.ids import task_id_of
from models.words import Disposition, Priority, Queue, Step, TaskState

_Q, _S, _T = Queue, Step, TaskState

_ROADSIDE: Final[Mapping[tuple[TaskState, Step], TaskState]] = {
    (_T.QUEUED, _S.CLAIM): _T.CLAIMED,
    (_T.CLAIMED, _S.CONTACT): _T.CONTACTED,
    (_T.CONTACTED, _S.SET_OUT): _T.EN_ROUTE,
    (_T.EN_ROUTE, _S.ARRIVE): _T.ON_SITE,
    (_T.ON_SITE, _S.TOW): _T.TOWING,
}
_DEALER: Final[Mapping[tuple[TaskState, Step], TaskState]] = {
    (_T.QUEUED, _S.CLAIM): _T.CLAIMED,
    (_T.CLAIMED, _S.CONTACT): _T.CONTACTED,
    (_T.CLAIMED, _S.BOOK): _T.BOOKED,
    (_T.CONTACTED, _S.BOOK): _T.BOOKED,
    (_T.BOOKED, _S.CHECK_IN): _T.ARRIVED,
    (_T.ARRIVED, _S.REPAIR): _T.REPAIRED,
}
_TABLES: Final = {Queue.ROADSIDE: _ROADSIDE, Queue.DEALER: _DEALER}
# Steps after which the customer has been reached, which is what `contact_by` waits for.
REACHING: Final = frozenset({Step.CONTACT, Step.BOOK})

_ANY_TIME: Final = frozenset(
    {
        Disposition.FALSE_ALARM,
        Disposition.ALREADY_HELPED,
        Disposition.UNREACHABLE,
        Disposition.DECLINED,
    }
)
_ENDS: Final[Mapping[tuple[Queue, TaskState], frozenset[Disposition]]] = {
    (_Q.ROADSIDE, _T.CLAIMED): _ANY_TIME,
    (_Q.ROADSIDE, _T.CONTACTED): _ANY_TIME
    | {Disposition.FIXED_BY_PHONE, Disposition.DROVE_TO_DEALER, Disposition.NO_FAULT_FOUND},
    (_Q.ROADSIDE, _T.EN_ROUTE): _ANY_TIME | {Disposition.DROVE_TO_DEALER},
    (_Q.ROADSIDE, _T.ON_SITE): _ANY_TIME
    | {Disposition.FIXED_ON_SITE, Disposition.DROVE_TO_DEALER, Disposition.NO_FAULT_FOUND},
    (_Q.ROADSIDE, _T.TOWING): frozenset({Disposition.TOWED}),
    (_Q.DEALER, _T.CLAIMED): _ANY_TIME,
    (_Q.DEALER, _T.CONTACTED): _ANY_TIME | {Disposition.FIXED_BY_PHONE, Disposition.NO_FAULT_FOUND},
    (_Q.DEALER, _T.BOOKED): _ANY_TIME,
    (_Q.DEALER, _T.ARRIVED): frozenset({Disposition.NO_FAULT_FOUND, Disposition.DECLINED}),
    (_Q.DEALER, _T.REPAIRED): frozenset({Disposition.REPAIRED}),
}
# After these a dealer follows the repair to its end.
TO_DEALER: Final = frozenset({Disposition.TOWED, Disposition.DROVE_TO_DEALER})


def after(queue: Queue, state: TaskState, step: Step) -> TaskState:
    """Return where a step leads. Raises `Conflict` with the steps that are possible."""
    if state is not TaskState.DONE:
        if step is Step.RELEASE:
            return TaskState.QUEUED if state is TaskState.CLAIMED else state
        if step is Step.CLAIM and state is not TaskState.QUEUED:
            return state  # somebody else goes on where the last one stopped
        if step in (Step.PAUSE, Step.RESUME) and state is not TaskState.QUEUED:
            return state
    target = _TABLES[queue].get((state, step))
    if target is None:
        raise Conflict(
            "A %(queue)s task that is %(state)s cannot %(step)s.",
            {"queue": queue, "state": state, "step": step},
            state=state.value,
            possible=[one.value for one in possible(queue, state)],
        )
    return target


def possible(queue: Queue, state: TaskState) -> list[Step]:
    """Return the steps that a task in this state can take, in the order of a shift."""
    if state is TaskState.DONE:
        return []
    steps = [step for one, step in _TABLES[queue] if one is state]
    if state is not TaskState.QUEUED:
        steps += [Step.PAUSE, Step.RELEASE, Step.COMPLETE]
    return steps


def endings(queue: Queue, state: TaskState) -> frozenset[Disposition]:
    """Return the dispositions with which a task in this state may end."""
    return _ENDS.get((queue, state), frozenset())


def require_ending(queue: Queue, state: TaskState, disposition: Disposition) -> None:
    """Raise `Unusable` with the possible ones for a disposition that this state cannot end with."""
    allowed = endings(queue, state)
    if disposition not in allowed:
        ends = sorted(one.value for one in allowed)
        named = {"queue": queue, "state": state, "disposition": disposition, "possible": ends}
        if not ends:
            raise Unusable(
                "A %(queue)s task that is %(state)s cannot end as %(disposition)s. "
                "Possible: none: claim it first.",
                named,
                field="disposition",
                possible=ends,
            )
        raise Unusable(
            "A %(queue)s task that is %(state)s cannot end as %(disposition)s. "
            "Possible: %(possible)s.",
            named,
            field="disposition",
            possible=ends,
        )


def new_task(
    case_id: str,
    number: int,
    priority: Priority,
    routed: Routed,
    directory: Directory,
    at: datetime,
    held_because: Text | None = None,
) -> Task:
    """Return the `number`-th task of a case, with the deadlines of its desk."""
    due = deadlines(priority, routed.queue, directory.desk(routed.desk), at)
    return Task(
        task_id=task_id_of(case_id, number),
        case_id=case_id,
        queue=routed.queue,
        desk=routed.desk,
        state=TaskState.QUEUED,
        priority=priority,
        opened_at=at,
        claim_by=due.claim_by,
        contact_by=due.contact_by,
        route_reason=routed.reason,
        held_because=held_because,
    )
