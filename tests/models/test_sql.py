"""The statements that the databases spell differently."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from models import tables as t
from models.sql import insert_new, within
from tests.worlds import CAR, OTHER, START


def test_a_column_is_one_of_many_values_and_of_no_other(engine: sa.Engine) -> None:
    """A text that is too long for its column is none of them, cut to fit or not."""
    vehicles = [{"vin": one, "waiting": {}, "cleared": {}, "history": []} for one in (CAR, OTHER)]
    event = {"topic": "t", "kind": "k", "case_id": "c", "case_seq": 1, "at": START, "data": {}}
    with engine.begin() as connection:
        insert_new(connection, t.vehicle, vehicles)
        insert_new(connection, t.outbox, [{**event, "event_id": f"e{n}"} for n in range(5)])

        def rows_where(column: sa.Column[Any], values: Sequence[Any]) -> list[Any]:
            query = sa.select(column).where(within(connection, column, values))
            return list(connection.execute(query.order_by(column)).scalars())

        assert rows_where(t.vehicle.c.vin, [CAR, f"{OTHER}9", "", '"', "%"]) == [CAR]
        assert rows_where(t.vehicle.c.vin, []) == []
        first, *rest = rows_where(
            t.outbox.c.seq, list(range(2**31 - 3000, 2**31)) + list(range(10))
        )
        assert len(rest) == 4
        assert rows_where(t.outbox.c.seq, [first, 2**62]) == [first]
        assert rows_where(t.outbox.c.seq, []) == []
