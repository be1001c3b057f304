"""What the pages show, read from the database as far as the person may see it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from dispatch.access.sessions import Session
from dispatch.access.visibility import seen
from dispatch.console.show.geography import nearby
from dispatch.read.cases_and_tasks import TASKS
from dispatch.read.open_tasks import ASLEEP, AWAKE, MISSED, OPEN
from dispatch.rules.policy import DispatchPolicy
from dispatch.rules.routing import kilometres
from models import tables as t
from models.person import Actor
from models.words import PRIORITY_RANK, Priority, Queue

HOME_ZONE: Final = ZoneInfo("Asia/Shanghai")  # of people who belong to no one desk
TABS: Final = ("all", "urgent", "high", "mine", "snoozed", "missed")
ROWS: Final = 50  # a page shows no more: who takes from the top never comes to the fifty-first
COUNTED: Final = 1_000  # rows of a tab; beyond it a number tells nobody what to do next
PRESENT: Final = timedelta(seconds=45)
FLOOD: Final = 10  # more urgent tasks than this within ten minutes
FLOOD_WINDOW: Final = timedelta(minutes=10)
_TASK: Final = (
    "task_id",
    "case_id",
    "vin",
    "queue",
    "desk",
    "state",
    "priority",
    "score",
    "opened_at",
    "claim_by",
    "contact_by",
    "claimed_at",
    "contacted_at",
    "claim_missed_at",
    "contact_missed_at",
    "paused_at",
    "wake_at",
    "held_zh",
    "held_en",
    "holder",
    "holder_name",
    "version",
    "alarms",
    "attempts",
    "next_attempt_at",
    "appointment_at",
    "is_pick_up",
)


def zone_of(session: Session, house: DispatchPolicy) -> ZoneInfo:
    """Give the zone in which somebody lives: their desk's, if they belong to one."""
    desks = session.person.actor.desks
    found = house.directory.desk(next(iter(desks))) if desks else None
    return ZoneInfo(found.timezone) if found else HOME_ZONE


def held_by(connection: sa.Connection, actor: Actor) -> Sequence[str]:
    """Give the tasks that somebody has in hand."""
    k = t.task.c
    query = sa.select(k.task_id).where(k.holder == actor.actor_id, OPEN)
    return connection.execute(query.order_by(k.task_id)).scalars().all()


def queue(
    connection: sa.Connection, actor: Actor, house: DispatchPolicy, kind: Queue, tab: str
) -> list[dict[str, Any]]:
    """List the first `ROWS` of a tab of a queue in the order in which to take them."""
    k = t.task.c
    query = (
        row_query()
        .where(k.queue == kind.value, seen(k.desk, actor), _condition(tab, actor))
        .limit(ROWS)
    )
    if tab == "snoozed":  # what one person put to sleep before what a fleet-wide matter holds
        query = query.order_by(k.issue_id.is_not(None))
    rows = connection.execute(TASKS.sort(query)).mappings().all()
    return [shown(dict(row), actor, house) for row in rows]


def row(
    connection: sa.Connection, task_id: str, actor: Actor, house: DispatchPolicy
) -> dict[str, Any] | None:
    """Give one row of a queue; None for another desk's and nobody's."""
    k = t.task.c
    query = row_query().where(k.task_id == task_id, seen(k.desk, actor))
    found = connection.execute(query).mappings().one_or_none()
    return None if found is None else shown(dict(found), actor, house)


def row_query() -> sa.Select[Any]:
    """Select tasks with what a row shows of their case and vehicle."""
    k, c, v, d = t.task.c, t.case.c, t.vehicle.c, t.desk.c
    joined = (
        t.task.join(t.case, c.case_id == k.case_id)
        .join(t.vehicle, v.vin == k.vin)
        .outerjoin(t.desk, d.desk_id == k.desk)
    )
    cause = sa.case((c.cause == "", c.root), else_=c.cause).label("cause")
    columns = [
        *(k[name] for name in _TASK),
        cause,
        c.reasons,
        c.action,
        c.lat,
        c.lon,
        c.place_at,
        c.road,
        c.accuracy_m,
        v.plate,
        v.model,
        d.name_zh,
        d.name_en,
    ]
    return sa.select(*columns).select_from(joined)


