"""Files of master data, as spreadsheets and people save them, into rows with their lines."""

import codecs
import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, Final

from models.documents.yaml import read_with_lines
from models.errors import ImportRefused, Mistake

_TABLES: Final = frozenset({".csv", ".tsv", ".txt"})
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16's, which it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_SEPARATORS: Final = ",;\t"
_SAYS_SEPARATOR: Final = re.compile(r'"?sep=([,;\t])"?\r?\n', re.IGNORECASE)
_CHINESE: Final = {
    "车架号": "vin",
    "车牌": "plate",
    "车牌号": "plate",
    "车型": "model",
    "动力类型": "powertrain",
    "市场": "market",
    "区域": "region",
    "首选经销商": "preferred_dealer",
    "姓名": "name",
    "车主": "name",
    "电话": "phone",
    "手机": "phone",
    "手机号": "phone",
    "语言": "language",
    "同意联系": "has_consent",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file, and the line on which it begins."""

    line: int
    values: Mapping[str, Any]
    file: str = ""


def read_rows(path: Path) -> list[Row]:
    """Read a file (`.csv`, `.tsv`, `.txt`, else YAML) into rows.

    Raises `ImportRefused` with file and line for what cannot be read.
    """
    text = _decoded(path.read_bytes(), path.name)
    if path.suffix.lower() in _TABLES:
        return list(_table(text, path.name))
    try:
        listed, source = read_with_lines(text, path.name)
    except (Mistake, ValueError) as error:  # the latter: a date that is none
        raise ImportRefused(f"{path.name} is not YAML.", lines=[str(error)]) from error
    if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
        raise ImportRefused(f"{path.name}: a list of mappings is wanted; nothing was changed.")
    return [
        Row(source.at(place).line, {str(name): cell for name, cell in row.items()}, path.name)
        for place, row in enumerate(listed)
    ]


def _decoded(content: bytes, name: str) -> str:
    """Decode by the byte order mark, else as UTF-8, else as GB18030, as a Chinese Excel saves."""
    if content.startswith(_WORKBOOKS):
        raise ImportRefused(f"{name} is a workbook: save it as CSV UTF-8; nothing was changed.")
    marked = [encoding for mark, encoding in _BOMS if content.startswith(mark)]
    for encoding in marked[:1] or ["utf-8", "gb18030"]:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            continue
        if "\0" in text:
            line = text.count("\n", 0, text.index("\0")) + 1
            break
        return text
    raise ImportRefused(
        f"{name}: line {line}: is no text; nothing was changed.",
        lines=["Save it as CSV UTF-8; GB18030, and UTF-16 with its mark, are read too."],
    )


def _table(text: str, name: str) -> Iterator[Row]:
    first = _SAYS_SEPARATOR.match(text)
    skipped = text.count("\n", 0, first.end()) if first else 0
    body = text[first.end() :] if first else text
    header_line = next((line for line in body.splitlines() if line.strip()), "")
    separator = first[1] if first else max(_SEPARATORS, key=header_line.count)
    reader = csv.reader(StringIO(body, newline=""), delimiter=separator, strict=True)
    header: list[str] = []
    begins = 1
    try:
        for cells in reader:
            line, begins = begins + skipped, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if header:
                yield Row(line, _by_name(header, cells, f"{name}: line {line}"), name)
            else:
                header = _header(cells, f"{name}: line {line}")
    except csv.Error as error:
        lines = [f"line {begins + skipped}: {error}"]
        raise ImportRefused(f"{name} cannot be read; nothing was changed.", lines=lines) from error


def _header(cells: list[str], place: str) -> list[str]:
    """Return the names of the columns: in small letters, with underscores, without blanks."""
    header = []
    for cell in cells:
        plain = unicodedata.normalize("NFKC", cell).strip().strip("\ufeff").lower()
        name = re.sub(r"[\s\-]+", "_", plain)
        header.append(_CHINESE.get(name, name))
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise ImportRefused(f"{place}: two columns are {', '.join(twice)}; nothing was changed.")
    return header


def _by_name(header: list[str], cells: list[str], place: str) -> dict[str, str]:
    surplus = cells[len(header) :]
    unnamed = [cell for name, cell in zip(header, cells, strict=False) if not name]
    if any(cell.strip() for cell in (*surplus, *unnamed)):
        raise ImportRefused(
            f"{place}: has {len(cells)} fields, and the header {len(header)} names;"
            " nothing was changed."
        )
    padded = [*cells, *[""] * (len(header) - len(cells))]
    return {name: cell for name, cell in zip(header, padded, strict=False) if name}
