"""A storm: a backlog drains while urgent cases of other cars come in and people look at pages.

    make bench-storm                                   # 40,000 records, with the scout and without
    make bench-storm RECORDS=5000000 STORM="--rate 2000 --only scout"
    python -m bench.storm 100000 --rate 500

A Kafka and a PostgreSQL of its own on loopback, ended afterwards; `pacc run`, `scout`, `tend` and
`serve` as processes. The topic holds the flood before they start. Once they are up, `--rate` alerts
a second are appended behind it, and twice a second a stop fault of a car that the flood does not
know: from its append until its task is in the roadside queue. Anchors of the same run: the same
topic read and thrown away, a stop fault and a page before the storm. It ends when all is done.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
from kafka import KafkaAdminClient

from bench.console import p95, resident_mb
from bench.parts.flood import REPORTS, flood, urgent
from bench.parts.observers import Pages, Position, Urgents, drained_at, rate_between
from bench.parts.stage import fill, new_url, raw_poll
from ingest.kafka.producer import KafkaSender
from models.batch import Message
from tests.servers.kafka import running_kafka
from tests.servers.postgres import running_postgres
from tests.servers.processes import free_port
from tests.support.commands import Pacc, is_ready, waits
from tests.worlds import SAMPLE_DESKS

BEFORE = 20  # urgent cases and pages before the storm
EVERY_SECONDS = 0.5
BATCH = 2000
NICE = 5  # the backlog gives way to people and to the scout, as docs/storm.md advises


@dataclass(frozen=True)
class Wish:
    """What is wanted of a run."""

    records: int
    rate: int
    with_scout: bool


def storm(kafka: str, server: str, wish: Wish) -> dict[str, float]:
    """Run one storm; return its figures."""
    name = "scout" if wish.with_scout else "alone"
    url = new_url(server)
    _say(f"{name}: filling {wish.records:,} records")
    topic = fill(kafka, flood(wish.records))
    figures = {"raw poll of the topic, records/s": raw_poll(kafka, topic, wish.records, 5000)}
    quiet = fill(kafka, iter(()))
    pacc = _system(kafka, url, topic, quiet)
    with _people(pacc) as pages, closing(KafkaSender(kafka)) as sender:
        _before(pacc, url, quiet, sender, pages, figures)
        _say(f"{name}: the storm begins")
        pacc.environment["PACC_TOPICS"] = f"{topic}: cloudevents"
        with ExitStack() as stack:
            begins = time.perf_counter()
            run = pacc.runs("run", "--batch", str(BATCH), nice=NICE)
            watched = {"run": stack.enter_context(run)}
            if wish.with_scout:
                watched["scout"] = stack.enter_context(pacc.runs("scout"))
            stack.enter_context(pacc.runs("tend", nice=NICE))
            position = stack.enter_context(Position(url, topic, partial(_memory, watched)))
            urgents = stack.enter_context(Urgents(url))
            stack.enter_context(pages)
            waits(lambda: position.now > 0 and _scouts(pacc) == wish.with_scout, 120)
            appended = _meanwhile(topic, sender, wish, position, urgents)
            _say(f"{name}: drained; {appended:,} came behind it")
            waits(lambda: position.now >= wish.records + appended or not position.is_alive, 7200)
            waits(lambda: not urgents.waiting, 120)
            waits(lambda: pacc("fleet", "list"), 120)  # `tend` ticks every half minute
            position.total = wish.records + appended
        _add_figures(figures, wish, begins, position, urgents, pages)
        figures["queue page after the storm, p95 ms"] = p95(pages.some(BEFORE))
    figures["reconciled"] = float(pacc("ledger")["reconciled"])
    fleet_issues = [issue["vehicles"] for issue in pacc("fleet", "list")]
    figures["fleet issues"] = len(fleet_issues)
    figures["vehicles of the largest"] = max(fleet_issues, default=0)
    return figures


def _meanwhile(
    topic: str, sender: KafkaSender, wish: Wish, position: Position, urgents: Urgents
) -> int:
    """Append behind the flood until what was there at the start is drained; return how many."""
    more = flood(10**9, wish.records, wish.records // REPORTS)
    appended = urgents_sent = 0
    while position.now < wish.records:
        began = time.perf_counter()
        assert position.is_alive, "the position cannot be seen any more"
        behind = [next(more) for _ in range(int(wish.rate * EVERY_SECONDS))]
        if behind:
            sender.send([_to(topic, one) for one in behind])
        message = _to(topic, urgent(BEFORE + urgents_sent))
        urgents.sent(message)
        sender.send([message])
        urgents_sent += 1
        appended += len(behind) + 1
        time.sleep(max(0.0, EVERY_SECONDS - (time.perf_counter() - began)))
    return appended


def _before(
    pacc: Pacc, url: str, quiet: str, sender: KafkaSender, pages: Pages, figures: dict[str, float]
) -> None:
    """Measure the anchors: stop faults and pages while nothing else happens."""
    pacc.environment["PACC_TOPICS"] = f"{quiet}: cloudevents"
    with pacc.runs("run", "--batch", str(BATCH)), Urgents(url) as urgents:
        for number in range(BEFORE):
            message = _to(quiet, urgent(number))
            urgents.sent(message)
            sender.send([message])
            waits(lambda: not urgents.waiting, 60)
    spent = sorted(urgents.seconds[1:])
    figures["anchor: urgent without a storm, p50 s"] = spent[len(spent) // 2]
    figures["anchor: page without a storm, p95 ms"] = p95(pages.some(BEFORE))


def _add_figures(
    figures: dict[str, float],
    wish: Wish,
    begins: float,
    position: Position,
    urgents: Urgents,
    pages: Pages,
) -> None:
    seen, seconds = position.seen, sorted(urgents.seconds)
    end = drained_at(seen, position.total)
    figures["drained, s"] = end - begins
    figures["drained, records/s"] = position.total / (end - seen[0].at)
    quarter = wish.records // 4
    figures["first quarter, records/s"] = rate_between(
        seen, seen[0].records, seen[0].records + quarter
    )
    figures["last quarter, records/s"] = rate_between(
        seen, position.total - quarter, position.total
    )
    for name in seen[0].memory:
        some = [seen[place].memory[name] for place in (len(seen) // 10, len(seen) // 2, -1)]
        for when, megabytes in zip(("start", "middle", "end"), some, strict=True):
            figures[f"{name} memory at the {when}, MB"] = megabytes
    figures["urgent cases"] = float(len(seconds))
    for share, name in ((0.5, "p50"), (0.99, "p99"), (1.0, "most")):
        place = min(len(seconds) - 1, round(len(seconds) * share))
        figures[f"urgent in its queue, {name} s"] = seconds[place]
    figures["queue page in the storm, p95 ms"] = p95(sorted(pages.spent))


def _scouts(pacc: Pacc) -> int:
    """Return how many scouts the health page knows of."""
    ready = httpx.get(f"http://127.0.0.1:{pacc.environment['PACC_PORT']}/ready", timeout=30).json()
    return int(ready["scout"]["scouts"])


def _say(line: str) -> None:
    print(f"  {time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def _memory(watched: dict[str, subprocess.Popen[bytes]]) -> dict[str, float]:
    for name, process in watched.items():
        assert process.poll() is None, f"pacc {name} has ended"
    return {name: resident_mb(process.pid) for name, process in watched.items()}


def _to(topic: str, message: Message) -> Message:
    return Message(topic, message.key, message.value, message.headers, int(time.time() * 1000))


def _system(kafka: str, url: str, topic: str, quiet: str) -> Pacc:
    """Return the commands on a database with the desks; events have topics of this storm's own."""
    events = {name: f"{topic}.{name}" for name in ("roadside", "dealer", "cases")}
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.create_topics(
        {one: {"num_partitions": 1, "replication_factor": 1} for one in events.values()},
        wait_for_metadata=True,
    )
    admin.close()
    pacc = Pacc(
        PACC_DATABASE_URL=url,
        PACC_KAFKA_BOOTSTRAP_SERVERS=kafka,
        PACC_GROUP_ID=topic,
        PACC_TOPICS=f"{quiet}: cloudevents",
        PACC_LOG_LEVEL="error",
        PACC_PORT=str(free_port()),
        PACC_ROADSIDE_TOPIC=events["roadside"],
        PACC_DEALER_TOPIC=events["dealer"],
        PACC_CASES_TOPIC=events["cases"],
    )
    pacc("migrate")
    pacc("desk", "import", str(SAMPLE_DESKS))
    return pacc


