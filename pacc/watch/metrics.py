"""The metrics for Prometheus. No label ever holds a VIN, an id, or a word from outside."""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from dispatch.read.open_tasks import OPEN
from models import tables as t
from models.batch import Partition
from models.canary import CANARY_DESK
from models.decision import Decision
from models.words import (
    PRIORITY_RANK,
    IssueState,
    Outcome,
    Priority,
    TaskState,
)
from pacc.watch.canary_status import CanaryStatus, canary_age
from pacc.watch.door import DoorMetrics
from pacc.watch.off_road_metrics import OffRoadMetrics
from pacc.watch.watchdog import WatchdogReading
from prioritizer.model.registry import newest_drift
from prioritizer.ranking.rank import Ranker

_BATCH_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SCOUT_SECONDS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 60, 600, 3600, 86400)
_CANARY_SECONDS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)


class CanaryMetrics:
    """How long a fault takes from the topic to a queue."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._status: CanaryStatus | None = None
        age = Gauge(
            "pacc_canary_age_seconds",
            "Seconds since the canary was last seen in a queue; NaN while none is sent.",
            registry=registry,
        )
        age.set_function(lambda: canary_age(self._status, datetime.now(UTC)))
        self._took = Histogram(
            "pacc_canary_seconds",
            "Seconds from sending the canary's fault until its task was in a queue.",
            buckets=_CANARY_SECONDS,
            registry=registry,
        )
        self._missed = Counter(
            "pacc_canary_missed", "Canaries that did not come in time.", registry=registry
        )

    def observe(self, new: CanaryStatus) -> None:
        """Note the canary's status: it was sent, seen, or missed."""
        before, self._status = self._status, new
        if new.seen_at is not None and new.seen_at > new.sent_at and new.took_seconds is not None:
            self._took.observe(new.took_seconds)
        if before is not None:
            self._missed.inc(max(0, new.missed - before.missed))


class ScoutMetrics:
    """What the scout reads ahead of the pipeline, and what it brings forward."""

    def __init__(self, registry: CollectorRegistry) -> None:
        gauge = partial(Gauge, registry=registry)
        self._behind = gauge(
            "pacc_scout_behind_records",
            "Records that the pipeline is behind, as the scout sees it.",
        )
        self._unread = gauge(
            "pacc_scout_unread_records", "Of them, those that the scout has not read yet."
        )
        self._passed = Counter(
            "pacc_scout_passed", "Records that the scout has read.", registry=registry
        )
        self._brought = Counter(
            "pacc_scout_brought",
            "Records that the scout brought forward, by how they ended.",
            ["outcome"],
            registry=registry,
        )
        self._waited = Histogram(
            "pacc_scout_waited_seconds",
            "Seconds from a record's timestamp until its stop fault was in a queue.",
            buckets=_SCOUT_SECONDS,
            registry=registry,
        )

    def observe_lag(self, behind: int, unread: int, passed: int) -> None:
        """Note the lag, what of it is unread, and the records read since the last call."""
        self._behind.set(behind)
        self._unread.set(unread)
        self._passed.inc(passed)

    def observe_brought(self, waited: Iterable[float], outcomes: Mapping[str, int]) -> None:
        """Count what was brought forward, and how many seconds each record had waited."""
        for outcome, number in outcomes.items():
            self._brought.labels(outcome).inc(number)
        for seconds in waited:
            self._waited.observe(seconds)


