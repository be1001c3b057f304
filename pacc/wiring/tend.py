"""Puts the loop of `pacc tend` together."""

from functools import partial

from ingest.kafka.offsets import ends_of
from pacc.process.database import FROZEN_SECONDS, open_engine
from pacc.process.settings import Settings
from pacc.tend.loop import TendLoop
from pacc.tend.quiet import QuietWatch
from pacc.watch.metrics import Metrics
from pacc.wiring.kafka import make_canary, make_kafka_sender
from pacc.wiring.pipeline import make_dispatch_policy, make_policy


def make_tend_loop(settings: Settings) -> TendLoop:
    """Build the loop on the settings' database; Kafka is first connected to when it is needed."""
    engine = open_engine(settings.database_url, idle_seconds=FROZEN_SECONDS)
    metrics = Metrics()
    return TendLoop(
        engine,
        partial(make_dispatch_policy, settings, engine),
        metrics,
        QuietWatch(
            partial(make_policy, settings, engine),
            partial(ends_of, settings.kafka_bootstrap_servers, settings.topics),
        ),
        partial(make_kafka_sender, settings) if settings.relay else None,
        make_canary(settings, engine, metrics.canary.observe),
    )
