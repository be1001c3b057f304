"""Which desk gets a task, and the sentence that says why."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from math import asin, cos, dist, radians, sin, sqrt
from typing import Final

from msgspec import Struct

from dispatch.rules.calendar import next_open, zone_of
from dispatch.rules.deadlines import shut_beyond_promise
from models.case import Desk, Text, VehicleInfo
from models.words import CarState, Priority, Queue

NEAR_KM: Final = 15.0
FAR_KM: Final = 100.0
UNASSIGNED: Final = "unassigned"
_PASSED_AT_MOST: Final = 24  # of the nearest dealers, in a holiday that shuts all of them
_EARTH_KM: Final = 6371.0088  # mean radius, IUGG 1980
Point = tuple[float, float]


class Routed(Struct, frozen=True):
    """Where a task goes, and why."""

    queue: Queue
    desk: str
    reason: Text


class Group:
    """Desks among which the nearest is searched for, over and over."""

    def __init__(self, desks: Iterable[Desk]) -> None:
        self.desks = tuple(desks)
        self._points = [_point(desk.lat, desk.lon) for desk in self.desks]

    def nearest(self, place: Point | None) -> Desk | None:
        """Choose the nearest, of equals the first by id: by the chord, which grows with the arc.

        Without a place it is the first.
        """
        if not self.desks or place is None:
            return self.desks[0] if self.desks else None
        chords = self._chords(place)
        return self.desks[chords.index(min(chords))]

    def by_distance(self, place: Point | None) -> list[Desk]:
        """Return the desks, the nearest first."""
        if place is None:
            return list(self.desks)
        chords = self._chords(place)
        return [self.desks[number] for number in sorted(range(len(chords)), key=chords.__getitem__)]

    def _chords(self, place: Point) -> list[float]:
        here = _point(*place)
        return [dist(point, here) for point in self._points]


class Directory:
    """All desks, by id and by kind."""

    def __init__(self, desks: Iterable[Desk]) -> None:
        self.desks = tuple(sorted(desks, key=lambda desk: desk.desk_id))
        self._by_id = {desk.desk_id: desk for desk in self.desks}
        self._groups: dict[tuple[Queue, str | None, frozenset[str]], Group] = {}

    def desk(self, desk_id: str | None) -> Desk | None:
        """Find a desk."""
        return self._by_id.get(desk_id) if desk_id else None

    def open_desks(
        self, kind: Queue, market: str | None, needs: frozenset[str] = frozenset()
    ) -> Group:
        """Return the desks of a kind in business in a market (None: any) that can do the work."""
        group = self._groups.get((kind, market, needs))
        if group is None:
            group = self._groups[kind, market, needs] = Group(
                desk
                for desk in self.desks
                if desk.is_open
                and desk.kind is kind
                and market in (None, desk.market)
                and needs <= desk.capabilities
            )
        return group


def route(
    priority: Priority,
    info: VehicleInfo,
    place: Point | None,
    directory: Directory,
    *,
    needs: frozenset[str],
    at: datetime,
) -> Routed:
    """Send urgent and high to the roadside, normal to a dealer that can do the work."""
    if priority is Priority.NORMAL:
        return route_to_dealer(info, place, directory, needs=needs, at=at)
    return _to_roadside(info, place, directory, Text("", ""))


def route_to_dealer(
    info: VehicleInfo,
    place: Point | None,
    directory: Directory,
    *,
    needs: frozenset[str],
    at: datetime,
) -> Routed:
    """Choose the preferred dealer if it can, is near and opens in time, else the nearest that does.

    A holiday of one day is borne; see `shut_beyond_promise`.
    """
    home = _home(info) or place
    preferred = directory.desk(info.preferred_dealer)
    why_not = Text("", "")
    if preferred is not None:
        why_not = _why_not(preferred, home, needs, at)
        if not why_not.zh:
            reason = Text("车主首选经销商", "The owner's preferred dealer")
            return Routed(Queue.DEALER, preferred.desk_id, reason)
    group = directory.open_desks(Queue.DEALER, info.market, needs)
    nearest = group.nearest(home)
    is_shut = nearest is not None and shut_beyond_promise(nearest, at)
    if is_shut:
        near = group.by_distance(home)[1:_PASSED_AT_MOST]
        nearest = next((desk for desk in near if not shut_beyond_promise(desk, at)), None)
        why_not = why_not if why_not.zh else _NEAREST_SHUT
    if nearest is not None and (home is None or _distance(nearest, home) <= FAR_KM):
        reason = _NEAREST_OPEN if is_shut else _NEAREST
        return Routed(Queue.DEALER, nearest.desk_id, _joined(why_not, reason))
    return _to_roadside(info, place, directory, _joined(why_not, _NO_DEALER))


_NEAREST: Final = Text("最近的可承接经销商", "The nearest dealer that can do the work")
_NEAREST_OPEN: Final = Text(
    "最近的营业中可承接经销商", "The nearest dealer that can do the work and opens in time"
)
_NEAREST_SHUT: Final = Text("最近的经销商休假；", "The nearest dealer is shut for holidays; ")
_NO_DEALER: Final = Text(
    "附近没有可承接的经销商，转救援中心",
    "No dealer nearby can do the work: to the roadside centre",
)


def needs_of(powertrain: str | None) -> frozenset[str]:
    """Return the capabilities that a desk must have for this vehicle."""
    electric = powertrain in ("bev", "phev")
    return frozenset({"high_voltage"}) if electric else frozenset()


def kilometres(start: Point, end: Point) -> float:
    """Great-circle distance by the haversine formula (R. W. Sinnott, 1984)."""
    lat1, lon1, lat2, lon2 = map(radians, (*start, *end))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * _EARTH_KM * asin(min(1.0, sqrt(half)))


def _to_roadside(
    info: VehicleInfo, place: Point | None, directory: Directory, because: Text
) -> Routed:
    centres = directory.open_desks(Queue.ROADSIDE, info.market)
    own = [desk for desk in centres.desks if info.region and desk.region == info.region]
    if own:
        reason = Text("车辆所在区域的救援中心", "The roadside centre of the vehicle's region")
        chosen: Desk | None = own[0]
    else:
        chosen = centres.nearest(place or _home(info))
        reason = Text("最近的救援中心", "The nearest roadside centre")
    if chosen is None:
        chosen = directory.open_desks(Queue.ROADSIDE, None).nearest(place or _home(info))
        reason = Text(
            "该市场没有救援中心，转最近的", "No roadside centre in its market: the nearest"
        )
    if chosen is None:
        nobody = Text("没有营业的救援中心，待分配", "No roadside centre is in business: unassigned")
        return Routed(Queue.ROADSIDE, UNASSIGNED, nobody)
    return Routed(Queue.ROADSIDE, chosen.desk_id, because if because.zh else reason)


def _joined(why_not: Text, reason: Text) -> Text:
    return Text(f"{why_not.zh}{reason.zh}", f"{why_not.en}{reason.en}")


def _why_not(desk: Desk, home: Point | None, needs: frozenset[str], at: datetime) -> Text:
    if not desk.is_open:
        return Text("首选经销商停业；", "The preferred dealer is out of business; ")
    if not needs <= desk.capabilities:
        return Text("首选经销商无此资质；", "The preferred dealer cannot do this work; ")
    if home is not None and _distance(desk, home) > NEAR_KM:
        return Text("首选经销商过远；", "The preferred dealer is too far away; ")
    if shut_beyond_promise(desk, at):
        opens = next_open(desk, at)
        if opens is None:
            return Text("首选经销商长期休假；", "The preferred dealer is shut for good; ")
        day = opens.astimezone(zone_of(desk.timezone)).date().isoformat()
        return Text(f"首选经销商休假至{day}；", f"The preferred dealer is shut until {day}; ")
    return Text("", "")


def _home(info: VehicleInfo) -> Point | None:
    """Return the owner's usual place; of a car that was sold it is the former owner's."""
    if info.home_lat is None or info.home_lon is None or info.state is CarState.SOLD:
        return None
    return info.home_lat, info.home_lon


def _distance(desk: Desk, place: Point) -> float:
    return kilometres((desk.lat, desk.lon), place)


@lru_cache(maxsize=4096)
def _point(lat: float, lon: float) -> tuple[float, float, float]:
    """Return a place on the unit sphere."""
    up, round_ = radians(lat), radians(lon)
    return cos(up) * cos(round_), cos(up) * sin(round_), sin(up)