def shown(one: dict[str, Any], actor: Actor, house: DispatchPolicy) -> dict[str, Any]:
    """Add what follows from a row: what is due, whose it is, where it is."""
    desk = house.directory.desk(one["desk"])
    has_place = one["lat"] is not None and one["lon"] is not None
    point = (one["lat"], one["lon"])
    return {
        **one,
        "due": _due(one),
        "is_mine": one["holder"] == actor.actor_id,
        "is_snoozed": one["paused_at"] is not None,
        "is_missed": _is_missed(one),
        "nearby": nearby(*point) if has_place else None,
        "desk_name": {"zh": one["name_zh"] or one["desk"], "en": one["name_en"] or one["desk"]},
        "desk_km": kilometres((desk.lat, desk.lon), point) if desk and has_place else None,
    }


def counts(connection: sa.Connection, actor: Actor, kind: Queue) -> dict[str, int]:
    """Count the rows of every tab, up to `COUNTED` each: a flood is not counted to its end."""
    k = t.task.c

    def counted(tab: str) -> sa.ColumnElement[int]:
        rows = sa.select(k.task_id).where(
            k.queue == kind.value, seen(k.desk, actor), _condition(tab, actor)
        )
        many = sa.select(sa.func.count()).select_from(rows.limit(COUNTED).subquery())
        return many.scalar_subquery().label(tab)

    return dict(connection.execute(sa.select(*map(counted, TABS))).mappings().one())


def unclaimed(connection: sa.Connection, actor: Actor, kind: Queue) -> tuple[int, datetime | None]:
    """Count the urgent tasks that nobody has in hand, and say since when the oldest waits."""
    k = t.task.c
    query = sa.select(sa.func.count(), sa.func.min(k.opened_at)).where(
        k.queue == kind.value, seen(k.desk, actor), _condition("urgent", actor), k.holder.is_(None)
    )
    many, oldest = connection.execute(query).one()
    return many, oldest


def floods(connection: sa.Connection, at: datetime) -> dict[str, int]:
    """Give the desks with more urgent tasks in ten minutes than people can take, with how many."""
    k = t.task.c
    many = sa.func.count()
    query = (
        sa.select(k.desk, many)
        .where(k.priority == "urgent", k.opened_at > at - FLOOD_WINDOW, k.queue == "roadside")
        .group_by(k.desk)
        .having(many > FLOOD)
    )
    return dict(connection.execute(query).all())


def present(
    connection: sa.Connection, task_ids: Sequence[str], actor: Actor, at: datetime
) -> dict[str, list[str]]:
    """Say who else looks at these tasks now."""
    p = t.presence.c
    query = (
        sa.select(p.task_id, p.name)
        .where(p.task_id.in_(task_ids), p.seen_at > at - PRESENT, p.person_id != actor.actor_id)
        .order_by(p.task_id, p.name)
    )
    looking: dict[str, list[str]] = {}
    for task_id, name in connection.execute(query):
        looking.setdefault(task_id, []).append(name)
    return looking


def _condition(tab: str, actor: Actor) -> sa.ColumnElement[bool]:
    k = t.task.c
    conditions: Mapping[str, sa.ColumnElement[bool]] = {
        "all": AWAKE,
        "urgent": sa.and_(k.priority_rank == PRIORITY_RANK[Priority.URGENT], AWAKE),
        "high": sa.and_(k.priority_rank == PRIORITY_RANK[Priority.HIGH], AWAKE),
        "mine": sa.and_(k.holder == actor.actor_id, OPEN),
        "snoozed": ASLEEP,
        "missed": MISSED,
    }
    return conditions[tab]


def _due(one: Mapping[str, Any]) -> datetime | None:
    """When the next promise is due: the claim, then the contact; none once the customer knows,
    and none while the task is held back."""
    if one["contacted_at"] is not None or one["held_zh"] is not None:
        return None
    if one["claimed_at"] is None and one["claim_by"] is not None:
        return one["claim_by"]  # type: ignore[no-any-return]
    return one["contact_by"]  # type: ignore[no-any-return]


def _is_missed(one: Mapping[str, Any]) -> bool:
    return (one["claim_missed_at"] is not None and one["claimed_at"] is None) or (
        one["contact_missed_at"] is not None and one["contacted_at"] is None
    )
