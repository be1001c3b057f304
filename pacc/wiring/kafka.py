"""Builds what talks to the Kafka of the settings: source, sender, canary, watchdog, scout."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

import sqlalchemy as sa
import structlog

from ingest.formats.stop_faults import MayCarryStop, stops_of
from ingest.kafka.ahead import KafkaAhead
from ingest.kafka.consumer import KafkaSource
from ingest.kafka.offsets import ends_of
from ingest.kafka.producer import KafkaSender
from ingest.source import Source, Take
from models.errors import Stalled
from models.sql import OUTAGES
from pacc.feeds.fast_lane import Lane
from pacc.feeds.scout import Scout
from pacc.feeds.scout_status import ScoutStatus
from pacc.process.clock import utc_now
from pacc.process.database import make_engine, reachable, snapshot
from pacc.process.settings import Settings
from pacc.process.terminal import print_stderr
from pacc.watch.canary import Canary
from pacc.watch.canary_status import CanaryStatus
from pacc.watch.metrics import ScoutMetrics
from pacc.watch.pulse import write_pulse
from pacc.watch.watchdog import Behind, Watchdog, WatchdogReading, read_behind
from pacc.wiring.pipeline import make_worker, process_name

_log = structlog.get_logger(__name__)


def make_kafka_sender(settings: Settings) -> KafkaSender:
    """Connect to Kafka; raise `Unreachable` if it does not answer."""
    return KafkaSender(settings.kafka_bootstrap_servers)


def make_canary(
    settings: Settings, engine: sa.Engine, notify: Callable[[CanaryStatus], None]
) -> Canary | None:
    """Build the canary, which calls `notify` with every status; None if the settings want none."""
    if not settings.canary_every:
        return None
    topic = min(settings.topics)
    return Canary(
        engine, lambda: make_kafka_sender(settings), topic, settings.canary_every, utc_now, notify
    )


def make_kafka_source(settings: Settings, take: Take, *, accept_gaps: bool) -> Source:
    """Build a consumer that joins the group on the settings' topics."""
    return KafkaSource(
        settings.kafka_bootstrap_servers,
        settings.group_id,
        sorted(settings.topics),
        take=take,
        accept_gaps=accept_gaps,
        session_timeout_ms=int(settings.session_timeout.total_seconds() * 1000),
    )


@contextmanager
def make_watchdog(
    settings: Settings, notify: Callable[[WatchdogReading], None]
) -> Iterator[Watchdog]:
    """Run a watchdog of this process's worker; its readings go to `notify` and into the pulse."""
    engine = make_engine(settings.database_url)
    owner = process_name()

    def measure() -> Behind:
        ends = ends_of(settings.kafka_bootstrap_servers, settings.topics)
        with snapshot(engine) as connection:
            return read_behind(connection, owner, ends)

    def report(reading: WatchdogReading) -> None:
        notify(reading)
        waiting = reading.behind.records if reading.behind else None
        detail = {"behind": waiting, "standing_seconds": round(reading.standing_seconds, 1)}
        try:
            with engine.begin() as connection:
                write_pulse(connection, f"run {owner}", utc_now(), detail)
        except OUTAGES as outage:
            _log.info("the pulse was not written", why=str(outage))

    with Watchdog(measure, settings.stall_after, _end_now, report) as watchdog:
        yield watchdog
    engine.dispose()


@contextmanager
def make_scout(settings: Settings, metrics: ScoutMetrics) -> Iterator[Scout]:
    """Build a scout; its status goes to `metrics` and into the pulse."""
    worker, _ = make_worker(settings, None, keep=stops_of)
    engine = make_engine(settings.database_url)
    wanted = MayCarryStop(settings.topics)
    with reachable(engine), ExitStack() as stack:
        stack.callback(engine.dispose)
        stack.callback(worker.close)
        newest, backlog = (
            stack.enter_context(closing(KafkaAhead(settings.kafka_bootstrap_servers, wanted)))
            for _ in range(2)
        )
        status = ScoutStatus(engine, process_name(), metrics)
        yield Scout(Lane(worker), (newest, backlog), status, settings.topics, settings.scout_lag)


def _end_now(reason: Stalled) -> None:
    """End the process from a thread while the loop hangs in a call that never returns."""
    print_stderr(f"pacc: {reason}")
    os._exit(reason.exit_code)
