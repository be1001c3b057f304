"""How fast alerts become durable cases, as a share of reading and throwing the same topic away.

    python -m bench.throughput 20000       # records; part of `make bench`

The stopwatch says where the time goes; what is sent to the driver is counted, and
run again by itself.
"""

import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from bench.parts.figure import Figure, table
from bench.parts.stage import MIXES, Stage, fill, new_database, prepare, promote, raw_poll, running
from bench.parts.statements import Sent, again, document_bytes, recorded
from ingest.kafka.consumer import KafkaSource
from ingest.source import StreamPosition
from ingest.store import batches, position
from pacc.pipeline.limits import Limits
from pacc.pipeline.loop import run
from pacc.pipeline.worker import Worker
from pacc.process.database import make_engine
from pacc.process.settings import Settings
from pacc.wiring import pipeline

BATCH = 5000
_BARS = {"steady": "≥ 0.25", "storm": "≥ 0.12"}


class Way(Struct, frozen=True):
    """One run: records a second, shares of the time, and what went to the database."""

    rate: float
    shares: dict[str, float]
    batches: int
    sent: list[Sent]
    seconds: float


class Stopwatch:
    """Adds up the seconds and the calls of the pipeline's parts."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.calls: Counter[str] = Counter()

    @contextmanager
    def on(self, owner: Any, name: str) -> Iterator[None]:
        """Time every call of a function while the block runs."""
        call: Callable[..., Any] = getattr(owner, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            try:
                return call(*args, **kwargs)
            finally:
                self.seconds[name] += time.perf_counter() - began
                self.calls[name] += 1

        setattr(owner, name, timed)
        try:
            yield
        finally:
            setattr(owner, name, call)


def whole_way(kafka: str, url: str, topic: str, batch: int = BATCH) -> Way:
    """Run Kafka → database with one worker, in this process, to the end of the topic.

    The clock runs from when it has its partitions, as that of the raw poll does.
    """
    engine = make_engine(url)
    policy = pipeline.make_policy(Settings(), engine)
    refresh = pipeline.make_champions(Settings()).current
    limits = Limits(batch)
    worker = Worker(engine, policy, {}, "bench", limits, refresh)
    watch, sent = Stopwatch(), recorded(engine)
    taken: list[float] = []

    def take(*args: Any, **kwargs: Any) -> StreamPosition:
        taken.append(time.perf_counter())
        return worker.take(*args, **kwargs)

    with ExitStack() as stack:
        for owner, name in (
            (worker, "prepare"),
            (worker, "begin"),
            (worker, "settle"),
            (position, "move"),
            (position, "watermarks"),
            (batches, "known"),
            (batches, "save"),
        ):
            stack.enter_context(watch.on(owner, name))
        tally = run(
            worker,
            lambda: KafkaSource(kafka, f"bench {topic} {url}", [topic], take=take),
            limits,
            until_end=True,
            is_stopped=lambda: False,
        )
    seconds = time.perf_counter() - taken[0]
    engine.dispose()
    shares = _shares(watch.seconds, seconds)
    return Way(tally.records / seconds, shares, watch.calls["begin"], sent, seconds)


def _shares(spent: Mapping[str, float], seconds: float) -> dict[str, float]:
    parts = {
        "decode": spent["prepare"],
        "known": spent["known"],
        "rows": spent["save"],
        "position, watermark": spent["move"] + spent["watermarks"],
        "wait for the database": spent["settle"],
    }
    # a decision comes in parts, each saved before the next is made
    parts["decide"] = spent["begin"] - parts["known"] - parts["rows"] - parts["position, watermark"]
    parts["poll, Kafka commit"] = seconds - sum(parts.values())
    return {name: one / seconds for name, one in parts.items()}


def measure(stage: Stage, count: int) -> list[Figure]:
    """Measure both mixes into PostgreSQL, with rules alone and with the model, and into SQLite."""
    figures = []
    for mix, stream in MIXES.items():
        topic = fill(stage.kafka, stream(count))
        raw = raw_poll(stage.kafka, topic, count, BATCH)
        rates = {}
        for ranked_by in ("rules", "rules and model"):
            url = new_database(stage.postgres)
            if ranked_by != "rules":
                promote(url)
            way = whole_way(stage.kafka, url, topic)
            rates[ranked_by] = way.rate
            figures += [
                Figure(
                    f"{mix}, PostgreSQL, {ranked_by}",
                    way.rate,
                    "alerts/s",
                    "raw poll",
                    raw,
                    _BARS[mix],
                    _as_text(way.shares),
                ),
            ]
        # of the last way: rules and model
        figures += [*_each_batch(mix, way), _alone(stage, mix, way, count, raw)]
        figures.append(
            Figure(
                f"{mix}: with the model",
                rates["rules and model"],
                "alerts/s",
                "rules alone",
                rates["rules"],
                "≥ 0.9",
            )
        )
        with tempfile.TemporaryDirectory(prefix="pacc-bench-") as folder:
            url = f"sqlite:///{Path(folder) / 'pacc.db'}"
            prepare(url)
            way = whole_way(stage.kafka, url, topic)
        figures.append(
            Figure(f"{mix}, SQLite, rules", way.rate, "alerts/s", "raw poll", raw, "reported")
        )
    return figures


def _each_batch(mix: str, way: Way) -> list[Figure]:
    name = f"{mix}: a batch of up to {BATCH}"
    many, size = len(way.sent) / way.batches, document_bytes(way.sent) / way.batches
    return [
        Figure(f"{name}, statements and commits", many, "statements", bar="reported"),
        Figure(f"{name}, rows sent", size, "bytes", bar="reported"),
        Figure(f"{name}, time", 1000 * way.seconds / way.batches, "ms", bar="reported"),
    ]


def _alone(stage: Stage, mix: str, way: Way, count: int, raw: float) -> Figure:
    """Run the statements of a way again, without a pipeline: what no worker can be faster than."""
    url = new_database(stage.postgres)
    promote(url)
    rate = count / again(url, way.sent)
    return Figure(
        f"{mix}: its statements alone",
        rate,
        "alerts/s",
        "raw poll",
        raw,
        "reported",
        f"the whole way does {way.rate / rate:.0%} of it",
    )


def _as_text(shares: dict[str, float]) -> str:
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {share:.0%}" for name, share in ordered)


if __name__ == "__main__":
    with running() as here:
        print(table(measure(here, int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)))
