"""What people do in the pages: work, hand over, book, close."""

import re
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from msgspec.structs import replace

from dispatch.read.queue import ROWS, Tab, queue
from dispatch.read.tasks import candidates
from models import tables as t
from models.person import Actor
from models.words import Queue, Role
from tests.support.consoles import Console, dealers, room, squeezed, urgent
from tests.worlds import (
    BEIJING,
    CAR,
    OTHER,
    START,
    STRANDED,
    Stream,
    urgent_and_normal,
)

__all__ = ["room"]


def test_an_operator_works_a_case_through_in_the_pages(room: Console) -> None:
    room.enters("li")
    task = urgent(room)["task_id"]
    assert "Drive motor" in room.client.get("/queue").text
    assert room.posts("/next").url.path == f"/task/{task}"
    assert (
        room.posts(
            f"/task/{task}/sheet", note="Behind the rail.", answer_is_safe="yes", answer_bogus="x"
        ).status_code
        == 204
    )
    for step in ("contact", "set_out", "arrive"):
        assert room.posts(f"/task/{task}/step/{step}").status_code == 200
    page = room.posts(f"/task/{task}/finish", disposition="fixed_on_site")
    assert "This case is closed." in page.text
    assert "<q>Behind the rail.</q>" in page.text
    (sheet,) = room.centre.rows(t.worksheet)
    assert sheet["answers"] == {"is_safe": "yes"}
    assert urgent(room)["disposition"] == "fixed_on_site"


def test_readings_have_a_name_and_a_unit_and_what_has_none_is_left_out(room: Console) -> None:
    stream = Stream().says(CAR, "dtc:P0C01", **STRANDED)
    read = {"tyre_kpa": 217.4, "cell_spread_mv": 19, "x_raw_7": 3}
    more: dict[str, Any] = {"id": "readings", "state_of_charge": 0.634, "signals": read}
    again = stream.says(CAR, "dtc:P0C01", 1, severity="stop", **more)
    room.centre.worker.process([replace(one, offset=one.offset + 1) for one in again.records[1:]])
    room.enters("li")
    page = squeezed(room.client.get(f"/task/{urgent(room)['task_id']}").text)
    for shown in (
        "<dt>State of charge</dt><dd>63 %</dd>",
        "<dt>Softest tyre</dt><dd>217 kPa</dd>",
        "<dt>Between its cells</dt><dd>19 mV</dd>",
    ):
        assert shown in page
    assert not [name for name in read if name in page]


def test_who_comes_second_is_told_in_the_row_who_has_it(room: Console) -> None:
    task = urgent(room)["task_id"]
    room.enters("li")
    assert "You" in room.posts(f"/task/{task}/row/claim").text
    room.enters("chen")
    lost = room.posts(f"/task/{task}/row/claim")
    assert lost.status_code == 409
    assert "Li has this case in hand." in lost.text
    assert lost.text.strip().startswith("<tr")
    page = room.posts(f"/task/{task}/claim")
    assert page.status_code == 409
    assert "Li has this case in hand." in page.text


def test_a_lost_case_keeps_the_notes_and_says_who_has_it(room: Console) -> None:
    task = urgent(room)["task_id"]
    room.enters("li")
    room.posts(f"/task/{task}/claim")
    room.posts(f"/task/{task}/sheet", note="half a sentence")
    room.enters("zhao")
    refused = room.posts(f"/task/{task}/take-over", reason=" ")
    assert refused.status_code == 422
    assert "Zhao" in room.posts(f"/task/{task}/take-over", reason="break").text
    room.enters("li")
    late = room.posts(f"/task/{task}/step/contact", note="half a sentence, and the rest")
    assert late.status_code == 409
    assert "Zhao has this case in hand." in late.text
    assert "half a sentence, and the rest" in late.text
    assert "your notes are kept" in late.text