@contextmanager
def _people(pacc: Pacc) -> Iterator[Pages]:
    """Add somebody who watches a desk's queue on a console."""
    added = pacc("person", "add", "li", "--role", "operator", "--desk", "rsa-beijing")
    address = f"http://127.0.0.1:{pacc.environment['PACC_PORT']}"
    with pacc.runs("serve"):
        waits(lambda: is_ready(address))
        yield Pages(address, "li", added["password"])


def _print(runs: dict[str, dict[str, float]]) -> None:
    for name in runs["scout" if "scout" in runs else "alone"]:
        cells = [f"{run[name]:12,.2f}" if name in run else f"{'':12}" for run in runs.values()]
        print(f"  {name:42}{''.join(cells)}")
    for run, figures in runs.items():
        raw = figures["raw poll of the topic, records/s"]
        page = figures["anchor: page without a storm, p95 ms"]
        once = figures["anchor: urgent without a storm, p50 s"]
        print(
            f"  {run}: drains at {figures['drained, records/s'] / raw:.3f} of the raw poll; last "
            "quarter "
            f"{figures['last quarter, records/s'] / figures['first quarter, records/s']:.2f} of "
            f"the first; urgent p99 {figures['urgent in its queue, p99 s'] / once:.1f} ×, page "
            f"p95 {figures['queue page in the storm, p95 ms'] / page:.1f} × without a storm"
        )


def main(words: Sequence[str]) -> None:
    """Measure, print a table, then one line of JSON."""
    parser = argparse.ArgumentParser(prog="bench.storm")
    parser.add_argument("records", type=int, nargs="?", default=40_000)
    parser.add_argument("--rate", type=int, default=200, help="alerts a second behind the flood")
    parser.add_argument("--only", choices=("scout", "alone"))
    options = parser.parse_args(words)
    runs: dict[str, dict[str, float]] = {}
    with running_kafka() as kafka, running_postgres() as server:
        for name in ("scout", "alone"):
            if options.only in (None, name):
                runs[name] = storm(
                    kafka, server, Wish(options.records, options.rate, name == "scout")
                )
    print(f"{options.records:,} records, {options.rate}/s behind them: {', '.join(runs)}")
    _print(runs)
    report: dict[str, Any] = {"records": options.records, "rate": options.rate, "runs": runs}
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1:])
