"""Forms that cannot be accepted: what was typed stays, and each field says what to change."""

import re
from html.parser import HTMLParser

import pytest

from models import tables as t
from models.words import Role
from tests.support.consoles import Console, dealers, room

__all__ = ["room"]


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
        attributes = dict(attrs)
        if tag == "form":
            self._form = str(attributes.get("action"))
        if tag == "details":
            self.opened.append("open" in attributes)
        if attributes.get("aria-invalid") == "true":
            self.marked.append(attributes)
            self.form = self._form
            self.is_open = all(self.opened)
        self._reads = attributes.get("id") == "wrong"

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