def test_a_supervisor_gives_a_case_to_somebody_who_is_at_work(room: Console) -> None:
    task = urgent(room)["task_id"]
    for login in ("far", "chen", "li"):
        room.enters(login)
    room.posts(f"/task/{task}/claim")
    refused = room.posts(f"/task/{task}/reassign", person="x", reason="r")
    assert refused.status_code == 422
    people = {row["login"]: row["person_id"] for row in room.centre.rows(t.person)}
    assert (
        room.posts(f"/task/{task}/reassign", person=people["chen"], reason="r").status_code == 403
    )
    room.enters("zhao")
    page = room.client.get(f"/task/{task}").text
    assert people["chen"] in page
    assert people["far"] not in page
    far = room.posts(f"/task/{task}/reassign", person=people["far"], reason="r")
    assert far.status_code == 422
    room.posts(f"/task/{task}/reassign", person=people["chen"], reason="Li is on another call")
    assert urgent(room)["holder"] == people["chen"]
    room.enters("chen")
    page = room.client.get(f"/task/{task}").text
    assert "You have it" in page
    assert "Li is on another call" in page


def test_nobody_goes_home_with_a_driver_in_hand(room: Console) -> None:
    task = urgent(room)["task_id"]
    room.enters("li")
    room.posts(f"/task/{task}/claim")
    for path in ("/logout", "/handover"):
        refused = room.posts(path)
        assert refused.status_code == 409
        assert "still have a case in hand" in refused.text
    room.posts(f"/task/{task}/step/release")
    assert room.posts("/handover", note="rail closed at K12").status_code == 200
    own = room.posts(f"/handover/{room.centre.rows(t.handover)[0]['handover_id']}/confirm/{task}")
    assert own.status_code == 409
    room.enters("chen")
    assert "rail closed at K12" in room.client.get("/handover").text
    room.posts(f"/handover/{room.centre.rows(t.handover)[0]['handover_id']}/confirm/{task}")
    assert room.centre.rows(t.handover)[0]["taken_at"] is not None


def test_a_number_is_shown_only_with_consent_and_never_to_an_engineer(room: Console) -> None:
    task = urgent(room)["task_id"]

    def owner(*, has_consent: bool) -> None:
        with room.centre.engine.begin() as connection:
            connection.execute(sa.delete(t.contact))
            connection.execute(
                sa.insert(t.contact).values(
                    vin=CAR,
                    name="Owner",
                    phone="+86 555 0100",
                    language="zh-CN",
                    has_consent=has_consent,
                )
            )

    room.enters("li")
    owner(has_consent=False)
    assert "+86 555 0100" not in room.client.get(f"/task/{task}").text
    owner(has_consent=True)
    assert "+86 555 0100" in room.client.get(f"/task/{task}").text
    room.enters("eve")
    page = room.client.get(f"/task/{task}").text
    assert "+86 555 0100" not in page
    assert "Owner" not in page
    assert room.posts(f"/task/{task}/claim").status_code == 403


def test_a_dealer_books_and_what_was_typed_survives_a_refusal(room: Console) -> None:
    task = dealers(room)
    room.person("wang", Role.DEALER, task["desk"], name="Wang", language="en")
    room.enters("wang")
    assert "Call today" in room.client.get("/customers").text
    room.posts(f"/task/{task['task_id']}/claim")
    past = (START - timedelta(days=1)).isoformat()
    refused = room.posts(f"/task/{task['task_id']}/book", slot=past, is_pick_up="on")
    assert refused.status_code == 422
    assert 'name="is_pick_up" checked' in refused.text
    page = room.client.get(f"/task/{task['task_id']}").text
    slot = re.findall(r'name="slot" value="([^"]+)"', page)[0].replace("&#43;", "+")
    booked = room.posts(f"/task/{task['task_id']}/book", slot=slot, is_pick_up="on")
    assert booked.status_code == 200
    now = dealers(room)
    assert (now["state"], now["is_pick_up"]) == ("booked", True)
    assert now["appointment_at"].isoformat() == slot


