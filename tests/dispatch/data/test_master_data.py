"""Master data as spreadsheets save them: read rightly, or named with file, line and field."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatch.data.master_data import import_desks, import_vehicles, read_rows
from models import tables as t
from models.errors import ImportRefused
from tests.worlds import CAR, OTHER, SAMPLE_DESKS, Room, Stream

TEXT = f"vin,plate,name,phone\n{CAR},沪AD12345,王小明,13800000020\n"
ROW = {"vin": CAR, "plate": "沪AD12345", "name": "王小明", "phone": "13800000020"}


def rows_of(folder: Path, content: str | bytes, name: str = "cars.csv") -> list[dict[str, Any]]:
    """What is read of a file with this content."""
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [dict(row.values) for row in read_rows(file)]


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "utf-32"],
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_what_a_spreadsheet_saves_is_read(
    tmp_path: Path, encoding: str, separator: str, line_end: str
) -> None:
    text = TEXT.replace(",", separator).replace("\n", line_end)
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    assert rows_of(tmp_path, (mark + text).encode(encoding)) == [ROW]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f'vin,name\n{CAR},"王\n小明"\n', {"vin": CAR, "name": "王\n小明"}),
        (f'VIN ,"Preferred Dealer"\n{CAR},d\n', {"vin": CAR, "preferred_dealer": "d"}),
        (f"车架号,手机号\n{CAR},1\n", {"vin": CAR, "phone": "1"}),
        (f"sep=;\nvin;name\n{CAR};a,b\n", {"vin": CAR, "name": "a,b"}),
        (f'vin;name\n{CAR};"a;b"\n;\n\n', {"vin": CAR, "name": "a;b"}),
        (f"vin,name\n{CAR}\n", {"vin": CAR, "name": ""}),
        (f"vin,name,\n{CAR},a,\n", {"vin": CAR, "name": "a"}),
    ],
)
def test_tables_are_read_as_tables(tmp_path: Path, text: str, expected: dict[str, str]) -> None:
    assert rows_of(tmp_path, text) == [expected]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"PK\x03\x04rest", "workbook"),
        (b"vin,name\nA,\xff\xff\n", "line 2: is no text"),
        ("vin,name\nA,b\n".encode("utf-16-le"), "line 1: is no text"),
        (b'vin,name\nA,"b\n', "cannot be read"),
        (b"vin,name,VIN\nA,b,c\n", "line 1: two columns are vin"),
        (b"vin,name\nA,b\nA,b,c\n", "line 3: has 3 fields"),
    ],
)
def test_what_cannot_be_read_is_named_with_file_and_line(
    tmp_path: Path, content: bytes, why: str
) -> None:
    with pytest.raises(ImportRefused, match=rf"cars\.csv.*{why}|{why}.*") as refused:
        rows_of(tmp_path, content)
    assert "cars.csv" in str(refused.value)


@given(content=st.binary(max_size=80))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_rows_or_a_refusal(tmp_path: Path, content: bytes) -> None:
    for name in ("cars.csv", "cars.yaml"):
        try:
            rows_of(tmp_path, content, name)
        except ImportRefused as refused:
            sentence = str(refused)
            assert name in sentence


def imported(engine: sa.Engine, folder: Path, text: str, **more: Any) -> dict[str, int]:
    """Import a file of vehicles."""
    file = folder / "cars.csv"
    file.write_text(text, "utf-8")
    with engine.begin() as connection:
        return import_vehicles(connection, read_rows(file), **more)


def lines_of(engine: sa.Engine, folder: Path, text: str, *, desks: bool = False) -> list[str]:
    """The mistakes for which a file is refused."""
    file = folder / "file.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(ImportRefused) as refused, engine.begin() as connection:
        (import_desks if desks else import_vehicles)(connection, read_rows(file))
    lines: list[str] = refused.value.facts["lines"]
    return lines


def test_an_import_touches_only_what_it_brings(engine: sa.Engine, tmp_path: Path) -> None:
    room = Room(engine)
    head = "vin,model,market,name,phone,language,has_consent\n"
    imported(engine, tmp_path, f"{head}{CAR},M1,CN,王,13800000020,zh-CN,true\n")
    room.plays(Stream().says(CAR, "dtc:B1342", status="pending").records)
    waiting = room.rows(t.vehicle, vin=CAR)[0]["waiting"]
    assert waiting
    assert imported(engine, tmp_path, f"vin,plate\n{CAR},沪A\n")["updated"] == 1
    assert imported(engine, tmp_path, f"vin,plate\n{CAR},沪A\n")["unchanged"] == 1
    assert imported(engine, tmp_path, f"vin,name,phone,has_consent\n{CAR},李,,\n")["updated"] == 1
    (car,), (owner,) = room.rows(t.vehicle, vin=CAR), room.rows(t.contact, vin=CAR)
    assert (car["model"], car["plate"], car["waiting"]) == ("M1", "沪A", waiting)
    assert (owner["name"], owner["phone"]) == ("李", "+8613800000020")
    assert (owner["language"], owner["has_consent"]) == ("zh-CN", True)
    imported(engine, tmp_path, f"vin,model\n{CAR},\n")
    assert room.rows(t.vehicle, vin=CAR)[0]["model"] is None


def test_a_file_that_says_nothing_of_consent_grants_none(engine: sa.Engine, tmp_path: Path) -> None:
    imported(engine, tmp_path, f"vin,name,phone,market\n{CAR},王,13800000020,CN\n")
    assert Room(engine).rows(t.contact, vin=CAR)[0]["has_consent"] is False


def test_a_desk_that_is_known_may_come_with_some_columns(engine: sa.Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        import_desks(connection, read_rows(SAMPLE_DESKS))
    file = tmp_path / "desks.csv"
    file.write_text('Desk ID,Hours\ndealer-beijing-1,"1-5 08:30-12:00,13:30-17:30"\n', "utf-8")
    with engine.begin() as connection:
        assert import_desks(connection, read_rows(file))["updated"] == 1
    (desk,) = Room(engine).rows(t.desk, desk_id="dealer-beijing-1")
    assert desk["hours"]["5"] == [["08:30", "12:00"], ["13:30", "17:30"]]
    assert desk["name_zh"]
    assert len(desk["holidays"]) == 8


NEW_DESK = "d,dealer,店,D,CN,e,{lat},121.5,{zone},,{hours},{holidays}"
HEAD = "desk_id,kind,name_zh,name_en,market,region,lat,lon,timezone,capabilities,hours,holidays\n"


@pytest.mark.parametrize(
    ("field", "cell"),
    [
        ("hours", "8-9 09:00-18:00"),
        ("hours", "always"),
        ("holidays", "17.02.2026"),
        ("holidays", "2026-02-30"),
        ("lat", "nan"),
        ("lat", "north"),
        ("lat", "#N/A"),
        ("timezone", "Asia/Peking"),
        ("timezone", "../../etc/passwd"),
    ],
)
def test_what_a_desk_cannot_say_is_named_with_line_and_field(
    engine: sa.Engine, tmp_path: Path, field: str, cell: str
) -> None:
    good = {"lat": "31.2", "zone": "Asia/Shanghai", "hours": "24h", "holidays": ""}
    row = NEW_DESK.format(**good | {field.replace("timezone", "zone"): cell})
    (line,) = lines_of(engine, tmp_path, HEAD + row, desks=True)
    assert line.startswith(f"line 2: {field}: ")


def test_habits_of_spreadsheets_in_other_columns_are_understood(
    engine: sa.Engine, tmp_path: Path
) -> None:
    file = tmp_path / "desks.csv"
    row = NEW_DESK.format(
        lat='"31,2"',
        zone=" Asia/Shanghai ",
        hours='"１－５ ０９：００－１８：００"',
        holidays="2026/2/17 2026年2月18日 20260219",
    )
    head = HEAD.replace("capabilities", "is_open").upper()
    file.write_text(head + row.replace(",d,", ",1001.0,").replace("Shanghai ,", "Shanghai,是"))
    with engine.begin() as connection:
        import_desks(connection, read_rows(file))
    (desk,) = Room(engine).rows(t.desk)
    assert (desk["lat"], desk["is_open"]) == (31.2, True)
    assert desk["holidays"] == ["2026-02-17", "2026-02-18", "2026-02-19"]
    assert set(desk["hours"]) == set("12345")


def test_what_is_longer_than_its_column_is_refused(engine: sa.Engine, tmp_path: Path) -> None:
    text = f"vin,plate,name\n{CAR},{'x' * 33},王\n{OTHER},x,{'王' * 129}\n"
    lines = lines_of(engine, tmp_path, text)
    assert [line.split(": has")[0] for line in lines] == ["line 2: plate", "line 3: name"]


def test_wrong_phones_refuse_the_file_or_are_left_out_with_a_warning(
    engine: sa.Engine, tmp_path: Path
) -> None:
    text = f"vin,name,phone,market\n{CAR},王,1.38E+10,CN\n{OTHER},李,138-0000-0020,CN\n"
    assert lines_of(engine, tmp_path, text) == ["line 2: phone: '1.38E+10' is no phone number"]
    room = Room(engine)
    assert room.rows(t.vehicle) == []
    imported(engine, tmp_path, text.replace("1.38E+10", "010-12345678"))
    warnings: list[str] = []
    imported(engine, tmp_path, text, warn=warnings.append)
    assert [warning[:6] for warning in warnings] == ["line 2"]
    phones = {row["vin"]: row["phone"] for row in room.rows(t.contact)}
    assert phones == {CAR: "+861012345678", OTHER: "+8613800000020"}


def test_a_phone_is_read_by_the_market_that_is_known(engine: sa.Engine, tmp_path: Path) -> None:
    imported(engine, tmp_path, f"vin,market\n{CAR},DE\n")
    imported(engine, tmp_path, f"vin,phone\n{CAR},0171 3920000\n")
    assert Room(engine).rows(t.contact)[0]["phone"] == "+491713920000"
    (line,) = lines_of(engine, tmp_path, f"vin,phone\n{OTHER},0171 3920000\n")
    assert "no country" in line
    with engine.begin() as connection:
        import_desks(connection, read_rows(SAMPLE_DESKS))
    imported(engine, tmp_path, f"vin,phone\n{OTHER},13800000020\n")
    assert Room(engine).rows(t.contact, vin=OTHER)[0]["phone"] == "+8613800000020"
