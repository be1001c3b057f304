"""Whose car it is and where it stands: which desk has it, and how a sentence about it begins.

Pure. A priority says how dangerous a fault is, whosever car it is; this says who is to act.
"""

from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dispatch.rules.calendar import is_at_work
from dispatch.rules.routing import Directory, Point, Routed, route
from dispatch.rules.silence import is_in_force
from models.case import Desk, Ranking, Silence, Text, VehicleInfo
from models.words import CarState, CarUse, Priority

# Nobody drives these: their faults are the purpose of a test, and its engineers are there.
OFF_ROAD: Final = frozenset({CarUse.BENCH, CarUse.CRASH_TEST})
_USES: Final = {
    CarUse.DEMO: Text("试驾车", "Demonstrator"),
    CarUse.PRESS: Text("媒体用车", "Press car"),
    CarUse.BENCH: Text("台架车，不派单", "Test bench car, no task"),
    CarUse.CRASH_TEST: Text("碰撞试验车，不派单", "Crash test car, no task"),
}
_SOLD: Final = Text("车辆已售出，不联系原车主", "Sold, its former owner is not called")
_WORKSHOP: Final = Text("在维修车间", "In the workshop")
_TRANSPORT: Final = Text("运输途中", "In transport")
_SHUT: Final = Text("（现已打烊）", ", which is shut now")


class Stand(Struct, frozen=True):
    """Who has a car that its driver has not: a workshop or a haulier, and its desk if known."""

    state: CarState
    desk: str | None


def goes_to_desks(info: VehicleInfo) -> bool:
    """Return whether somebody drives the car, so that its cases become tasks."""
    return info.use not in OFF_ROAD


def stand_of(info: VehicleInfo, silences: tuple[Silence, ...], at: datetime) -> Stand | None:
    """Return who has a car at `at`, as its dealer or its master data say; None: its driver."""
    for silence in silences:
        if silence.kind == "workshop" and is_in_force(silence, at):
            return Stand(CarState.WORKSHOP, silence.desk or info.stands_at)
    if info.state in (CarState.WORKSHOP, CarState.TRANSPORT):
        return Stand(info.state, info.stands_at)
    return None


def route_car(
    priority: Priority,
    info: VehicleInfo,
    silences: tuple[Silence, ...],
    place: Point | None,
    directory: Directory,
    *,
    needs: frozenset[str],
    at: datetime,
) -> Routed:
    """Send a car's task to whoever has the car, if it is known and is there, else as its priority.

    What presses waits for no opening: while a workshop is shut it goes to the roadside centre.
    """
    stand = stand_of(info, silences, at)
    if stand is None:
        return route(priority, info, place, directory, needs=needs, at=at)
    desk = directory.desk(stand.desk)
    where = _where(stand, desk)
    if desk is not None and desk.is_open:
        if priority is Priority.NORMAL or is_at_work(desk, at):
            return Routed(desk.kind, desk.desk_id, where)
        where = Text(where.zh + _SHUT.zh, where.en + _SHUT.en)
    routed = route(priority, info, place, directory, needs=needs, at=at)
    return replace(routed, reason=_begun(where, routed.reason))


def introduced(
    ranking: Ranking,
    info: VehicleInfo,
    silences: tuple[Silence, ...],
    directory: Directory,
    at: datetime,
) -> Ranking:
    """Return a ranking whose first reason begins with whose car it is and where it stands.

    A customer's car on the road needs no words. A car that nobody drives needs no task, as
    dangerous as its fault may be.
    """
    opening = _opening(info, silences, directory, at)
    if opening is None:
        return ranking
    reasons = ranking.reasons
    if reasons:
        reasons = (_begun(opening, reasons[0]), *reasons[1:])
    needs_task = ranking.needs_task and goes_to_desks(info)
    return replace(ranking, reasons=reasons, needs_task=needs_task)


def _opening(
    info: VehicleInfo, silences: tuple[Silence, ...], directory: Directory, at: datetime
) -> Text | None:
    parts = []
    if info.use in _USES:
        whose = _USES[info.use]
        owner = directory.desk(info.preferred_dealer) if info.use is CarUse.DEMO else None
        parts.append(_of(whose, owner))
    stand = stand_of(info, silences, at)
    if stand is not None:
        parts.append(_where(stand, directory.desk(stand.desk)))
    elif info.state is CarState.SOLD:
        parts.append(_SOLD)
    if not parts:
        return None
    return Text("，".join(part.zh for part in parts), ", ".join(part.en for part in parts))


def _where(stand: Stand, desk: Desk | None) -> Text:
    return _of(_WORKSHOP if stand.state is CarState.WORKSHOP else _TRANSPORT, desk)


def _of(what: Text, desk: Desk | None) -> Text:
    if desk is None:
        return what
    return Text(f"{what.zh}（{desk.name.zh}）", f"{what.en} ({desk.name.en})")


def _begun(opening: Text, sentence: Text) -> Text:
    return Text(f"{opening.zh}：{sentence.zh}", f"{opening.en}: {sentence.en}")
