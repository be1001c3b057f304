"""What runs all day beside the pipeline: the API, and what time changes."""

import threading
from typing import Annotated, Any

import structlog
import typer
import uvicorn

from dispatch.clockwork import tick
from dispatch.relay import Sender, relay
from models.errors import Unreachable
from pacc import wiring
from pacc.commands.stream import stop_on_signal
from pacc.database import make_engine, reachable, require_schema
from pacc.logs import set_up_logs
from pacc.metrics import Metrics
from pacc.settings import Settings, load_settings
from pacc.terminal import AsJson, give

_log = structlog.get_logger(__name__)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("serve")(serve)
    app.command("tend")(tend)


def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen (PACC_HOST).")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="(PACC_PORT)")] = None,
    as_json: AsJson = False,
) -> None:
    """Serve the HTTP API and its documentation."""
    settings = load_settings()
    set_up_logs(settings.log_format, settings.log_level)
    listen(settings, host or settings.host, settings.port if port is None else port, as_json)


def listen(settings: Settings, host: str, port: int, as_json: bool = False) -> None:
    """Serve until told to stop; say where, once it is so."""
    metrics = Metrics()
    app = wiring.make_web(settings, metrics)
    metrics.serve(settings.metrics_host, settings.metrics_port)
    config = uvicorn.Config(
        app, host, port, log_config=None, server_header=False, timeout_graceful_shutdown=5
    )
    server = _Server(config, as_json=as_json)
    server.run()
    if not server.started:
        raise Unreachable(f"Cannot listen on {host}:{port}: is something there already?")


class _Server(uvicorn.Server):
    """Says where it listens."""

    def __init__(self, config: uvicorn.Config, *, as_json: bool) -> None:
        super().__init__(config)
        self._as_json = as_json

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Begin to listen, then say where."""
        await super().startup(sockets)
        for one in self.servers if self.started else ():
            host, port, *_ = one.sockets[0].getsockname()
            url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
            give({"url": url, "docs": f"{url}/docs"}, as_json=self._as_json)


def tend(
    once: Annotated[bool, typer.Option(help="Look once and end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Do what time changes: expired claims, missed deadlines, ended silences, events that leave."""
    settings = load_settings()
    set_up_logs(settings.log_format, settings.log_level)
    keeper = Keeper(settings)
    if once:
        give(keeper.look(), as_json=as_json)
        keeper.close()
        return
    keeper.metrics.serve(settings.metrics_host, settings.metrics_port)
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
        self._engine = make_engine(settings.database_url)
        require_schema(self._engine)
        self._sender: Sender | None = None
        self.metrics = Metrics()

    def look(self) -> dict[str, Any]:
        """Do what is due now; say what was done. An outage of Kafka keeps nothing else waiting."""
        at = wiring.utc_now()
        with reachable(self._engine):
            done = tick(self._engine, at, wiring.make_house(self._settings, self._engine))
            sent = self._relay() if self._settings.relay else 0
            with self._engine.begin() as connection:
                self.metrics.look(connection, at)
        self.metrics.tended(done, sent)
        return {"changed": dict(done), "sent": sent}

    def close(self) -> None:
        """Let the connections go."""
        self._forget_sender()
        self._engine.dispose()

    def _relay(self) -> int:
        total = 0
        try:
            if self._sender is None:
                self._sender = wiring.make_sender(self._settings)
            while sent := relay(self._engine, self._sender, wiring.utc_now()):
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
