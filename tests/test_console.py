"""The console over HTTP: who gets in, what stays text, whose tasks are there, both languages."""

import gzip
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import pyotp
import pytest
import sqlalchemy as sa
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from httpx2 import Response

from dispatch.console import words
from dispatch.console.view import queue
from dispatch.people import add_person, disable_person
from dispatch.read import candidates
from models import tables as t
from models.errors import Conflict, NotThere, Unusable
from models.person import Actor
from models.words import Queue, Role
from tests.test_api import BEIJING, Web, blank
from tests.worlds import CAR, OTHER, START, Stream

CONSOLE = Path(__file__).parents[1] / "dispatch" / "console"
PASSWORD = "correct horse battery"
REFUSALS = ("Conflict", "NotAllowed", "NotThere", "Unusable")
NASTY = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7*7 }}",
    "javascript:alert(1)",
    "</textarea><svg onload=alert(1)>",
    "<!--",
    "&lt;b&gt;",
    "\u202e\u2066evil",
)


class Console(Web):
    """The application, with people who log in."""

    def person(self, login: str, role: Role, *desks: str, **more: Any) -> dict[str, str]:
        """Add a person."""
        with self.centre.engine.begin() as connection:
            return add_person(connection, login, role, desks, START, password=PASSWORD, **more)

    def enters(self, login: str, password: str = PASSWORD, code: str = "") -> Response:
        """Log in; the client then carries the session."""
        self.client.cookies.clear()
        fields = {"login": login, "password": password, "code": code}
        return self.client.post("/login", data=fields, follow_redirects=False)

    @property
    def csrf(self) -> str:
        """The word that a page gives along."""
        found = re.search(r'data-csrf="([^"]+)"', self.client.get("/handover").text)
        assert found is not None
        return found[1]

    def posts(self, path: str, **fields: str) -> Response:
        """Send a form as our own page does."""
        return self.client.post(path, data={"csrf": self.csrf, **fields})


@pytest.fixture
def room(engine: sa.Engine) -> Iterator[Console]:
    """One urgent case in Beijing, one normal at a dealer, and people of each role."""
    made = Console(engine)
    stream = Stream().says(CAR, "dtc:P0C01", severity="stop", motion="moving", **BEIJING)
    stream.says(OTHER, "dtc:B1342", **BEIJING)
    made.centre.plays(stream.records)
    made.person("li", Role.OPERATOR, "rsa-beijing", name="Li", language="en")
    made.person("chen", Role.OPERATOR, "rsa-beijing", name="Chen", language="en")
    made.person("far", Role.OPERATOR, "rsa-wuhan", name="Far")
    made.person("zhao", Role.SUPERVISOR, name="Zhao", language="en")
    made.person("eve", Role.ENGINEER, name="Eve", language="en")
    with made.client:
        yield made


def urgent(room: Console) -> dict[str, Any]:
    """The urgent task."""
    return room.centre.task(queue="roadside")


def dealers(room: Console) -> dict[str, Any]:
    """The dealer's task."""
    return room.centre.task(queue="dealer")


# --- the door ---


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


# --- every route ---


def pages(room: Console, method: str) -> list[str]:
    """Every route of the console, found in the application itself."""
    found: list[Any] = []
    for one in room.app.routes:
        contexts = getattr(one, "effective_route_contexts", None)
        found += list(contexts()) if contexts else [one]
    skipped = ("/v1", "/health", "/ready", "/docs", "/openapi.json", "/static", "/assets")
    return [one.path for one in found
            if not one.path.startswith(skipped) and method in (one.methods or ())]  # fmt: skip


def test_nobody_sees_a_page_without_logging_in(room: Console) -> None:
    room.client.cookies.clear()
    for path in pages(room, "GET"):
        answer = room.client.get(re.sub(r"{\w+}", "0" * 32, path), follow_redirects=False)
        if path == "/login":
            assert answer.status_code == 200
        elif path.startswith("/card/"):
            assert answer.status_code == 404
        elif path.startswith("/login/oidc"):
            assert answer.status_code == 404  # no provider is set
        else:
            assert answer.headers["location"].startswith("/login"), path
    for path in pages(room, "POST"):
        answer = room.client.post(re.sub(r"{\w+}", "0" * 32, path), follow_redirects=False)
        assert path == "/login" or answer.headers["location"].startswith("/login"), path


