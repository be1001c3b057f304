"""The application on a staffed centre, and keys for it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from httpx2 import Response

from dispatch.access.api_auth import WebContext
from dispatch.access.api_keys import create_key
from models.words import Role
from pacc.feeds.http import Intake
from pacc.pipeline.limits import Limits
from pacc.pipeline.worker import Worker
from pacc.process.settings import Settings
from pacc.watch.metrics import Metrics
from pacc.web.app import make_app
from pacc.wiring.web import make_console
from tests.worlds import CAR, START, Centre, policy, urgent_and_normal

OPEN_TO_ALL = {"/health", "/ready", "/docs", "/openapi.json"}


class Web:
    """The application on a staffed centre, and keys for it."""

    def __init__(self, engine: sa.Engine, body_limit: int = 1024 * 1024) -> None:
        self.centre = Centre(engine)
        self.metrics = Metrics()
        office = WebContext(engine, self.centre.house, lambda: self.centre.now)
        worker = Worker(engine, policy(self.centre.house.directory), {}, "web", Limits())
        self.app = make_app(
            office, Intake(worker), self.metrics, body_limit, make_console(Settings())
        )
        self.client = TestClient(self.app, raise_server_exceptions=False)

    def key(self, role: Role, desk: str | None = None, name: str | None = None) -> str:
        """Make a key."""
        with self.centre.engine.begin() as connection:
            return create_key(connection, role, desk, name, START)["key"]

    def asks(
        self, key: str, path: str, body: object = None, *, method: str = "", **headers: str
    ) -> Response:
        """GET, or POST if there is a body; `{}` for an empty one."""
        return self.client.request(
            method or ("GET" if body is None else "POST"),
            path,
            content=None if body is None else json.dumps(body),
            headers={
                "Authorization": f"Bearer {key}",
                "Content-Type": "application/json",
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )


@pytest.fixture
def web(engine: sa.Engine) -> Iterator[Web]:
    """The API, with one urgent case in Beijing and one normal at a dealer."""
    api = Web(engine)
    api.centre.plays(urgent_and_normal().records)
    with api.client:
        yield api


def all_routes(web: Web) -> list[Any]:
    """Every route with its whole path and methods, found in the application itself."""
    whole: list[Any] = []
    for route in web.app.routes:
        contexts = getattr(route, "effective_route_contexts", None)
        whole += list(contexts()) if contexts else [route]
    return whole


def routes(web: Web) -> list[Any]:
    """Every route under /v1."""
    every = all_routes(web)
    assert set(web.app.openapi()["paths"]) <= {route.path for route in every}
    return [route for route in every if route.path.startswith("/v1/")]


def blank(answer: Response, ids: dict[str, str]) -> str:
    """An answer with the asked ids taken out."""
    text = answer.text
    for value in ids.values():
        text = text.replace(value, "…")
    return text


def alert(number: int, **more: object) -> dict[str, object]:
    """A canonical alert."""
    return {
        "id": f"http {number}",
        "source": "test",
        "vin": CAR,
        "code": "dtc:P0A80",
        "observed_at": START.isoformat(),
        "severity": "limited",
        **more,
    }
