"""From append to a queue: how long until an urgent alert is somebody's task, at three loads.

    python -m bench.latency 10             # seconds for each load; part of `make bench`

A real `pacc run` works beside us. Every load is a steady mix in which twenty urgent alerts a second
come from cars of their own; a look every 20 ms finds their tasks, so that is how exact it is.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import numpy as np
import sqlalchemy as sa

from bench.figure import Figure, table
from bench.stage import Stage, alert, new_database, new_topic, promote, running, vin
from ingest.sender import KafkaSender
from models import tables as t
from models.batch import Message
from pacc.database import make_engine
from tests.commands import Pacc, waits

LOADS = {500: "≤ 1 s", 2000: "≤ 1 s", 5000: "≤ 2 s"}
_TURN = 0.05
_LOOK = 0.02
_PATIENCE = 60.0
_MARKED = 500_000_000  # the cars from here on are the urgent ones
_CARS = 20_000


class Lookout:
    """Notes when the task of each urgent car was first seen in the roadside queue."""

    def __init__(self, url: str) -> None:
        self.seen: dict[str, float] = {}
        self._engine = make_engine(url)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        c = t.task.c
        query = sa.select(c.vin).where(
            c.queue == "roadside", c.priority == "urgent", c.state == "queued", c.vin > vin(_MARKED)
        )
        while not self._stopped.wait(_LOOK):
            with self._engine.connect() as connection:
                found = connection.execute(query).scalars().all()
            now = time.monotonic()
            for one in found:
                self.seen.setdefault(one, now)

    def close(self) -> None:
        """Look no more."""
        self._stopped.set()
        self._thread.join()
        self._engine.dispose()


def _turns(rate: int, seconds: float) -> Iterator[list[tuple[Message, str | None]]]:
    """Give what is sent in each turn: the messages, and the urgent cars among them."""
    number, urgent = 0, _MARKED
    for _ in range(int(seconds / _TURN)):
        now = datetime.now(UTC)
        turn: list[tuple[Message, str | None]] = []
        for _ in range(int(rate * _TURN) - 1):
            number += 1
            turn.append((alert(number, number % _CARS, now), None))
        number, urgent = number + 1, urgent + 1
        turn.append((alert(number, urgent, now, "stop"), vin(urgent)))
        yield turn


def at_load(stage: Stage, rate: int, seconds: float) -> tuple[Figure, Figure]:
    """Send at a rate in alerts a second; give the median and the 99th percentile in seconds."""
    url, topic = new_database(stage.postgres), new_topic(stage.kafka)
    promote(url)
    pacc = Pacc(PACC_DATABASE_URL=url, PACC_TOPICS=f"{topic}: canonical",
                PACC_KAFKA_BOOTSTRAP_SERVERS=stage.kafka, PACC_GROUP_ID=topic)  # fmt: skip
    sent: dict[str, float] = {}
    with (
        pacc.runs("run"),
        closing(KafkaSender(stage.kafka)) as sender,
        closing(Lookout(url)) as out,
    ):
        _wait_until_it_reads(sender, topic, out)
        due = time.monotonic()
        for turn in _turns(rate, seconds):
            marked = [car for _, car in turn if car]
            began = time.monotonic()
            sender.send([Message(topic, one.key, one.value, one.headers, one.timestamp)
                         for one, _ in turn])  # fmt: skip
            sent.update(dict.fromkeys(marked, began))
            due += _TURN
            time.sleep(max(0.0, due - time.monotonic()))
        took = time.monotonic() - due + seconds
        until = time.monotonic() + _PATIENCE
        while sent.keys() - out.seen.keys() and time.monotonic() < until:
            time.sleep(_LOOK)
    missing = len(sent.keys() - out.seen.keys())
    waits_ = [out.seen.get(car, float("inf")) - at for car, at in sent.items()]
    note = f"{len(sent)} urgent alerts, {seconds / took:.0%} of the rate was sent" + (
        f", {missing} not seen within {_PATIENCE:.0f} s" if missing else "")  # fmt: skip
    half, most = np.percentile(waits_, [50, 99], method="higher")
    name = f"append → queue at {rate:,} alerts/s"
    return (Figure(f"{name}, p50", float(half), "s", bar="–", note=note),
            Figure(f"{name}, p99", float(most), "s", bar=LOADS.get(rate, "–")))  # fmt: skip


def _wait_until_it_reads(sender: KafkaSender, topic: str, out: Lookout) -> None:
    first = alert(0, _MARKED * 2 - 1, datetime.now(UTC), "stop")
    sender.send([Message(topic, first.key, first.value, first.headers, first.timestamp)])
    waits(lambda: bool(out.seen))


def measure(stage: Stage, seconds: float) -> list[Figure]:
    """Measure all loads."""
    return [one for rate in LOADS for one in at_load(stage, rate, seconds)]


if __name__ == "__main__":
    with running() as here:
        print(table(measure(here, float(sys.argv[1]) if len(sys.argv) > 1 else 20)))