def test_nothing_changes_without_the_word_of_this_sessions_pages(room: Console) -> None:
    room.enters("li")
    before = [room.centre.rows(table) for table in (t.task, t.session, t.worksheet, t.person)]
    tried = 0
    for path in pages(room, "POST"):
        if path == "/login":
            continue
        url = path.format(task_id=urgent(room)["task_id"], step="release", what="claim",
                          handover_id="0" * 32)  # fmt: skip
        for csrf in ("", "wrong"):
            answer = room.client.post(url, data={"csrf": csrf}, follow_redirects=False)
            assert answer.status_code == 403, path
            tried += 1
    assert tried >= 2 * 17
    assert before == [room.centre.rows(one) for one in (t.task, t.session, t.worksheet, t.person)]


def test_law_8_on_every_page_another_desks_task_is_not_there(room: Console) -> None:
    room.enters("zhao")
    room.posts(f"/task/{dealers(room)['task_id']}/silence", reason="r", hours="2")
    theirs, nobodys = {"task_id": dealers(room)["task_id"]}, {"task_id": "0" * 32}
    room.enters("li")
    csrf = room.csrf
    before = {one.name: room.centre.rows(one) for one in (t.task, t.case, t.entry, t.worksheet)}
    fields = {"csrf": csrf, "disposition": "false_alarm", "minutes": "5", "reason": "r",
              "desk": "rsa-wuhan", "channel": "call", "hours": "2", "note": "n",
              "slot": (START + timedelta(days=1)).isoformat()}  # fmt: skip
    tried = 0
    for method in ("GET", "POST"):
        for path in pages(room, method):
            if "{task_id}" not in path:
                continue
            answers = []
            for ids in (theirs, nobodys):
                url = path.format(**ids, step="contact", what="claim", handover_id="0" * 32)
                data = fields if method == "POST" else None
                answers.append((room.client.request(method, url, data=data), ids))
            (one, its), (other, none) = answers
            assert one.status_code == other.status_code, path
            assert one.status_code in (403, 404), (path, one.status_code)
            assert blank(one, its) == blank(other, none), path
            tried += 1
    assert tried >= 17
    after = {one.name: room.centre.rows(one) for one in (t.task, t.case, t.entry, t.worksheet)}
    assert before == after
    shows_nothing_of(room, dealers(room))
    room.enters("far")
    shows_nothing_of(room, urgent(room))


def shows_nothing_of(room: Console, task: dict[str, Any]) -> None:
    """No page that stands by itself names a task, its case or its vehicle."""
    shown = 0
    for path in pages(room, "GET"):
        if "{" in path or path in ("/live", "/login"):
            continue
        for one in (path, f"{path}?tab=all", f"{path}?tab=urgent"):
            text = room.client.get(one).text
            assert task["task_id"] not in text, one
            assert task["case_id"] not in text, one
            assert task["vin"][-6:] not in text, one
            shown += 1
    assert shown >= 21


def test_every_page_forbids_scripts_and_styles_from_elsewhere(room: Console) -> None:
    room.enters("zhao")
    for path in pages(room, "GET"):
        if path == "/live":
            continue
        ids = {"task_id": urgent(room)["task_id"], "secret": "x", "version": "0" * 12}
        answer = room.client.get(path.format(**ids))
        policy = answer.headers.get("content-security-policy")
        if answer.headers["content-type"].startswith("text/html"):
            assert policy is not None, path
            assert policy.startswith("default-src 'self'"), path
            assert "unsafe" not in policy, path
            assert not re.search(r"\son[a-z]+=|<style|\sstyle=|https?://", answer.text), path


# --- what people do ---


