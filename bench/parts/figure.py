"""One measured figure, and the table and the JSON document that all of them make."""

import json
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, to_builtins


class Figure(Struct, frozen=True):
    """A value with its unit; `ratio` is the value divided by `anchor`, which `against` names."""

    name: str
    value: float
    unit: str
    against: str = ""
    anchor: float | None = None
    bar: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Return the value as a share of its anchor."""
        return None if not self.anchor else self.value / self.anchor


def table(figures: Sequence[Figure]) -> str:
    """Write a Markdown table."""
    head = "| measure | value | anchor of the same run | ratio | bar | note |"
    return "\n".join([head, "|---|---|---|---|---|---|", *(_line(one) for one in figures)])


def _line(figure: Figure) -> str:
    anchor = f"{figure.against}: {_number(figure.anchor)}" if figure.anchor is not None else "–"
    ratio = "–" if figure.ratio is None else f"{figure.ratio:.3f}"
    value = f"{_number(figure.value)} {figure.unit}"
    cells = (figure.name, value, anchor, ratio, figure.bar or "–", figure.note or "–")
    return f"| {' | '.join(cells)} |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write(figures: Sequence[Figure], file: Path) -> None:
    """Write all figures with their ratios as one JSON document."""
    document = [{**to_builtins(one), "ratio": one.ratio} for one in figures]
    file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
