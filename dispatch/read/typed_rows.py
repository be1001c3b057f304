"""Typed rows: a frozen dataclass declares the columns that it is read from, and their types."""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from types import UnionType
from typing import Any, TypeVar, get_args, get_type_hints

import sqlalchemy as sa

from models.words import Word

R = TypeVar("R")


def columns_of(row_type: type, table: sa.Table) -> list[sa.Column[Any]]:
    """Return the columns of a table that a row type has fields for, in the order of the fields."""
    return [table.c[field.name] for field in fields(row_type) if field.name in table.c]


def typed(row_type: type[R], row: sa.RowMapping | Mapping[str, Any], **more: Any) -> R:
    """Return a typed row of what was read, and of fields that follow from elsewhere.

    Columns without a field are left out; a word becomes a member of its vocabulary.
    """
    declared: type = row_type
    words = _words_of(declared)
    values = {
        name: words[name](row[name]) if name in words and row[name] is not None else row[name]
        for name in _names_of(declared)
        if name not in more
    }
    return row_type(**values, **more)


def values_of(row: Any) -> dict[str, Any]:
    """Return the fields of a row, for a row that has more of them."""
    declared: type = type(row)
    return {name: getattr(row, name) for name in _names_of(declared)}


@cache
def _names_of(row_type: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(row_type) if field.init)


@cache
def _words_of(row_type: type) -> Mapping[str, type[Word]]:
    hints = get_type_hints(row_type)
    return {
        name: kind
        for name, hint in hints.items()
        for kind in (get_args(hint) if isinstance(hint, UnionType) else (hint,))
        if isinstance(kind, type) and issubclass(kind, Word)
    }