def test_an_operator_works_a_case_through_in_the_pages(room: Console) -> None:
    room.enters("li")
    task = urgent(room)["task_id"]
    assert "Drive motor" in room.client.get("/queue").text
    assert room.posts("/next").url.path == f"/task/{task}"
    assert room.posts(f"/task/{task}/sheet", note="Behind the rail.", answer_is_safe="yes",
                      answer_bogus="x").status_code == 204  # fmt: skip
    for step in ("contact", "set_out", "arrive"):
        assert room.posts(f"/task/{task}/step/{step}").status_code == 200
    page = room.posts(f"/task/{task}/finish", disposition="fixed_on_site")
    assert "This case is closed." in page.text
    assert "<q>Behind the rail.</q>" in page.text
    (sheet,) = room.centre.rows(t.worksheet)
    assert sheet["answers"] == {"is_safe": "yes"}
    assert urgent(room)["disposition"] == "fixed_on_site"


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
            connection.execute(sa.insert(t.contact).values(
                vin=CAR, name="Owner", phone="+86 555 0100", language="zh-CN",
                has_consent=has_consent))  # fmt: skip

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
    made = room.posts(f"/task/{urgent(room)['task_id']}/card")
    address = made.url.path
    assert address.startswith("/card/")
    room.client.cookies.clear()
    card = room.client.get(address)
    assert card.status_code == 200
    assert CAR not in card.text
    assert CAR[-6:] in card.text
    room.centre.now += timedelta(hours=5)
    assert room.client.get(address).status_code == 404


# --- forms that cannot be accepted, in both languages ---


