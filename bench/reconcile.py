"""How long `pacc reconcile` takes as the alerts grow: the same call on databases of two sizes.

    make bench-reconcile
    python -m bench.reconcile 500000 2000000

A PostgreSQL of its own on loopback, ended afterwards. The past is put there by the database itself
(alerts with their counters, ended cases with a done task each); the newest 20,000 records of each
size go through the real pipeline. The anchor of the same run is the full count of every row.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from time import perf_counter

import sqlalchemy as sa

from models import tables as t
from models.batch import Extent, Partition, Record
from models.migrations import upgrade
from models.words import Feed
from pacc.pipeline.limits import Limits
from pacc.pipeline.worker import Worker
from pacc.process.database import make_engine
from pacc.process.settings import Settings
from pacc.reconcile.reconcile import Scope, reconcile
from pacc.wiring.pipeline import make_policy
from tests.servers.postgres import new_database, running_postgres

SIZES = (500_000, 2_000_000)
PARTS = 4
LIVE = 20_000
ROUNDS = 5
_PAST = """
insert into alert (fingerprint, feed, topic, part, record_offset, vin, code, status, severity,
  observed_at, received_at, outcome, is_clock_suspect, detail)
select md5(n::text || '/' || p), 'kafka', 'bench', p, n, 'LZZS1M0L' ||
  lpad((n / 10)::text, 9, '0'),   'dtc:P0A78', 'active', 'limited', :at, :at, 'quiet', false, '{}'
from generate_series(cast(:first as bigint), cast(:end as bigint) - 1) n,
  generate_series(0, :parts - 1) p;
insert into ledger (feed, topic, part, page, outcome, records, alerts)
select 'kafka', 'bench', part, record_offset / 10000, 'quiet', count(*), count(*) from alert
where outcome = 'quiet' and record_offset >= :first group by part, record_offset / 10000
on conflict (feed, topic, part, page, outcome)
do update set records = ledger.records + excluded.records, alerts = ledger.alerts + excluded.alerts;
insert into position (feed, topic, part, next_offset, epoch, owner, advanced, base)
select 'kafka', 'bench', p, :end, 0, 'bench', :end, 0 from generate_series(0, :parts - 1) p
on conflict (feed, topic, part) do update set next_offset = :end, advanced = :end;
insert into "case" (case_id, vin, state, feed, topic, part, opened_at, updated_at, closed_at,
  revision, priority, priority_rank, action, score, reasons, rules, needs_task, cause, root,
  ranked_by, rule_set, is_repeat_repair, defaulted, tasks_made)
select md5('case' || n || :end), 'LZZS1M0L' || lpad(n::text, 9, '0'), 'closed', 'kafka', 'bench', 0,
  :at, :at, :at, 1, 'normal', 0, 'visit_soon', 0.1, '[]', '[]', true, 'c', 'c', 'rules', 'r', false,
  '[]', 1
from generate_series(cast(:first as bigint), cast(:end as bigint) - 1, 10) n;
insert into task (task_id, case_id, vin, queue, desk, state, priority, priority_rank, score,
  opened_at, route_zh, route_en, touched, alarms)
select md5('task' || case_id), case_id, vin, 'dealer', 'd', 'done', 'normal', 0, 0.1, :at, '', '',
  true, 1
from "case" where opened_at = :at;
"""


def past(engine: sa.Engine, first: int, end: int) -> None:
    """Put the alerts of the offsets `first` to `end` - 1 there, on every partition."""
    at = datetime.now(UTC) - timedelta(days=30)
    values = {"first": first, "end": end, "at": at, "parts": PARTS}
    with engine.begin() as connection:
        for statement in _PAST.split(";"):
            if statement.strip():
                connection.execute(sa.text(statement), values)


def live(worker: Worker, first: int) -> None:
    """Process the newest records of every partition by the real pipeline."""
    began = datetime.now(UTC) - timedelta(minutes=5)
    for part in range(PARTS):
        partition = Partition(Feed.KAFKA, "bench", part)
        start = worker.take(partition, 0).next_offset
        records = []
        for number in range(LIVE // PARTS):
            at = began + timedelta(milliseconds=number)
            vin = f"LZZS2M{part}L{(first + number) // 4 % 10**9:09d}"
            value = json.dumps(
                {
                    "id": f"{part} {first} {number}",
                    "source": "bench",
                    "vin": vin,
                    "observed_at": at.isoformat(),
                    "code": "dtc:P0A78",
                    "severity": "limited",
                }
            )
            stamp = int(at.timestamp() * 1000)
            records.append(Record(partition, start + number, stamp, None, value.encode()))
        for edge in range(0, len(records), 5000):
            worker.process(records[edge : edge + 5000])


def measure(engine: sa.Engine, *, is_full: bool) -> tuple[float, int]:
    """Return the median seconds of a run, and how many pages it counted."""
    ends = {Partition(Feed.KAFKA, "bench", part): Extent(0, 2**40) for part in range(PARTS)}
    wanted = Scope(("bench",), None, is_full)
    took = []
    for number in range(1 if is_full else ROUNDS):
        began = perf_counter()
        at = datetime.now(UTC) + timedelta(minutes=number)
        report = reconcile(engine, lambda _: ends, wanted, at)
        took.append(perf_counter() - began)
        assert report["reconciled"], report["findings"]
    return sorted(took)[len(took) // 2], report["pages"]["looked_at"]


def main() -> None:
    """Print the seconds of both kinds at each size."""
    sizes = [int(word) for word in sys.argv[1:]] or SIZES
    with running_postgres() as server:
        for size in sizes:
            with new_database(server) as url:
                engine = make_engine(url)
                upgrade(engine)
                print(_measured(engine, size), flush=True)
                engine.dispose()


def _measured(engine: sa.Engine, size: int) -> str:
    worker = Worker(engine, make_policy(Settings(), engine), {}, "bench", Limits())
    began = perf_counter()
    past(engine, 0, size // PARTS)
    live(worker, size // PARTS)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("vacuum analyze")
        count = connection.execute(sa.select(sa.func.count()).select_from(t.alert)).scalar_one()
    filled = perf_counter() - began
    quick, pages = measure(engine, is_full=False)
    full, all_pages = measure(engine, is_full=True)
    return (
        f"{count:>10,} alerts: {quick:6.2f} s ({pages} pages counted), full {full:6.2f} s "
        f"({all_pages} pages); put there in {filled:.0f} s"
    )


if __name__ == "__main__":
    main()
