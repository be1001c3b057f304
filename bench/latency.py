"""From append to a queue: how long until an urgent alert is somebody's task, at three loads.

    python -m bench.latency 10             # seconds for each load; part of `make bench`
    python -m bench.latency 10 storm       # every alert opens a case

`pacc run` and `pacc scout` work beside us, as they do in `docker-compose.yml`. In the steady mix
every tenth alert is the first of a car, the others repeat what one of the last thousand cars said.
Twenty urgent alerts a second come from cars of their own, among others; a query every 10 ms finds
their tasks, so that is how exact it is. The first fifteen seconds at a load are not counted:
the processes have just begun, and the scout goes through what came before it read.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import numpy as np
from msgspec.structs import replace

from bench.parts.figure import Figure, table
from bench.parts.flood import urgent
from bench.parts.observers import Urgents
from bench.parts.stage import PARTITIONS, Stage, alert, new_database, promote, running
from ingest.kafka.producer import KafkaSender
from models.batch import Message
from pacc.feeds.scout_status import scout_health
from pacc.process.database import make_engine
from tests.servers.kafka import new_topic
from tests.support.commands import Pacc, waits

LOADS = {500: "≤ 1 s", 2000: "≤ 1 s", 5000: "≤ 2 s"}
_INTERVAL = 0.05
_PATIENCE = 60.0
_WARM = 15.0  # seconds at the load that are not counted
_REPORTS = 10  # of each car in the steady mix
_RECENT = 1000


def _car(number: int, mix: str) -> int:
    """Return whose an alert is: a new car's, or one's of the last that were new."""
    newest = number // _REPORTS
    if mix == "storm" or number % _REPORTS == 0:
        return number
    return _REPORTS * max(0, newest - number * 7919 % _RECENT)


def _intervals(rate: int, seconds: float, mix: str) -> Iterator[list[Message]]:
    """Yield what is sent in each interval; the last message of each is the urgent one."""
    each = int(rate * _INTERVAL) - 1
    for interval in range(int(seconds / _INTERVAL)):
        now = datetime.now(UTC)
        numbers = range(interval * each, (interval + 1) * each)
        yield [*(alert(one, _car(one, mix), now) for one in numbers), urgent(interval + 1)]


def at_load(stage: Stage, rate: int, seconds: float, mix: str) -> tuple[Figure, Figure]:
    """Send at a rate in alerts a second; return the median and the 99th percentile in seconds."""
    url, topic = new_database(stage.postgres), new_topic(stage.kafka, PARTITIONS)
    promote(url)
    pacc = Pacc(
        PACC_DATABASE_URL=url,
        PACC_TOPICS=f"{topic}: canonical",
        PACC_KAFKA_BOOTSTRAP_SERVERS=stage.kafka,
        PACC_GROUP_ID=topic,
    )
    with (
        pacc.runs("run"),
        pacc.runs("scout"),
        closing(KafkaSender(stage.kafka)) as sender,
        Urgents(url) as urgents,
    ):

        def send(messages: list[Message], *, is_counted: bool = True) -> None:
            if is_counted:
                urgents.sent(messages[-1])
            sender.send([replace(one, topic=topic) for one in messages])

        send([urgent(0)])
        waits(lambda: not urgents.waiting and _has_scout(url))  # both read
        first, due = len(urgents.seconds), time.monotonic()
        began = due
        for number, messages in enumerate(_intervals(rate, _WARM + seconds, mix)):
            send(messages, is_counted=number * _INTERVAL >= _WARM)
            due += _INTERVAL
            time.sleep(max(0.0, due - time.monotonic()))
        took = time.monotonic() - began
        until = time.monotonic() + _PATIENCE
        while urgents.waiting and time.monotonic() < until:
            time.sleep(_INTERVAL)
    spent, missing = urgents.seconds[first:], urgents.waiting
    late = f", {missing} not seen within {_PATIENCE:.0f} s" if missing else ""
    share = (_WARM + seconds) / took
    note = f"{len(spent) + missing} urgent alerts, {share:.0%} of the rate was sent{late}"
    half, most = np.percentile([*spent, *[np.inf] * missing], [50, 99], method="higher")
    name = f"append → queue at {rate:,} alerts/s, {mix}"
    bar = LOADS[rate] if mix == "steady" else "–"
    return (
        Figure(f"{name}, p50", float(half), "s", bar="–", note=note),
        Figure(f"{name}, p99", float(most), "s", bar=bar),
    )


def _has_scout(url: str) -> bool:
    engine = make_engine(url)
    with engine.begin() as connection:
        status = scout_health(connection, datetime.now(UTC))
    engine.dispose()
    return bool(status["scouts"])


def measure(stage: Stage, seconds: float, mix: str = "steady") -> list[Figure]:
    """Measure all loads."""
    return [one for rate in LOADS for one in at_load(stage, rate, seconds, mix)]


if __name__ == "__main__":
    with running() as here:
        print(table(measure(here, float(sys.argv[1] if len(sys.argv) > 1 else 20), *sys.argv[2:3])))
