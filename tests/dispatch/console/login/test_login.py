"""Who gets into the console: passwords, second factors, sessions, desks."""

from datetime import timedelta

import pyotp
import pytest

from dispatch.access.people import disable_person
from models import tables as t
from models.errors import Conflict, NotThere, Unusable
from models.words import Role
from tests.support.consoles import PASSWORD, Console, room

__all__ = ["room"]


def test_a_person_gets_in_with_a_password_and_out_again(room: Console) -> None:
    refused = room.enters("li", "wrong password")
    assert refused.status_code == 401
    assert 'value="li"' in refused.text
    assert "wrong password" not in refused.text
    assert room.enters("li").headers["location"] == "/"
    assert room.client.get("/").url.path == "/queue"
    assert room.posts("/logout").url.path == "/login"
    assert room.client.get("/queue").url.path == "/login"


def test_the_secret_of_a_session_is_not_in_the_database_and_out_of_reach_of_scripts(
    room: Console,
) -> None:
    cookie = room.enters("li").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    secret = cookie.split("=", 1)[1].split(";")[0]
    (session,) = room.centre.rows(t.session)
    assert secret not in str(session)
    (li,) = room.centre.rows(t.person, login="li")
    assert li["password_hash"].startswith("$argon2id$")


def test_too_many_tries_close_the_door_for_a_while_also_for_the_right_password(
    room: Console,
) -> None:
    for _ in range(5):
        assert room.enters("li", "guess").status_code == 401
    assert room.enters("li").status_code == 429
    assert room.enters("chen").status_code == 303
    room.centre.now += timedelta(minutes=16)
    assert room.enters("li").status_code == 303


def test_nobody_of_that_name_and_a_wrong_password_look_the_same(room: Console) -> None:
    known, unknown = room.enters("li", "x"), room.enters("nobody", "x")
    assert known.text.replace("li", "") == unknown.text.replace("nobody", "").replace("li", "")


def test_a_second_factor_opens_once(room: Console) -> None:
    room.person("sun", Role.OPERATOR, "rsa-beijing", with_totp=True)
    (sun,) = room.centre.rows(t.person, login="sun")
    code = pyotp.TOTP(sun["totp_secret"]).at(room.centre.now)
    assert room.enters("sun").status_code == 401
    assert room.enters("sun", code=code).status_code == 303
    assert room.enters("sun", code=code).status_code == 401
    room.centre.now += timedelta(minutes=5)
    assert room.enters("sun", code=code).status_code == 401


def test_a_session_ends_with_the_shift_and_at_once_when_a_person_is_disabled(
    room: Console,
) -> None:
    room.enters("li")
    room.centre.now += timedelta(hours=13)
    assert room.client.get("/queue").url.path == "/login"
    room.enters("li")
    assert room.client.get("/queue").url.path == "/queue"
    with room.centre.engine.begin() as connection:
        disable_person(connection, "li", room.centre.now)
    assert room.client.get("/queue").url.path == "/login"
    assert room.enters("li").status_code == 401


@pytest.mark.parametrize(
    ("role", "desks", "refusal"),
    [
        (Role.OPERATOR, [], Unusable),
        (Role.OPERATOR, ["dealer-beijing-1"], Unusable),
        (Role.DEALER, ["nowhere"], NotThere),
    ],
)
def test_a_person_belongs_to_a_desk_of_their_kind(
    room: Console, role: Role, desks: list[str], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        room.person("new", role, *desks)
    with pytest.raises(Conflict):
        room.person("li", Role.ENGINEER)


def test_the_way_back_after_logging_in_stays_on_this_host(room: Console) -> None:
    for to in ("https://evil.example", "//evil.example", "/\\evil.example"):
        fields = {"login": "li", "password": PASSWORD, "to": to}
        answer = room.client.post("/login", data=fields, follow_redirects=False)
        assert answer.headers["location"] == "/"
