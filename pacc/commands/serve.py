"""`pacc serve`: the API and the console, run all day beside the pipeline."""

from typing import Annotated, Any

import typer
import uvicorn

from models.errors import Unreachable
from pacc.process.logs import set_up_logs
from pacc.process.settings import Settings, load_settings
from pacc.process.terminal import AsJson, print_facts
from pacc.watch.metrics import Metrics
from pacc.wiring.web import make_web_app


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("serve")(serve)


def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen (PACC_HOST).")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="(PACC_PORT)")] = None,
    as_json: AsJson = False,
) -> None:
    """Serve the HTTP API and its documentation."""
    settings = load_settings()
    set_up_logs(settings.log_format, settings.log_level)
    run_server(settings, host or settings.host, settings.port if port is None else port, as_json)


def run_server(settings: Settings, host: str, port: int, as_json: bool = False) -> None:
    """Serve until a signal stops it. Raises `Unreachable` if the address cannot be listened on."""
    metrics = Metrics()
    app = make_web_app(settings, metrics)
    metrics.serve(settings.metrics_host, settings.metrics_port)
    config = uvicorn.Config(
        app, host, port, log_config=None, server_header=False, timeout_graceful_shutdown=5
    )
    server = _Server(config, as_json=as_json)
    server.run()
    if not server.started:
        raise Unreachable(f"Cannot listen on {host}:{port}: is something there already?")


class _Server(uvicorn.Server):
    """Prints where it listens."""

    def __init__(self, config: uvicorn.Config, *, as_json: bool) -> None:
        super().__init__(config)
        self._as_json = as_json

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Listen, then print the address."""
        await super().startup(sockets)
        for server in self.servers if self.started else ():
            host, port, *_ = server.sockets[0].getsockname()
            url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
            print_facts({"url": url, "docs": f"{url}/docs"}, as_json=self._as_json)
