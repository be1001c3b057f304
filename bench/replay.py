"""A long tape into SQLite and PostgreSQL, and the memory of the process while it plays.

    python -m bench.replay 2000000                 # alerts; `make bench` plays a short one
    python -m bench.replay 10000000 PostgreSQL     # into one of the two

The tape is a steady mix. Memory is read every second from the process's own account; the anchor is
what it had when a tenth was played.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import sqlalchemy as sa

from bench.parts.figure import Figure, table
from bench.parts.stage import PARTITIONS, Stage, new_database, prepare, running, steady
from ingest.tape import write_tape
from models import tables as t
from models.batch import Partition, Record
from models.words import Feed
from pacc.process.database import make_engine
from tests.support.commands import Pacc

DATABASES = ("SQLite", "PostgreSQL")
_POLL_SECONDS = 1.0


def _records(count: int) -> Iterator[Record]:
    offsets = [0] * PARTITIONS
    for number, message in enumerate(steady(count)):
        part = number % max(1, count // 10) % PARTITIONS
        place = Partition(Feed.TAPE, "pacc.alerts", part)
        yield Record(place, offsets[part], message.timestamp or 0, message.key, message.value)
        offsets[part] += 1


def _resident_mb(process: int) -> float:
    for line in Path(f"/proc/{process}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def _played(url: str, tape: Path, count: int) -> tuple[float, list[tuple[float, float]]]:
    """Play a tape; return alerts per second, and share played and memory again and again."""
    pacc = Pacc(PACC_DATABASE_URL=url, PACC_TOPICS="pacc.alerts: canonical")
    engine, seen = make_engine(url), []
    process = subprocess.Popen(
        [sys.executable, "-m", "pacc.cli", "replay", str(tape), "--json"],
        env=pacc.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None:
        time.sleep(_POLL_SECONDS)
        with engine.connect() as connection:
            done = connection.execute(sa.select(sa.func.sum(t.position.c.next_offset))).scalar()
        memory = _resident_mb(process.pid)
        if memory:  # none any more of one that is about to end
            seen.append(((done or 0) / count, memory))
    said = json.loads(process.communicate()[0])
    engine.dispose()
    return said["records"] / said["seconds"], seen


def measure(stage: Stage, count: int, into: Sequence[str] = DATABASES) -> list[Figure]:
    """Play the same tape into the databases."""
    figures = []
    with tempfile.TemporaryDirectory(prefix="pacc-bench-") as folder:
        tape = Path(folder) / "long.jsonl.zst"
        write_tape(_records(count), tape)
        for name in into:
            url = new_database(stage.postgres)
            if name == "SQLite":
                url = f"sqlite:///{Path(folder) / 'pacc.db'}"
                prepare(url)
            rate, seen = _played(url, tape, count)
            figures.append(
                Figure(f"replay of {count:,} alerts into {name}", rate, "alerts/s", bar="reported")
            )
            early = [memory for share, memory in seen if share >= 0.1][:1]
            if early:
                end = seen[-1][1]
                figures.append(
                    Figure(
                        f"memory at the end of it, {name}",
                        end,
                        "MB",
                        "after a tenth",
                        early[0],
                        "≤ 1.2, < 400 MB",
                    )
                )
    return figures


if __name__ == "__main__":
    with running() as here:
        asked = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
        print(table(measure(here, asked, sys.argv[2:] or DATABASES)))