class Form(HTMLParser):
    """The field of a page that is marked as wrong, and what is said beside it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.marked: list[dict[str, str | None]] = []
        self.says = ""
        self.form = ""
        self.is_open = True
        self.opened: list[bool] = []
        self._form = ""
        self._reads = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._form = str(given.get("action"))
        if tag == "details":
            self.opened.append("open" in given)
        if given.get("aria-invalid") == "true":
            self.marked.append(given)
            self.form = self._form
            self.is_open = all(self.opened)
        self._reads = given.get("id") == "wrong"

    def handle_endtag(self, tag: str) -> None:
        if tag == "details":
            self.opened.pop()

    def handle_data(self, data: str) -> None:
        if self._reads:
            self.says += data
            self._reads = False


FORMS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("snooze", "minutes", {"minutes": "999"}),
    ("attempt", "channel", {"channel": "smoke"}),
    ("book", "slot", {"slot": "soon", "is_pick_up": "on"}),
    ("finish", "disposition", {"disposition": "towed", "never_again": "on"}),
    ("take-over", "reason", {"reason": " "}),
    ("reassign", "person", {"person": "nobody", "reason": "he is on a break"}),
    ("reassign", "reason", {"person": "nobody", "reason": ""}),
    ("hand-on", "desk", {"desk": "0", "reason": "nearer to them"}),
    ("silence", "hours", {"kind": "silence", "hours": "0", "reason": "a test drive"}),
    ("silence", "reason", {"kind": "silence", "hours": "77", "reason": "x" * 501}),
)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_refused_form_keeps_every_word_and_says_beside_the_field_what_to_change(
    room: Console, language: str
) -> None:
    task = dealers(room)["task_id"]
    room.person("wang", Role.DEALER, dealers(room)["desk"], name="7", language=language)
    room.person("sun", Role.SUPERVISOR, name="8", language=language)
    room.enters("wang")
    room.posts(f"/task/{task}/claim")
    for form, field, typed in FORMS:
        room.enters("wang" if form in ("snooze", "attempt", "book", "finish") else "sun")
        answer = room.posts(f"/task/{task}/{form}", **typed)
        assert answer.status_code == 422, form
        page = Form(answer.text)
        (marked,) = page.marked
        assert page.form == f"/task/{task}/{form}"
        assert marked["aria-describedby"] == "wrong"
        assert marked.get("name", field) == field
        assert page.is_open, form
        assert bool(re.search(r"[\u4e00-\u9fff]", page.says)) is (language == "zh"), page.says
        assert (re.search(r"[A-Za-z]", page.says) is None) is (language == "zh"), page.says
        assert f'id="notice">{page.says}<' in answer.text.replace("&#39;", "'")
        for name in ("reason", "hours"):
            if typed.get(name, "").strip():
                assert f'value="{typed[name]}"' in answer.text, (form, name)
        for name in ("is_pick_up", "never_again"):
            if name in typed:
                assert f'name="{name}" checked' in answer.text, (form, name)
        if "kind" in typed:
            assert 'name="kind" value="silence" checked' in answer.text
            assert 'name="kind" value="workshop" checked' not in answer.text
    assert dealers(room)["holder_name"] == "7"


def test_a_hand_over_that_is_too_long_keeps_every_word(room: Console) -> None:
    room.enters("li")
    note = "w" * 4001
    refused = room.posts("/handover", note=note)
    assert refused.status_code == 422
    assert note in refused.text
    page = Form(refused.text)
    assert page.marked[0]["name"] == "note"
    assert page.says == "At most 4000 characters: shorten it."
    assert room.centre.rows(t.handover) == []


# --- asking a customer whether we may call ---


def owned(room: Console, vin: str, **owner: Any) -> None:
    """Say who owns a car; nobody has agreed to calls yet."""
    given = {"name": "Gao", "phone": "+86 555 0199", "language": "zh-CN", **owner}
    with room.centre.engine.begin() as connection:
        connection.execute(sa.insert(t.contact).values(vin=vin, has_consent=False, **given))


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
    told = {one["kind"]: one["actor"] for one in room.centre.rows(t.entry)}
    assert told["task_agreed"] == told["task_no_call"] == "Wang"


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


def test_a_flood_is_grouped_by_cause_and_told_to_the_supervisor(room: Console) -> None:
    stream = Stream()
    for number in range(12):
        stream.says(f"LBV8P2C05L7F2{number:04d}", "dtc:P0A95", number / 10, id=f"f{number}",
                    severity="stop", motion="moving", **BEIJING)  # fmt: skip
    room.centre.worker.process([
        one.__class__(one.partition, one.offset + 2, one.timestamp, one.key, one.value)
        for one in stream.records
    ])  # fmt: skip
    room.centre.now = START + timedelta(minutes=3)
    room.enters("li")
    page = room.client.get("/queue").text
    assert "grouped by cause" in page
    assert page.count('class="group"') == 2
    room.enters("zhao")
    assert "Flood at" in room.client.get("/board").text


def test_scripts_in_any_field_stay_text_on_every_page(engine: sa.Engine) -> None:
    room = Console(engine)
    stream = Stream()
    for number, nasty in enumerate(NASTY):
        place: dict[str, Any] = {"position": {"lat": 39.9, "lon": 116.4, "road": nasty}}
        stream.says(f"LBV8P2C05L7F3{number:04d}", "dtc:P0C01", number / 10, id=nasty,
                    source=nasty, severity="stop", motion="moving", text=nasty, model=nasty,
                    software=nasty, signals={nasty: 1}, **place)  # fmt: skip
    room.centre.plays(stream.records)
    for number, nasty in enumerate(NASTY):
        with engine.begin() as connection:
            vin = f"LBV8P2C05L7F3{number:04d}"
            connection.execute(sa.update(t.vehicle).where(t.vehicle.c.vin == vin).values(
                plate=nasty[:32], model=nasty))  # fmt: skip
            owner = {"name": nasty, "phone": nasty[:32], "language": nasty[:16]}
            connection.execute(sa.insert(t.contact).values(vin=vin, has_consent=True, **owner))
    room.person("li", Role.OPERATOR, "rsa-beijing", name=NASTY[0], language="en")
    room.person("zhao", Role.SUPERVISOR, name=NASTY[1], language="en")
    seen = 0
    for login in ("li", "zhao"):
        room.enters(login)
        tasks = room.centre.rows(t.task)
        for number, task in enumerate(tasks):
            nasty = NASTY[number % len(NASTY)]
            if login == "li":
                room.posts(f"/task/{task['task_id']}/claim")
                room.posts(f"/task/{task['task_id']}/sheet", note=nasty, answer_where=nasty)
                room.posts(f"/task/{task['task_id']}/step/contact")
            else:
                room.posts(f"/task/{task['task_id']}/take-over", reason=nasty)
            check(room.client.get(f"/task/{task['task_id']}"))
            check(room.posts(f"/task/{task['task_id']}/card"))
            seen += 2
        board = ("/board",) if login == "zhao" else ()
        for path in ("/queue", "/customers", "/handover", "/wall", "/queue?tab=mine", *board):
            check(room.client.get(path))
    room.enters("li")
    check(room.posts("/handover", note=NASTY[0]))
    assert seen == 4 * len(NASTY)


def check(answer: Response) -> None:
    """A page holds only elements and attributes of our own."""

    class Look(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = dict(attrs)
            assert tag not in ("img", "svg", "iframe", "object"), tag
            assert tag != "script" or str(given.get("src", "")).startswith("/static/"), given
            assert not [name for name in given if name.startswith("on")], given
            assert not str(given.get("href", "")).startswith("javascript:"), given

        def handle_comment(self, data: str) -> None:
            raise AssertionError(data)

    assert answer.status_code in (200, 409), answer.status_code
    Look().feed(answer.text)
    assert "49</" not in answer.text


# --- both languages, and how much a first page weighs ---


def test_every_sentence_is_translated() -> None:
    methods = [("**.py", "python"), ("**.html", "jinja2")]
    names = ("_", "N_", "gettext", *REFUSALS)
    found = {message for _, _, message, _, _ in extract_from_dir(
        str(CONSOLE.parent), methods, keywords=dict.fromkeys(names))}  # fmt: skip
    said = {one for one in found if isinstance(one, str)}
    assert len(said) > 330
    for language in words.LANGUAGES:
        path = CONSOLE / "locale" / language / "LC_MESSAGES" / "console.po"
        catalogue = read_po(BytesIO(path.read_bytes()), locale=language)
        translated = {one.id: one for one in catalogue if one.id and one.string and not one.fuzzy}
        assert said == set(translated), language
        for one in translated.values():
            assert not list(one.check()), one.id
            assert isinstance(one.string, str)
            inside = re.compile(r"%\((\w+)\)")
            assert sorted(inside.findall(one.string)) == sorted(inside.findall(str(one.id)))
    chinese = words.catalogue("zh")
    assert all(re.search(r"[\u4e00-\u9fff]", chinese.ugettext(one)) for one in said)


def test_a_person_reads_their_own_language(room: Console) -> None:
    room.enters("li")
    assert '<html lang="en">' in room.client.get("/queue").text
    room.posts("/preferences", language="zh", to="/queue")
    page = room.client.get("/queue").text
    assert '<html lang="zh-CN">' in page
    assert "救援队列" in page
    assert "Roadside" not in page


def test_a_first_page_is_light() -> None:
    static = CONSOLE / "static"
    weight = {kind: sum(len(gzip.compress(one.read_bytes())) for one in static.rglob(f"*.{kind}"))
              for kind in ("js", "css")}  # fmt: skip
    assert weight["js"] <= 45 * 1024
    assert weight["css"] <= 15 * 1024


def test_the_queue_shows_the_order_in_which_next_takes(room: Console) -> None:
    stream = Stream()
    for number, severity in enumerate(("limited", "stop", "limited", "stop", "limited")):
        stream.says(f"LBV8P2C05L7F4{number:04d}", "dtc:P0A78", number, id=f"o{number}",
                    severity=severity, motion="moving", **BEIJING)  # fmt: skip
    room.centre.worker.process([replace(one, offset=one.offset + 2) for one in stream.records])
    with room.centre.engine.begin() as connection:  # a promise due soon does not jump the queue
        connection.execute(
            sa.update(t.task).where(t.task.c.priority == "high").values(
                score=0.5,
                contact_by=sa.case(
                    (t.task.c.vin.endswith("4"), START), else_=START + timedelta(days=1)
                ),
            )
        )  # fmt: skip
    li = Actor("li", "Li", Role.OPERATOR, frozenset({"rsa-beijing"}))
    with room.centre.engine.begin() as connection:
        rows = queue(connection, li, room.centre.house, Queue.ROADSIDE, "all")
        following = candidates(connection, li, START)
    assert len(rows) == 6
    assert [row["task_id"] for row in rows] == list(following)
