"""Two workers against one, as processes; and a stateful count without SQL on the same topic.

    python -m bench.workers 40000          # records; part of `make bench`

The rate is taken between the first and the last tenth of the records, from the stored positions:
a process's start does not count. The count is quixstreams' (`pip install quixstreams`, which is not
among our dependencies): how often each key came, kept in its state store; without it there is none.
"""

import importlib.util
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack

import sqlalchemy as sa

from bench.parts.figure import Figure, table
from bench.parts.stage import MIXES, Stage, fill, new_database, promote, running
from models import tables as t
from pacc.process.database import make_engine
from tests.support.commands import Pacc

_POLL_SECONDS = 0.05
_AT_MOST = 600.0
_COUNT = """
import sys, time
from datetime import timedelta
from quixstreams import Application
app = Application(broker_address=sys.argv[1], consumer_group=sys.argv[2] + "-count",
                  auto_offset_reset="earliest", state_dir=sys.argv[4], loglevel="ERROR")
frame = app.dataframe(app.topic(sys.argv[2], value_deserializer="json"))
seen = {"n": 0, "first": 0.0, "last": 0.0}
def count(value, state):
    state.set("n", state.get("n", 0) + 1)
    seen["n"] += 1
    now = time.perf_counter()
    seen["first"] = seen["first"] or now
    seen["last"] = now
    return value
frame = frame.apply(count, stateful=True)
app.run(count=int(sys.argv[3]), timeout=30)
print((seen["n"] - 1) / (seen["last"] - seen["first"]))
"""


def rate_of(stage: Stage, topic: str, count: int, workers: int) -> float:
    """Run so many processes through a topic; return alerts per second."""
    url = new_database(stage.postgres)
    promote(url)
    pacc = Pacc(
        PACC_DATABASE_URL=url,
        PACC_TOPICS=f"{topic}: canonical",
        PACC_GROUP_ID=url[-20:],
        PACC_KAFKA_BOOTSTRAP_SERVERS=stage.kafka,
    )
    engine, seen = make_engine(url), [(0.0, 0)]
    with ExitStack() as stack:
        for _ in range(workers):
            stack.enter_context(pacc.runs("run"))
        until = time.monotonic() + _AT_MOST
        while seen[-1][1] < 0.9 * count and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
            with engine.connect() as connection:
                done = connection.execute(sa.select(sa.func.sum(t.position.c.next_offset))).scalar()
            if done and done > seen[-1][1]:
                seen.append((time.monotonic(), int(done)))
    engine.dispose()
    began, first = next(one for one in seen if one[1] >= 0.1 * count)
    ended, last = seen[-1]
    return (last - first) / (ended - began)


def counted(stage: Stage, topic: str, count: int) -> float | None:
    """Run a count per key by quixstreams; None where it is not installed."""
    if importlib.util.find_spec("quixstreams") is None:
        return None
    with tempfile.TemporaryDirectory(prefix="pacc-bench-") as folder:
        done = subprocess.run(
            [sys.executable, "-c", _COUNT, stage.kafka, topic, str(count), folder],
            capture_output=True,
            text=True,
            check=True,
            timeout=_AT_MOST,
        )
    return float(done.stdout.split()[-1])


def measure(stage: Stage, count: int) -> list[Figure]:
    """Measure one and two workers, and the count."""
    topic = fill(stage.kafka, MIXES["steady"](count))
    one_worker, two_workers = (rate_of(stage, topic, count, workers) for workers in (1, 2))
    figures = [
        Figure(
            "steady, two workers",
            two_workers,
            "alerts/s",
            "one worker",
            one_worker,
            "≥ 1.5 where cores allow",
        )
    ]
    by_count = counted(stage, topic, count)
    if by_count is None:
        return figures
    return [
        *figures,
        Figure(
            "steady, one worker, everything",
            one_worker,
            "alerts/s",
            "quixstreams' count per key",
            by_count,
            "> 1",
        ),
    ]


if __name__ == "__main__":
    with running() as here:
        print(table(measure(here, int(sys.argv[1]) if len(sys.argv) > 1 else 40_000)))
