"""The map of the house: made from the code, complete, and every path in the documents exists."""

import re
from pathlib import Path

import pytest

from deploy import house_map
from deploy.house_map import ROOT, between, classes, documents, layers, rooms

DOCUMENTS = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")} - {ROOT / "CHANGELOG.md"})
A_PATH = re.compile(
    r"`((?:pacc|ingest|prioritizer|dispatch|models|tests|bench|deploy|docs)/[\w./-]*)`"
)


def test_picture_and_tables_are_what_the_code_says() -> None:
    stale = [path.name for path, text in documents().items() if path.read_text("utf-8") != text]
    assert stale == [], "run `make map`"


def test_every_folder_has_its_line_and_every_line_its_folder() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    lines = re.findall(r"^\| `([\w/]+)/` \| [A-Z]", text, re.MULTILINE)
    folders = {
        path.parent.relative_to(ROOT).as_posix()
        for top in (*house_map.PACKAGES, *house_map.BESIDE)
        for path in (ROOT / top).rglob("*.py")
    }
    assert sorted(lines) == sorted(folders)


def test_a_folder_without_a_sentence_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "attic").mkdir()
    (tmp_path / "attic" / "box.py").write_text("", "utf-8")
    monkeypatch.setattr(house_map, "ROOT", tmp_path)
    with pytest.raises(ValueError, match=r"attic/__init__\.py needs a docstring"):
        list(rooms(["attic"]))


def test_a_document_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="marks of rooms"):
        between("# Map\n", "rooms", "")


def test_every_room_has_its_place_in_the_layers() -> None:
    placed = {
        f"{package.replace('.', '/')}/{name}"
        for package, rows in layers().items()
        for row in rows
        for name in row
    }
    folders = {room.folder for room in rooms(["pacc", "ingest", "prioritizer", "dispatch"])}
    inner = {folder for folder in folders if "/" in folder}
    assert sorted(inner - placed) == []


def test_every_class_of_the_house_says_what_it_is() -> None:
    assert [name for name, _, sentence in classes() if len(sentence) < 10] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_that_a_document_names_exists(document: Path) -> None:
    named = A_PATH.findall(document.read_text("utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_between_documents_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[\w-]+)?\)", document.read_text("utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_decision_stands_in_the_index_with_date_and_status() -> None:
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text("utf-8")
    lines = re.findall(
        r"^\| \[(.+)\]\((\S+)\) \| \d{4}-\d\d-\d\d \| (?:accepted|overruled by \d+) \|$",
        index,
        re.MULTILINE,
    )
    pages = sorted(folder.glob("0*.md"))
    titles = [page.read_text("utf-8").splitlines()[0].removeprefix("# ") for page in pages]
    assert lines == list(zip(titles, (page.name for page in pages), strict=True))
