"""Draw the map of the house from the code: `make map` writes it, `--check` names what is stale.

Rooms are the folders that hold Python files; their sentence is the docstring of `__init__.py`,
their order are the layers of the import contracts. It writes `docs/house.svg`, the table of rooms
in `docs/architecture.md` and the table of classes in `docs/glossary.md`.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from textwrap import wrap
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("pacc", "ingest", "prioritizer", "dispatch", "models")
BESIDE: Final = ("tests", "bench", "deploy")
PICTURE: Final = ROOT / "docs" / "house.svg"
_WIDTH, _GAP, _BAND = 1240, 10, 34


@dataclass(frozen=True, slots=True)
class Room:
    """A folder of the project and the sentence that says what it is for."""

    folder: str
    sentence: str


def rooms(tops: Sequence[str] = (*PACKAGES, *BESIDE)) -> Iterator[Room]:
    """Yield every folder that holds Python files, parents first.

    Raises `ValueError` if a folder has no `__init__.py` with a docstring of one sentence.
    """
    for top in tops:
        for folder in sorted({path.parent for path in (ROOT / top).rglob("*.py")}):
            name = folder.relative_to(ROOT).as_posix()
            first = folder / "__init__.py"
            text = (
                ast.get_docstring(ast.parse(first.read_text("utf-8"))) if first.exists() else None
            )
            if not text:
                raise ValueError(
                    f"{name}/__init__.py needs a docstring: one sentence about {name}/"
                )
            yield Room(name, text.splitlines()[0])


def layers() -> Mapping[str, list[list[str]]]:
    """Read the layers of each package from the import contracts, the highest first."""
    return {
        contract["containers"][0]: [
            [name.strip() for name in layer.split("|")] for layer in contract["layers"]
        ]
        for contract in _contracts()
        if contract["type"] == "layers" and "containers" in contract
    }


@cache
def _contracts() -> list[dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts: list[dict[str, Any]] = settings["tool"]["importlinter"]["contracts"]
    return contracts


def classes() -> Iterator[tuple[str, str, str]]:
    """Yield name, file and first sentence of every public class of the five packages."""
    for top in PACKAGES:
        for path in sorted((ROOT / top).rglob("*.py")):
            for node in ast.parse(path.read_text("utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    text = ast.get_docstring(node) or ""
                    sentence = text.split("\n\n")[0].replace("\n", " ")
                    yield node.name, path.relative_to(ROOT).as_posix(), sentence


def room_table() -> str:
    """Return one line of Markdown per room."""
    lines = ["| folder | what is in it |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{room.folder}/` | {room.sentence} |" for room in rooms())])


def class_table() -> str:
    """Return one line of Markdown per class, by name."""
    lines = ["| class | what it is | file |", "|---|---|---|"]
    listed = sorted(classes(), key=lambda entry: (entry[0].lower(), entry[1]))
    return "\n".join(
        [*lines, *(f"| `{name}` | {escape_cell(text)} | `{path}` |" for name, path, text in listed)]
    )


def escape_cell(text: str) -> str:
    """Return the text with what Markdown would take for the end of a cell spelled otherwise."""
    return text.replace("|", "\\|")


def pure() -> set[str]:
    """Return the folders that the contract of pure rooms names."""
    return {
        name.replace(".", "/")
        for contract in _contracts()
        if contract["name"].startswith("pure rooms")
        for name in contract["source_modules"]
    }


def picture() -> str:
    """Return the house as SVG: packages as bands, layers as rows, rooms as boxes."""
    sentences = {room.folder: room.sentence for room in rooms(PACKAGES)}
    shapes: list[str] = []
    y = 10
    for names in (["pacc"], ["ingest", "prioritizer", "dispatch"], ["models"]):
        width = (_WIDTH - _GAP * (len(names) - 1)) // len(names)
        lefts = [n * (width + _GAP) for n in range(len(names))]
        bands = [
            _band(name, sentences, left, y, width) for name, left in zip(names, lefts, strict=True)
        ]
        bottom = max(end for _, end in bands)
        for left, (inside, _) in zip(lefts, bands, strict=True):
            shapes.append(
                f'<rect class="package" x="{left}" y="{y}" width="{width}" '
                f'height="{bottom - y}" rx="6"/>'
            )
            shapes += inside
        y = bottom + 2 * _GAP
    legend = "Imports go downwards only. Green: pure rooms (no I/O, no clock, no thread)."
    shapes.append(f'<text class="said" x="0" y="{y}">{legend}</text>')
    style = (
        "text{font-family:system-ui,sans-serif;fill:#1f2937}.name{font-size:13px;font-weight:600}"
        ".top{font-size:16px;font-weight:700}.said{font-size:10.5px;fill:#4b5563}"
        ".package{fill:#f1f5f9;stroke:#94a3b8}.room{fill:#fff;stroke:#64748b}"
        ".pure{fill:#ecfdf5;stroke:#047857}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 0 {_WIDTH + 20} {y + 10}" '
        f'role="img" aria-label="The rooms of the house. {legend}">\n<style>{style}</style>\n'
        f'<rect x="-10" width="{_WIDTH + 20}" height="{y + 10}" fill="#fff"/>\n'
        + "\n".join(shapes)
        + "\n</svg>\n"
    )


def _band(
    package: str, sentences: Mapping[str, str], x: int, y: int, width: int
) -> tuple[list[str], int]:
    """Draw the rooms of one package, a row a layer; return the shapes and where they end."""
    shapes = [
        f'<text class="top" x="{x + 12}" y="{y + 22}">{package}/</text>',
        f'<text class="said" x="{x + 24 + 11 * len(package)}" y="{y + 22}">'
        f"{escape(sentences[package])}</text>",
    ]
    unlayered = {name.split("/")[1] for name in sentences if name.startswith(f"{package}/")}
    bottom = y + _BAND
    for layer in layers().get(package, [sorted(unlayered)]):
        row = [name for name in layer if f"{package}/{name}" in sentences]
        if not row:
            continue
        box = (width - _GAP * (len(row) + 1)) // len(row)
        lines = [wrap(sentences[f"{package}/{name}"], max(12, box // 6)) for name in row]
        height = 30 + 12 * max(map(len, lines))
        for n, (name, text) in enumerate(zip(row, lines, strict=True)):
            shapes += _box(
                f"{package}/{name}", text, x + _GAP + n * (box + _GAP), bottom, box, height
            )
        bottom += height + _GAP
    return shapes, bottom


def _box(
    folder: str, text: Sequence[str], x: int, y: int, width: int, height: int
) -> Iterator[str]:
    kind = "room pure" if folder in pure() else "room"
    yield f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="4"/>'
    yield f'<text class="name" x="{x + 8}" y="{y + 18}">{folder.rsplit("/", maxsplit=1)[-1]}</text>'
    for n, line in enumerate(text):
        yield f'<text class="said" x="{x + 8}" y="{y + 33 + 12 * n}">{escape(line)}</text>'


def documents() -> Mapping[Path, str]:
    """Return every generated document as it should be now."""
    architecture, glossary = ROOT / "docs" / "architecture.md", ROOT / "docs" / "glossary.md"
    return {
        PICTURE: picture(),
        architecture: between(architecture.read_text("utf-8"), "rooms", room_table()),
        glossary: between(glossary.read_text("utf-8"), "classes", class_table()),
    }


def between(text: str, name: str, table: str) -> str:
    """Return the text with what stands between the two marks of this name replaced."""
    before, begin, rest = text.partition(f"<!-- {name}: made by `make map` -->\n")
    _, end, after = rest.partition(f"\n<!-- /{name} -->")
    if not begin or not end:
        raise ValueError(f"the marks of {name} are not there")
    return f"{before}{begin}\n{table}\n{end}{after}"


def main() -> int:
    """Write what has changed, or with `--check` only name it; return the exit code."""
    stale = [
        path
        for path, text in documents().items()
        if not path.exists() or path.read_text("utf-8") != text
    ]
    for path in stale:
        sys.stderr.write(f"{path.relative_to(ROOT)} is not what the code says: run `make map`\n")
        if "--check" not in sys.argv:
            path.write_text(documents()[path], "utf-8")
    return int(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    raise SystemExit(main())
