"""Output of commands: data on stdout, everything else on stderr, JSON when asked for."""

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


def print_stderr(line: str) -> None:
    """Print a line that is not data on stderr."""
    _err.print(line, highlight=False, markup=False, soft_wrap=True)


def print_json(document: Any) -> None:
    """Print one JSON document on stdout."""
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2, default=_plain)
    sys.stdout.write("\n")


def print_facts(document: Mapping[str, Any], *, as_json: bool) -> None:
    """Print facts on stdout: as JSON, or one to a line."""
    if as_json:
        print_json(document)
        return
    for name, value in document.items():
        _out.print(f"{name}: {_cell(value)}", highlight=False, markup=False, soft_wrap=True)


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print rows on stdout: whole as a JSON list, or the named columns as a table."""
    if as_json:
        print_json(rows)
        return
    _print_table(_out, rows, columns)


def print_rows_stderr(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print the named columns of rows as a table on stderr."""
    _print_table(_err, rows, columns)


def _print_table(
    console: Console, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]
) -> None:
    table = Table(box=None, pad_edge=False)
    for number, column in enumerate(columns):
        # the first column is the id that other commands ask for: never cut it
        table.add_column(column, overflow="fold", min_width=32 if number == 0 else 8)
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    console.print(table, markup=False)


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Progress]:
    """Show a progress bar on stderr if that is a terminal."""
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


def track(bar: Progress, items: Iterable[Any]) -> Iterator[Any]:
    """Yield the items, and advance the bar by one for each."""
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
