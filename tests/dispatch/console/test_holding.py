"""Holding a car back on its page, and letting it go: who may, and what is shown of it."""

import re
from datetime import timedelta

from dispatch.read.silences import list_silences
from dispatch.tasks import silences
from models.words import Role
from tests.support.consoles import Console, dealers, room
from tests.worlds import OTHER, supervisor

__all__ = ["room"]


def test_a_dealer_is_not_asked_to_take_a_car_that_is_in_the_workshop(room: Console) -> None:
    task = dealers(room)
    room.person("wang", Role.DEALER, task["desk"], name="Wang", language="en")
    room.enters("wang")
    assert "Take and call" in room.client.get("/customers").text
    room.centre.act(
        silences.silence, OTHER, supervisor(), kind="workshop", ends_at=None, reason="brakes"
    )
    page = room.client.get("/customers").text
    assert "Held back: the vehicle is in the workshop: brakes" in page
    assert "Take and call" not in page


def test_who_may_hold_a_car_back_lets_it_go_again_from_its_page(room: Console) -> None:
    task = dealers(room)
    address = f"/task/{task['task_id']}"
    silence_ids = {
        kind: room.centre.act(
            silences.silence, OTHER, supervisor(), kind=kind, ends_at=None, reason="r"
        )
        for kind in ("workshop", "silence")
    }
    room.person("far dealer", Role.DEALER, "dealer-wuhan-1", language="en")
    room.enters("far dealer")
    assert room.posts(f"{address}/lift", silence_id=silence_ids["workshop"]).status_code == 404
    room.person("wang", Role.DEALER, task["desk"], language="en")
    room.enters("wang")
    page = room.client.get(address).text
    assert page.count("Held back by") == 2
    assert re.findall(r'"silence_id" value="(\w+)"', page) == [silence_ids["workshop"]]
    assert page.count(">Let go<") == 1  # a silence takes a supervisor
    assert room.posts(f"{address}/lift", silence_id=silence_ids["silence"]).status_code == 403
    freed = room.posts(f"{address}/lift", silence_id=silence_ids["workshop"])
    assert (freed.status_code, freed.text.count("Held back by")) == (200, 1)
    twice = room.posts(f"{address}/lift", silence_id=silence_ids["workshop"])
    assert twice.status_code == 409
    assert "The silence has been lifted already." in twice.text
    assert room.posts(f"{address}/lift", silence_id="nothing").status_code == 404
    assert dealers(room)["held_en"] is not None  # by the silence
    room.enters("zhao")
    freed = room.posts(f"{address}/lift", silence_id=silence_ids["silence"])
    assert "Held back by" not in freed.text
    assert dealers(room)["held_en"] is None


def test_a_silence_that_is_over_is_not_shown_as_holding(room: Console) -> None:
    task = dealers(room)
    end = room.centre.now + timedelta(hours=1)
    room.centre.act(silences.silence, OTHER, supervisor(), kind="silence", ends_at=end, reason="r")
    room.enters("zhao")
    assert "Held back by" in room.client.get(f"/task/{task['task_id']}").text
    room.centre.later(hours=2)
    room.enters("zhao")
    assert "Held back by" not in room.client.get(f"/task/{task['task_id']}").text
    assert room.centre.act(list_silences, supervisor()) == []
