"""Every page of the console: nothing without a log-in, nothing of another desk, no script."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import sqlalchemy as sa
from httpx2 import Response

from models import tables as t
from models.words import Role
from tests.support.consoles import Console, dealers, pages, room, urgent
from tests.support.webs import blank
from tests.worlds import START, Stream

__all__ = ["room"]


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
        url = path.format(
            task_id=urgent(room)["task_id"],
            step="release",
            what="claim",
            handover_id="0" * 32,
            issue_id="0" * 32,
        )
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
    fields = {
        "csrf": csrf,
        "disposition": "false_alarm",
        "minutes": "5",
        "reason": "r",
        "desk": "rsa-wuhan",
        "channel": "call",
        "hours": "2",
        "note": "n",
        "slot": (START + timedelta(days=1)).isoformat(),
    }
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
            (answer, its), (other, none) = answers
            assert answer.status_code == other.status_code, path
            assert answer.status_code in (403, 404), (path, answer.status_code)
            assert blank(answer, its) == blank(other, none), path
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
        for address in (path, f"{path}?tab=all", f"{path}?tab=urgent"):
            text = room.client.get(address).text
            assert task["task_id"] not in text, address
            assert task["case_id"] not in text, address
            assert task["vin"][-6:] not in text, address
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


def test_scripts_in_any_field_stay_text_on_every_page(engine: sa.Engine) -> None:
    room = Console(engine)
    stream = Stream()
    for number, nasty in enumerate(NASTY):
        place: dict[str, Any] = {"position": {"lat": 39.9, "lon": 116.4, "road": nasty}}
        stream.says(
            f"LBV8P2C05L7F3{number:04d}",
            "dtc:P0C01",
            number / 10,
            id=nasty,
            source=nasty,
            severity="stop",
            motion="moving",
            text=nasty,
            model=nasty,
            software=nasty,
            signals={nasty: 1},
            **place,
        )
    room.centre.plays(stream.records)
    for number, nasty in enumerate(NASTY):
        with engine.begin() as connection:
            vin = f"LBV8P2C05L7F3{number:04d}"
            connection.execute(
                sa.update(t.vehicle)
                .where(t.vehicle.c.vin == vin)
                .values(plate=nasty[:32], model=nasty)
            )
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
            attributes = dict(attrs)
            assert tag not in ("img", "svg", "iframe", "object"), tag
            assert tag != "script" or str(attributes.get("src", "")).startswith("/static/"), (
                attributes
            )
            assert not [name for name in attributes if name.startswith("on")], attributes
            assert not str(attributes.get("href", "")).startswith("javascript:"), attributes

        def handle_comment(self, data: str) -> None:
            raise AssertionError(data)

    assert answer.status_code in (200, 409), answer.status_code
    Look().feed(answer.text)
    assert "49</" not in answer.text