def test_a_customer_who_asked_for_it_is_not_called_again(room: Console) -> None:
    task = dealers(room)
    with room.centre.engine.begin() as connection:
        connection.execute(sa.insert(t.contact).values(vin=OTHER, phone="1", has_consent=True))
    room.person("wang", Role.DEALER, task["desk"])
    room.enters("wang")
    room.posts(f"/task/{task['task_id']}/claim")
    room.posts(f"/task/{task['task_id']}/finish", disposition="declined", never_again="on")
    assert room.centre.rows(t.contact)[0]["has_consent"] is False
    assert "task_no_call" in room.centre.entries()


def test_a_card_opens_without_logging_in_until_it_expires_and_shows_no_whole_vin(
    room: Console,
) -> None:
    room.enters("li")
    card = room.posts(f"/task/{urgent(room)['task_id']}/card")
    address = card.url.path
    assert address.startswith("/card/")
    room.client.cookies.clear()
    card = room.client.get(address)
    assert card.status_code == 200
    assert CAR not in card.text
    assert CAR[-6:] in card.text
    room.centre.now += timedelta(hours=5)
    assert room.client.get(address).status_code == 404


def test_a_flood_is_grouped_by_cause_and_told_to_the_supervisor(room: Console) -> None:
    stream = Stream()
    for number in range(12):
        stream.says(
            f"LBV8P2C05L7F2{number:04d}", "dtc:P0A95", number / 10, id=f"f{number}", **STRANDED
        )
    room.centre.worker.process(
        [
            one.__class__(one.partition, one.offset + 2, one.timestamp, one.key, one.value)
            for one in stream.records
        ]
    )
    room.centre.now = START + timedelta(minutes=3)
    room.enters("li")
    page = room.client.get("/queue").text
    assert "grouped by cause" in page
    assert page.count('class="group"') == 2
    room.enters("zhao")
    assert "Flood at" in room.client.get("/board").text


def test_the_queue_shows_the_order_in_which_next_takes(room: Console) -> None:
    stream = Stream()
    for number, severity in enumerate(("limited", "stop", "limited", "stop", "limited")):
        stream.says(
            f"LBV8P2C05L7F4{number:04d}",
            "dtc:P0A78",
            number,
            id=f"o{number}",
            severity=severity,
            motion="moving",
            **BEIJING,
        )
    room.centre.worker.process([replace(one, offset=one.offset + 2) for one in stream.records])
    with room.centre.engine.begin() as connection:  # a promise due soon does not jump the queue
        connection.execute(
            sa.update(t.task)
            .where(t.task.c.priority == "high")
            .values(
                score=0.5,
                contact_by=sa.case(
                    (t.task.c.vin.endswith("4"), START), else_=START + timedelta(days=1)
                ),
            )
        )
    li = Actor("li", "Li", Role.OPERATOR, frozenset({"rsa-beijing"}))
    with room.centre.engine.begin() as connection:
        rows = queue(connection, li, Queue.ROADSIDE, Tab.ALL)
        following = candidates(connection, li, START)
    assert len(rows) == 6
    assert [row.task_id for row in rows] == list(following)


def test_a_long_list_says_that_it_goes_on_and_the_wall_counts_all_of_it(room: Console) -> None:
    stream = urgent_and_normal()
    before = len(stream.records)
    for number in range(60):
        stream.says(f"LBV8P2C05L7F4{number:04d}", "dtc:P0C01", 1 + number / 60, **STRANDED)
    room.centre.plays(stream.records[before:])
    room.enters("li")
    page = room.client.get("/queue").text
    assert page.count('<tr id="row-') == ROWS
    assert f"These are the first {ROWS} of 61." in page
    assert "These are the first" not in room.client.get("/queue?tab=mine").text
    opened = {row["vin"]: row for row in room.centre.rows(t.task, queue="roadside")}
    room.posts(f"/task/{opened.pop(CAR)['task_id']}/claim")
    oldest = min(row["opened_at"] for row in opened.values())
    wall = squeezed(room.client.get("/wall").text)
    assert "<dt>Urgent, nobody has it</dt><dd>60</dd>" in wall
    assert f'data-since="{int(oldest.timestamp() * 1000)}"' in wall
