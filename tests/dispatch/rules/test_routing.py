"""Routing, deadlines, and master data."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from dispatch.data.desks import load_directory
from dispatch.data.master_data import import_desks, import_vehicles, read_rows
from dispatch.rules.deadlines import deadlines
from dispatch.rules.routing import UNASSIGNED, Directory, kilometres, route
from models import tables as t
from models.case import Desk, Text, VehicleInfo
from models.errors import ImportRefused
from models.words import Priority, Queue
from tests.worlds import CAR, START, Room, Stream

BEIJING, SHANGHAI = (39.90, 116.40), (31.23, 121.47)


def desk(
    name: str,
    kind: Queue = Queue.DEALER,
    place: tuple[float, float] = SHANGHAI,
    *,
    can: str = "high_voltage",
    region: str = "east",
    is_open: bool = True,
) -> Desk:
    """A desk that can do electric work."""
    return Desk(
        desk_id=name,
        kind=kind,
        name=Text(name, name),
        market="CN",
        region=region,
        lat=place[0],
        lon=place[1],
        timezone="Asia/Shanghai",
        capabilities=frozenset(can.split()),
        is_open=is_open,
    )


NEEDS = frozenset({"high_voltage"})
HOME = VehicleInfo(
    market="CN", region="east", preferred_dealer="own", home_lat=31.2, home_lon=121.5
)


@pytest.mark.parametrize(
    ("desks", "chosen", "why"),
    [
        ([desk("own"), desk("near")], "own", "preferred"),
        ([desk("own", is_open=False), desk("near")], "near", "out of business"),
        ([desk("own", can=""), desk("near")], "near", "cannot do this work"),
        ([desk("own", place=BEIJING), desk("near")], "near", "too far away"),
        ([desk("own", place=BEIJING), desk("help", Queue.ROADSIDE)], "help", "No dealer nearby"),
        ([], UNASSIGNED, "No roadside centre"),
    ],
)
def test_a_normal_case_goes_to_the_dealer_that_can(
    desks: list[Desk], chosen: str, why: str
) -> None:
    routed = route(Priority.NORMAL, HOME, None, Directory(desks), needs=NEEDS, at=START)
    assert routed.desk == chosen
    assert why in routed.reason.en
    assert routed.reason.zh


def test_urgent_goes_to_the_centre_of_the_region_else_the_nearest() -> None:
    centres = [
        desk("a-north", Queue.ROADSIDE, BEIJING, region="north"),
        desk("b-east", Queue.ROADSIDE, SHANGHAI, region="east"),
    ]
    urgent = Priority.URGENT
    own = route(urgent, HOME, BEIJING, Directory(centres), needs=NEEDS, at=START)
    assert own.desk == "b-east"
    stranger = route(urgent, VehicleInfo(), BEIJING, Directory(centres), needs=NEEDS, at=START)
    assert stranger.desk == "a-north"


def test_beijing_to_shanghai_is_about_1070_kilometres() -> None:
    assert kilometres(BEIJING, SHANGHAI) == pytest.approx(1067, abs=10)


def test_urgent_is_claimed_in_a_minute_and_called_in_five() -> None:
    due = deadlines(Priority.URGENT, Queue.ROADSIDE, None, START)
    assert due.claim_by is not None
    assert due.contact_by is not None
    assert [(d - START).total_seconds() for d in (due.claim_by, due.contact_by)] == [60, 300]


ZONE = "Asia/Shanghai"
DESKS = f"""desk_id,kind,name_zh,name_en,market,region,lat,lon,timezone,capabilities,hours,holidays
sh-1,dealer,上海一店,Shanghai 1,CN,east,31.2,121.5,{ZONE},high_voltage,1-6 09:00-18:00,2026-02-17
east,roadside,华东救援,East,CN,east,31.0,121.0,{ZONE},,24h,
"""


def test_an_import_is_idempotent_and_counts(engine: sa.Engine, tmp_path: Path) -> None:
    file = tmp_path / "desks.csv"
    counts = []
    for text in (DESKS, DESKS, DESKS.replace("上海一店", "上海二店")):
        file.write_text(text, "utf-8")
        with engine.begin() as connection:
            counts.append(tuple(import_desks(connection, read_rows(file)).values()))
    assert counts == [(2, 0, 0), (0, 0, 2), (0, 1, 1)]
    with engine.begin() as connection:
        dealer = load_directory(connection).desk("sh-1")
    assert dealer is not None
    assert dealer.hours[6] == ((9 * 60, 18 * 60),)


def test_a_broken_import_names_every_line_and_changes_nothing(
    engine: sa.Engine, tmp_path: Path
) -> None:
    file = tmp_path / "desks.csv"
    file.write_text(DESKS.replace("31.2", "131.2").replace("roadside", "road"), "utf-8")
    with pytest.raises(ImportRefused) as refused, engine.begin() as connection:
        import_desks(connection, read_rows(file))
    assert [line.split(":")[:2] for line in refused.value.facts["lines"]] == [
        ["line 2", " lat"],
        ["line 3", " kind"],
    ]
    assert Room(engine).rows(t.desk) == []


def test_an_imported_vehicle_is_routed_to_its_own_dealer(engine: sa.Engine, tmp_path: Path) -> None:
    desks, vehicles = tmp_path / "desks.csv", tmp_path / "vehicles.yaml"
    desks.write_text(DESKS, "utf-8")
    vehicles.write_text(
        f"- {{vin: {CAR}, powertrain: bev, market: CN, region: east, preferred_dealer: sh-1, "
        "home_lat: 31.21, home_lon: 121.51}",
        "utf-8",
    )
    with engine.begin() as connection:
        import_desks(connection, read_rows(desks))
        import_vehicles(connection, read_rows(vehicles))
    stream = Stream().says(CAR, "cbs:OIL", severity="service")
    room = Room(engine).plays(stream.records)
    (task,) = room.rows(t.task)
    assert (task["queue"], task["desk"], task["route_en"]) == (
        "dealer",
        "sh-1",
        "The owner's preferred dealer",
    )
    stream.says(CAR, "dtc:P0C01", minute=1, severity="stop", motion="moving")
    room.plays(stream.records[-1:])
    tasks = {row["queue"]: row for row in room.rows(t.task)}
    assert (tasks["roadside"]["desk"], tasks["roadside"]["priority"]) == ("east", "urgent")
    assert tasks["dealer"]["disposition"] == "superseded"
