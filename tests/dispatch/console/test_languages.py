"""Both languages, and how much a first page weighs."""

import gzip
import re
from io import BytesIO
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from dispatch.console.show import languages
from tests.support.consoles import Console, room

__all__ = ["room"]


CONSOLE = Path(__file__).parents[3] / "dispatch" / "console"


REFUSALS = ("Conflict", "NotAllowed", "NotThere", "Unusable")


def test_every_sentence_is_translated() -> None:
    methods = [("**.py", "python"), ("**.html", "jinja2")]
    names = ("_", "N_", "gettext", *REFUSALS)
    messages = {
        message
        for _, _, message, _, _ in extract_from_dir(
            str(CONSOLE.parent), methods, keywords=dict.fromkeys(names)
        )
    }
    said = {one for one in messages if isinstance(one, str)}
    assert len(said) > 330
    for language in languages.LANGUAGES:
        path = CONSOLE / "locale" / language / "LC_MESSAGES" / "console.po"
        catalogue = read_po(BytesIO(path.read_bytes()), locale=language)
        translated = {one.id: one for one in catalogue if one.id and one.string and not one.fuzzy}
        assert said == set(translated), language
        for message in translated.values():
            assert not list(message.check()), message.id
            assert isinstance(message.string, str)
            inside = re.compile(r"%\((\w+)\)")
            assert sorted(inside.findall(message.string)) == sorted(inside.findall(str(message.id)))
    chinese = languages.catalogue("zh")
    assert all(re.search(r"[\u4e00-\u9fff]", chinese.ugettext(one)) for one in said)


def test_a_person_reads_their_own_language(room: Console) -> None:
    room.enters("li")
    assert '<html lang="en"' in room.client.get("/queue").text
    room.posts("/preferences", language="zh", to="/queue")
    page = room.client.get("/queue").text
    assert '<html lang="zh-CN"' in page
    assert "救援队列" in page
    assert "Roadside" not in page


def test_a_first_page_is_light() -> None:
    static = CONSOLE / "static"
    weight = {
        kind: sum(len(gzip.compress(one.read_bytes())) for one in static.rglob(f"*.{kind}"))
        for kind in ("js", "css")
    }
    assert weight["js"] <= 45 * 1024
    assert weight["css"] <= 15 * 1024
