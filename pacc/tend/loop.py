"""The loop of `pacc tend`: at every tick it does what is due because time has passed."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import sqlalchemy as sa
import structlog

from dispatch.data.outbox_relay import relay
from dispatch.rules.policy import DispatchPolicy
from dispatch.tasks import overdue
from models.errors import Unreachable
from pacc.process.clock import utc_now
from pacc.process.database import reachable
from pacc.process.pace import Pace
from pacc.tend.aside import Aside
from pacc.tend.fleet import FleetWatch
from pacc.tend.quiet import QuietWatch
from pacc.watch.canary import Canary, Sender, clear_forgotten
from pacc.watch.metrics import Metrics

_RETRY_SECONDS: Final = 5
_log = structlog.get_logger(__name__)


class TendLoop:
    """Runs tick after tick; what takes seconds has threads of its own, so that no tick waits."""

    def __init__(
        self,
        engine: sa.Engine,
        load_policy: Callable[[], DispatchPolicy],
        metrics: Metrics,
        quiet: QuietWatch,
        make_sender: Callable[[], Sender] | None,
        canary: Canary | None,
    ) -> None:
        """Without `make_sender` no events are relayed, without `canary` none is sent."""
        self.metrics = metrics
        self._engine = engine
        self._load_policy = load_policy
        self._make_sender = make_sender
        self._sender: Sender | None = None
        self._canary = canary
        self._metrics_pace = Pace()
        self._fleet = FleetWatch()
        self._quiet = quiet
        self._fleet_aside, self._quiet_aside = Aside("fleet"), Aside("quiet")

    def run(self, is_stopped: Callable[[], bool], every: timedelta) -> None:
        """Start the canary and tick until stopped; an outage is logged and tried again."""
        if self._canary is not None:
            self._canary.start()
        pause = threading.Event()
        while not is_stopped():
            try:
                report = self.tick()
            except Unreachable as outage:
                _log.warning("will look again", outage=str(outage))
                pause.wait(_RETRY_SECONDS)
                continue
            if report["changed"] or report["sent"]:
                _log.info("tended", **report)
            pause.wait(every.total_seconds())

    def tick(self, *, wait_for_all: bool = False) -> dict[str, Any]:
        """Do what is due now; return the changes, counted by kind, and how many events were sent.

        Raises `Unreachable` when the database or Kafka does not answer; an outage of Kafka keeps
        nothing else waiting.
        """
        at = utc_now()
        with reachable(self._engine):
            policy = self._load_policy()
            changes = overdue.tick(self._engine, at, policy)
            changes += self._fleet_aside.tick(partial(self._fleet.tick, self._engine, at, policy))
            changes += self._quiet_aside.tick(partial(self._quiet.tick, self._engine, at))
            if wait_for_all:
                changes += self._fleet_aside.wait() + self._quiet_aside.wait()
            sent = 0
            try:
                sent = self._relay()
            finally:
                self._update_metrics(at, changes, sent)
        return {"changed": dict(changes), "sent": sent}

    def close(self) -> None:
        """Stop the canary and close every connection."""
        if self._canary is not None:
            self._canary.stop()
        self._fleet_aside.close()
        self._quiet_aside.close()
        self._close_sender()
        self._engine.dispose()

    def _update_metrics(self, at: datetime, changes: Counter[str], sent: int) -> None:
        """Count what was done and read what waits: above all while events cannot be sent."""
        with self._engine.begin() as connection:
            if cleared := clear_forgotten(connection, at):
                changes["canary_cleared"] = cleared
            if self._metrics_pace.is_due(at):
                with self._metrics_pace.timed(at):
                    self.metrics.read_database(connection, at)
        self.metrics.observe_tend(changes, sent)

    def _relay(self) -> int:
        """Send all unsent events; an outage after the first of them ends the tick's share only."""
        if self._make_sender is None:
            return 0
        total = 0
        try:
            if self._sender is None:
                self._sender = self._make_sender()
            while sent := relay(self._engine, self._sender, utc_now()):
                total += sent
        except Unreachable:
            self._close_sender()
            if not total:
                raise
        return total

    def _close_sender(self) -> None:
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.close()