class ModelMetrics:
    """Whether a model ranks, and how far the cases have moved from its own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        gauge = partial(Gauge, registry=registry)
        self._ranks = gauge("pacc_model_ranks", "1 while a model takes part in ranking.")
        self._fallback = gauge(
            "pacc_model_fallback", "1 for the reason why rules rank alone.", ["why"]
        )
        self._drift = gauge(
            "pacc_model_drift", "Population stability index of the newest measurement.", ["what"]
        )
        self._calibration = gauge(
            "pacc_model_calibration_error",
            "Expected calibration error of the newest measurement; NaN while labels are too few.",
        )
        self._new_codes = gauge(
            "pacc_model_new_codes", "Codes of the newest measurement that no model has seen."
        )

    def observe(self, ranker: Ranker) -> None:
        """Note whether a model takes part, or why not."""
        self._ranks.set(ranker.model is not None)
        self._fallback.clear()
        if ranker.fallback is not None:
            self._fallback.labels(ranker.fallback).set(1)

    def read_database(self, connection: sa.Connection) -> None:
        """Read the newest measurement of drift."""
        drift = newest_drift(connection)
        if drift is None:
            return
        self._drift.labels("score").set(drift["score"])
        self._drift.labels("features").set(max(drift["features"].values()))
        self._new_codes.set(len(drift["new_codes"]))
        error = drift["calibration_error"]
        self._calibration.set(math.nan if error is None else error)


class FleetMetrics:
    """The fleet issues."""

    def __init__(self, registry: CollectorRegistry) -> None:
        gauge = partial(Gauge, registry=registry)
        self._issues = gauge(
            "pacc_fleet_issues",
            "Fleet issues by state, those that are over aside.",
            ["state"],
        )
        self._issue_vehicles = gauge(
            "pacc_fleet_issue_vehicles", "Vehicles of the largest issue that is not over."
        )
        self._issue_held = gauge("pacc_fleet_issue_held", "Tasks that fleet issues hold back.")

    def read_database(self, connection: sa.Connection) -> None:
        """Count the fleet issues that are not over, and the tasks that they hold back."""
        i, k = t.fleet_issue.c, t.task.c
        query = sa.select(i.state, sa.func.count(), sa.func.max(i.vehicles)).group_by(i.state)
        counts = {row[0]: (row[1], row[2]) for row in connection.execute(query)}
        live = [state for state in IssueState if state is not IssueState.OVER]
        for state in live:
            self._issues.labels(state.value).set(counts.get(state.value, (0, 0))[0])
        self._issue_vehicles.set(max(counts.get(state.value, (0, 0))[1] for state in live))
        held_back = sa.select(sa.func.count()).where(k.issue_id.is_not(None), OPEN)
        self._issue_held.set(connection.execute(held_back).scalar_one())


class Metrics:
    """All metrics of one process; `docs/metrics.md` explains each."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter = partial(Counter, registry=self.registry)
        gauge = partial(Gauge, registry=self.registry)
        self._records = counter("pacc_records", "Records by how they ended.", ["outcome"])
        for outcome in Outcome:
            self._records.labels(outcome.value)
        self._batch = Histogram(
            "pacc_batch_seconds",
            "Seconds from decoding a batch to its commit.",
            buckets=_BATCH_SECONDS,
            registry=self.registry,
        )
        self._lag = gauge(
            "pacc_lag_records",
            "Records from our stored position to the end.",
            ["topic", "partition"],
        )
        self._lagging: set[Partition] = set()
        self._standing = gauge(
            "pacc_standing_still_seconds",
            "How long records have waited without our position moving.",
        )
        self._rebuilt = counter(
            "pacc_consumer_rebuilt", "How often the consumer was made anew because it stood still."
        )
        self._rebuilds_counted = 0
        self._rejected = gauge("pacc_rejected_share", "Unusable share of the last records, 0 to 1.")
        self._oldest = gauge(
            "pacc_oldest_unclaimed_urgent_seconds",
            "Age of the oldest urgent task that nobody has claimed; 0 when there is none.",
        )
        self._unsent = gauge("pacc_outbox_unsent", "Events that wait to leave.")
        self._sent = counter("pacc_outbox_sent", "Events that have left.")
        self._tended = counter("pacc_tended", "What time alone changed.", ["what"])
        self._requests = counter(
            "pacc_http_requests", "Answers of the HTTP API.", ["method", "route", "status"]
        )
        self.canary = CanaryMetrics(self.registry)
        self._door = DoorMetrics(self.registry)
        self.scout = ScoutMetrics(self.registry)
        self.model = ModelMetrics(self.registry)
        self._fleet = FleetMetrics(self.registry)
        self._off_road = OffRoadMetrics(self.registry)

    def observe_batch(
        self, decision: Decision, seconds: float, lag: Mapping[Partition, int], share: float
    ) -> None:
        """Note a committed batch."""
        for ended in decision.ended:
            self._records.labels(ended.outcome.value).inc()
        self._records.labels(Outcome.GAP.value).inc(sum(decision.gaps.values()))
        self._door.observe(decision)
        self._batch.observe(seconds)
        self._rejected.set(share)
        self._set_lag(lag)

    def observe_watchdog(self, reading: WatchdogReading) -> None:
        """Note a reading of the watchdog: its lag is Kafka's own, whatever the consumer says."""
        self._standing.set(reading.standing_seconds)
        self._rebuilt.inc(reading.rebuilt - self._rebuilds_counted)
        self._rebuilds_counted = reading.rebuilt
        if reading.behind is not None:
            self._set_lag(reading.behind.lag)

    def _set_lag(self, lag: Mapping[Partition, int]) -> None:
        """Set the lag of each partition of ours, and remove it of those that are ours no more."""
        for partition in self._lagging - lag.keys():
            self._lag.remove(partition.topic, str(partition.number))
        for partition, records in lag.items():
            self._lag.labels(partition.topic, str(partition.number)).set(records)
        self._lagging = set(lag)

    def observe_tend(self, done: Mapping[str, int], sent: int) -> None:
        """Count what a tick of `pacc tend` did."""
        for what, number in done.items():
            self._tended.labels(what).inc(number)
        self._sent.inc(sent)

    def read_database(self, connection: sa.Connection, at: datetime) -> None:
        """Set the gauges whose values are in the database."""
        c, o = t.task.c, t.outbox.c
        oldest = connection.execute(
            sa.select(sa.func.min(c.opened_at)).where(
                c.priority_rank == PRIORITY_RANK[Priority.URGENT],
                c.desk != CANARY_DESK,
                c.state == TaskState.QUEUED.value,
                OPEN,
                c.held_zh.is_(None),
            )
        ).scalar()
        self._oldest.set(max(0.0, (at - oldest).total_seconds()) if oldest else 0)
        unsent = sa.select(sa.func.count()).select_from(t.outbox).where(o.sent_at.is_(None))
        self._unsent.set(connection.execute(unsent).scalar_one())
        self._fleet.read_database(connection)
        self._off_road.read_database(connection)
        self.model.read_database(connection)

    def observe_answer(self, method: str, route: str, status: int) -> None:
        """Count an answer of the API; `route` is its name, never the path."""
        self._requests.labels(method, route, str(status)).inc()

    def serve(self, host: str, port: int) -> None:
        """Serve the metrics on a port of their own; 0: do not."""
        if port:
            start_http_server(port, host, registry=self.registry)
