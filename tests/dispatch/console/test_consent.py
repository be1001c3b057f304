"""Asking a customer whether we may call."""

from typing import Any

import pytest
import sqlalchemy as sa

from models import tables as t
from models.words import Role
from tests.support.consoles import Console, dealers, room, urgent
from tests.worlds import CAR, OTHER

__all__ = ["room"]


def owned(room: Console, vin: str, **owner: Any) -> None:
    """Say who owns a car; nobody has agreed to calls yet."""
    facts = {"name": "Gao", "phone": "+86 555 0199", "language": "zh-CN", **owner}
    with room.centre.engine.begin() as connection:
        connection.execute(sa.insert(t.contact).values(vin=vin, has_consent=False, **facts))


def test_a_number_appears_only_after_the_owner_agreed_and_goes_when_they_say_no(
    room: Console,
) -> None:
    task = dealers(room)
    path = f"/task/{task['task_id']}"
    owned(room, OTHER)
    room.person("wang", Role.DEALER, task["desk"], name="Wang", language="en")
    room.enters("wang")
    assert "Ask for consent" not in room.client.get(path).text  # who has it in hand asks
    for what in ("ask", "agreed", "declined"):
        assert room.posts(f"{path}/{what}").status_code == 409
    room.posts(f"{path}/claim")
    for page in (path, "/customers"):
        text = room.client.get(page).text
        assert "Ask for consent" in text
        assert "+86 555 0199" not in text
        assert "Gao，您好" in text  # in the owner's language, not the reader's
        assert "Wang" in text
        assert OTHER[-6:] in text
        assert OTHER not in text
        assert f'action="{path}/agreed"' in text
    assert "+86 555 0199" in room.posts(f"{path}/agreed").text
    assert "+86 555 0199" in room.client.get("/customers").text
    refused = room.posts(f"{path}/declined")
    assert "+86 555 0199" not in refused.text
    assert "The owner asked not to be called" in refused.text
    actors = {one["kind"]: one["actor"] for one in room.centre.rows(t.entry)}
    assert actors["task_agreed"] == actors["task_no_call"] == "Wang"


def test_asking_by_message_is_the_dealers_attempt_and_stays_in_an_operators_hand(
    room: Console,
) -> None:
    task = dealers(room)
    room.person("wang", Role.DEALER, task["desk"], name="Wang", language="en")
    room.enters("wang")
    room.posts(f"/task/{task['task_id']}/claim")
    room.posts(f"/task/{task['task_id']}/ask")
    assert (dealers(room)["attempts"], dealers(room)["holder"]) == (1, None)
    (entry,) = [one for one in room.centre.rows(t.entry) if one["kind"] == "task_attempted"]
    assert entry["detail"]["channel"] == "message"
    room.enters("li")
    room.posts(f"/task/{urgent(room)['task_id']}/claim")
    page = room.posts(f"/task/{urgent(room)['task_id']}/ask")
    assert "Asked the owner for consent" in page.text
    assert urgent(room)["holder_name"] == "Li"


def test_an_owner_whom_nobody_knows_cannot_agree(room: Console) -> None:
    task = urgent(room)["task_id"]
    room.enters("li")
    room.posts(f"/task/{task}/claim")
    refused = room.posts(f"/task/{task}/agreed")
    assert refused.status_code == 409
    assert "The owner of this car is not known here." in refused.text


@pytest.mark.parametrize(("known", "greets"), [("en-GB", "Dear Gao,"), ("fr", "Gao，您好")])
def test_the_text_is_in_the_owners_language_or_else_the_readers(
    room: Console, known: str, greets: str
) -> None:
    owned(room, CAR, language=known)
    room.person("qian", Role.OPERATOR, "rsa-beijing", language="zh")
    room.enters("qian")
    assert greets in room.posts(f"/task/{urgent(room)['task_id']}/claim").text


def test_what_is_a_number_is_dialled_and_what_is_none_is_only_shown(room: Console) -> None:
    task = dealers(room)
    path = f"/task/{task['task_id']}"
    owned(room, OTHER, phone="+861012345678;ext=801")
    room.person("wang", Role.DEALER, task["desk"], name="Wang", language="en")
    room.enters("wang")
    room.posts(f"{path}/claim")
    room.posts(f"{path}/agreed")
    for page in (path, "/customers"):
        text = room.client.get(page).text
        assert 'href="tel:+861012345678;ext=801"' in text
        assert "+86 10 1234 5678 #801" in text
    for nothing in ("1.38E+10", "12", "=cmd"):  # as rows of before may hold
        with room.centre.engine.begin() as connection:
            connection.execute(sa.update(t.contact).values(phone=nothing))
        for page in (path, "/customers"):
            text = room.client.get(page).text
            assert "tel:" not in text
            assert f">{nothing}<" in text
