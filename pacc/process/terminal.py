"""How commands speak: data on stdout, everything else on stderr, JSON when asked for."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Limit = Annotated[int, typer.Option(min=1, show_default=False, help="At most so many; else all.")]
ALL_ROWS: Final = 2**31 - 2  # a query may ask for one row more: still a 32-bit integer

_out = Console()
_err = Console(stderr=True)


def say(line: str) -> None:
    """Tell the person something that is not data."""
    _err.print(line, highlight=False, markup=False, soft_wrap=True)


def give_json(document: Any) -> None:
    """Print one JSON document on stdout."""
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2, default=_plain)
    sys.stdout.write("\n")


def give(document: Mapping[str, Any], *, as_json: bool) -> None:
    """Print facts: as JSON, or one to a line."""
    if as_json:
        give_json(document)
        return
    for name, value in document.items():
        _out.print(f"{name}: {_cell(value)}", highlight=False, markup=False, soft_wrap=True)


def give_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print rows: all of them as a JSON list, or the named columns as a table."""
    if as_json:
        give_json(rows)
        return
    _print_rows(_out, rows, columns)


def tell_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Show rows to the person, as a table on stderr."""
    _print_rows(_err, rows, columns)


def _print_rows(
    console: Console, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]
) -> None:
    table = Table(box=None, pad_edge=False)
    for place, column in enumerate(columns):
        # the first column is the id that other commands ask for: never cut it
        table.add_column(column, overflow="fold", min_width=32 if place == 0 else 8)
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    console.print(table, markup=False)


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Progress]:
    """Show a bar on stderr where a person looks at it; stay quiet elsewhere."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=_err,
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as bar:
        bar.add_task(title, total=total)
        yield bar


def counted(bar: Progress, items: Iterable[Any]) -> Iterator[Any]:
    """Pass items on and move the bar by one for each."""
    for item in items:
        bar.advance(bar.task_ids[0])
        yield item


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, default=_plain)
    return str(value)
