"""Keyset pages: the next page begins behind the last row, however the list has changed since."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from models.errors import Unusable
from models.tables.columns import UtcTime

Page = tuple[Sequence[sa.RowMapping], str | None]  # its rows, and the cursor of the next one


@dataclass(frozen=True, slots=True)
class Order:
    """Columns to sort by, each with whether it falls; together they tell any two rows apart."""

    by: tuple[tuple[sa.ColumnElement[Any], bool], ...]

    def sort(self, query: sa.Select[Any]) -> sa.Select[Any]:
        """Sort a query."""
        return query.order_by(*(column.desc() if falls else column for column, falls in self.by))

    def behind(self, query: sa.Select[Any], cursor: str | None) -> sa.Select[Any]:
        """Leave out everything up to and including the row of a cursor."""
        if not cursor:
            return query
        values = _decoded(cursor, [column for column, _ in self.by])
        either = []
        for place, (column, falls) in enumerate(self.by):
            same = [one == values[at] for at, (one, _) in enumerate(self.by[:place])]
            value = values[place]
            either.append(sa.and_(*same, column < value if falls else column > value))
        return query.where(sa.or_(*either))

    def cursor(self, row: sa.RowMapping) -> str:
        """Name the place behind a row."""
        values = [row[str(column.key)] for column, _ in self.by]
        spelled = [one.isoformat() if isinstance(one, datetime) else one for one in values]
        return base64.urlsafe_b64encode(json.dumps(spelled).encode()).decode().rstrip("=")


def page_of(
    connection: sa.Connection, query: sa.Select[Any], order: Order, after: str | None, limit: int
) -> Page:
    """Read the page behind a cursor; one row more is asked for, to know whether another follows."""
    wanted = order.sort(order.behind(query, after)).limit(limit + 1)
    rows = connection.execute(wanted).mappings().all()
    page = rows[:limit]
    more = len(rows) > limit
    return page, order.cursor(page[-1]) if more and page else None


def _decoded(cursor: str, columns: Sequence[sa.ColumnElement[Any]]) -> list[Any]:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return [_typed(column, value) for column, value in zip(columns, values, strict=True)]
    except (ValueError, TypeError, binascii.Error, UnicodeDecodeError):
        raise Unusable("`after` is not a cursor of this list.") from None


def _typed(column: sa.ColumnElement[Any], value: Any) -> Any:
    if isinstance(column.type, UtcTime):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError(value)
        return moment
    kind = column.type.python_type
    if kind is float and isinstance(value, int):
        return float(value)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(value)
    if kind is int and abs(value) >= 2**31:
        raise ValueError(value)
    if kind is str and "\x00" in value:
        raise ValueError(value)
    return value
