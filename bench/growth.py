"""What an alert costs when many vehicles are known already.

    python -m bench.growth 10000 100000 1000000     # vehicles; part of `make bench`

The vehicles and an ended case of each are written by the database itself. The alerts that are
measured come from vehicles that are spread evenly over all of them, each once.
"""

import sys
import time

import sqlalchemy as sa

from bench.parts.figure import Figure, table
from bench.parts.stage import Stage, alert, new_database, running
from models.batch import Partition, Record
from models.words import Feed
from pacc.pipeline.limits import Limits
from pacc.pipeline.worker import Worker
from pacc.process.database import make_engine
from pacc.process.settings import Settings
from pacc.wiring import pipeline

SIZES = (10_000, 100_000, 1_000_000)
_BATCH = 2000
_BATCHES = 4
_HERE = Partition(Feed.KAFKA, "bench", 0)
_VEHICLES = """
insert into vehicle (vin, waiting, cleared, history)
select 'LZZS1M0L' || lpad(n::text, 9, '0'), '{}', '{}', jsonb_build_array(jsonb_build_object(
    'case_id', md5(n::text), 'root', 'dtc:P0420', 'opened_at', '2025-06-01T00:00:00+00:00',
    'closed_at', '2025-06-02T00:00:00+00:00'))
from generate_series(cast(:first as int), cast(:last as int)) as n
"""
_CASES = """
insert into "case" ({columns})
select {values} from "case" as c, generate_series(cast(:first as int), cast(:last as int)) as n
where c.case_id = :pattern
"""


def _grow(connection: sa.Connection, first: int, last: int, pattern: str) -> None:
    """Add vehicles with one ended case each, like the case that is the pattern."""
    span = {"first": first, "last": last}
    connection.execute(sa.text(_VEHICLES), span)
    changed = {
        "case_id": "md5(n::text)",
        "vin": "'LZZS1M0L' || lpad(n::text, 9, '0')",
        "state": "'closed'",
        "closed_at": "c.opened_at + interval '1 day'",
    }
    names = [column["name"] for column in sa.inspect(connection).get_columns("case")]
    statement = _CASES.format(
        columns=", ".join(f'"{name}"' for name in names),
        values=", ".join(changed.get(name, f'c."{name}"') for name in names),
    )
    connection.execute(sa.text(statement), {**span, "pattern": pattern})


def _records(offset: int, cars: list[int]) -> list[Record]:
    messages = [alert(offset + number, car) for number, car in enumerate(cars)]
    return [
        Record(_HERE, offset + number, message.timestamp or 0, message.key, message.value)
        for number, message in enumerate(messages)
    ]


def measure(stage: Stage, sizes: tuple[int, ...] = SIZES) -> list[Figure]:
    """Measure the cost of an alert at each number of known vehicles, the smallest first."""
    url = new_database(stage.postgres)
    engine = make_engine(url)
    policy = pipeline.make_policy(Settings(), engine)
    worker = Worker(engine, policy, {"bench": "canonical"}, "bench", Limits(_BATCH))
    offset = worker.take(_HERE, 0).next_offset
    worker.process(_records(offset, list(range(900_000_000, 900_000_000 + _BATCH))))
    offset += _BATCH
    with engine.connect() as connection:
        pattern = connection.execute(sa.text('select min(case_id) from "case"')).scalar_one()
    figures: list[Figure] = []
    known, first_cost = 0, None
    for step, size in enumerate(sizes):
        with engine.begin() as connection:
            _grow(connection, known, size - 1, pattern)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("vacuum analyze"))
        known = size
        stride = size // (_BATCH * _BATCHES)
        began = time.perf_counter()
        for part in range(_BATCHES):
            cars = [min(size - 1, (part * _BATCH + n) * stride + step) for n in range(_BATCH)]
            worker.process(_records(offset, sorted(set(cars))))
            offset += len(set(cars))
        cost = 1e6 * (time.perf_counter() - began) / (_BATCH * _BATCHES)
        first_cost = first_cost or cost
        figures.append(
            Figure(
                f"an alert with {size:,} vehicles known",
                cost,
                "µs",
                f"with {sizes[0]:,}",
                first_cost,
                "≤ 1.3",
            )
        )
    engine.dispose()
    return figures


if __name__ == "__main__":
    with running() as here:
        print(table(measure(here, tuple(int(word) for word in sys.argv[1:]) or SIZES)))
