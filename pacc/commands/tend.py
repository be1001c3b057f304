"""What time changes, looked after all day beside the pipeline."""

import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Annotated, Any

import structlog
import typer

from dispatch.data.outbox_relay import Sender, relay
from dispatch.rules.policy import DispatchPolicy
from dispatch.tasks.overdue import tick
from models.errors import Unreachable
from pacc.process.clock import utc_now
from pacc.process.database import FROZEN_SECONDS, open_engine, reachable
from pacc.process.logs import set_up_logs
from pacc.process.pace import Pace
from pacc.process.settings import Settings, load_settings
from pacc.process.signals import stop_on_signal
from pacc.process.terminal import AsJson, give
from pacc.tend.fleet import FleetWatch
from pacc.watch.canary import sweep
from pacc.watch.metrics import Metrics
from pacc.wiring import pipeline
from pacc.wiring.kafka import make_canary, make_sender

_log = structlog.get_logger(__name__)


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("tend")(tend)


def tend(
    once: Annotated[bool, typer.Option(help="Look once and end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Do what time changes: expired claims, missed deadlines, ended silences, events that leave."""
    settings = load_settings()
    set_up_logs(settings.log_format, settings.log_level)
    keeper = Keeper(settings)
    if once:
        give(keeper.look(is_once=True), as_json=as_json)
        keeper.close()
        return
    keeper.metrics.serve(settings.metrics_host, settings.metrics_port)
    keeper.start()
    is_stopped = stop_on_signal()
    pause = threading.Event()
    while not is_stopped():
        try:
            done = keeper.look()
        except Unreachable as outage:
            _log.warning("will look again", outage=str(outage))
            pause.wait(5)
            continue
        if done["changed"] or done["sent"]:
            _log.info("tended", **done)
        pause.wait(settings.tend_every.total_seconds())
    keeper.close()


class Keeper:
    """One look after the other at what time has changed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engine = open_engine(settings.database_url, idle_seconds=FROZEN_SECONDS)
        self._sender: Sender | None = None
        self.metrics = Metrics()
        self._pace = Pace()
        self._fleet = FleetWatch()
        self._beside = ThreadPoolExecutor(1, "fleet")
        self._turn: Future[Counter[str]] | None = None
        self._canary = make_canary(settings, self._engine, self.metrics.canary.flown)

    def start(self) -> None:
        """Begin what goes on beside the looks."""
        if self._canary is not None:
            self._canary.start()

    def look(self, *, is_once: bool = False) -> dict[str, Any]:
        """Do what is due now; say what was done. An outage of Kafka keeps nothing else waiting."""
        at = utc_now()
        with reachable(self._engine):
            house = pipeline.make_house(self._settings, self._engine)
            done = tick(self._engine, at, house)
            done += self._turned(at, house)
            if is_once and self._turn is not None:
                done += self._turn.result()
            sent = 0
            try:
                sent = self._relay() if self._settings.relay else 0
            finally:
                self._note(at, done, sent)
        return {"changed": dict(done), "sent": sent}

    def close(self) -> None:
        """Let the connections go."""
        if self._canary is not None:
            self._canary.stop()
        self._beside.shutdown()
        self._forget_sender()
        self._engine.dispose()

    def _note(self, at: datetime, done: Counter[str], sent: int) -> None:
        """Tell the metrics what was done and what waits: above all while events cannot leave."""
        with self._engine.begin() as connection:
            if swept := sweep(connection, at):
                done["canary_cleared"] = swept
            if self._pace.is_due(at):
                with self._pace.look(at):
                    self.metrics.look(connection, at)
        self.metrics.tended(done, sent)

    def _turned(self, at: datetime, house: DispatchPolicy) -> Counter[str]:
        """Give what the last turn at fleet-wide matters did, and begin the next beside the looks.

        Counting a flood takes seconds: no missed deadline waits for it.
        """
        before, done = self._turn, Counter[str]()
        if before is not None:
            if not before.done():
                return done
            self._turn = None
            done = before.result()
        self._turn = self._beside.submit(self._fleet.turn, self._engine, at, house)
        return done

    def _relay(self) -> int:
        total = 0
        try:
            if self._sender is None:
                self._sender = make_sender(self._settings)
            while sent := relay(self._engine, self._sender, utc_now()):
                total += sent
        except Unreachable:
            self._forget_sender()
            if not total:
                raise
        return total

    def _forget_sender(self) -> None:
        close = getattr(self._sender, "close", None)
        self._sender = None
        if close is not None:
            close()
