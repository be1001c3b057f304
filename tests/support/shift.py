"""A running centre for browser tests: the pipeline behind a real Kafka, the pages, the people."""

import json
import re
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, BrowserContext, Page, expect
from playwright.sync_api import Error as PlaywrightError

from dispatch.access.people import add_person
from ingest.kafka.producer import KafkaSender
from models import tables as t
from models.batch import Message
from models.words import Role
from pacc.process.database import make_engine
from tests.conftest import missing
from tests.servers.chromium import running_chromium
from tests.servers.kafka import new_topic
from tests.servers.postgres import new_database
from tests.servers.processes import NotToBeHad, free_port
from tests.support.commands import Pacc, is_ready, waits
from tests.worlds import SAMPLE_DESKS

# Counts what is really sent to the speakers, and shows a page as hidden when a test says so.
WATCH = """
window.started = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) {
  window.started++;
  return start.apply(this, when);
};
"""


LIVE = "document.body.dataset.heard === 'yes'"
# Milliseconds: two cores that run a Kafka, a database and a browser beside the pages are slow.
expect.set_options(timeout=15_000)


@dataclass
class Shift:
    """A running centre: the topic that cars send to, the pages, the database, the people."""

    url: str
    topic: str
    sender: KafkaSender
    engine: sa.Engine
    browser: Browser
    server: subprocess.Popen[bytes]
    passwords: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    cars: int = 0

    def alert(
        self, code: str = "dtc:P0C01", *, lat: float = 39.9, lon: float = 116.4, **more: Any
    ) -> str:
        """Let a new car report a fault; return its VIN."""
        self.cars += 1
        vin = f"LBV8P2C05L7F8{self.cars:04d}"
        document = {
            "id": uuid.uuid4().hex,
            "source": "test",
            "vin": vin,
            "code": code,
            "observed_at": datetime.now(UTC).isoformat(),
            "severity": "stop",
            "motion": "moving",
            "position": {"lat": lat, "lon": lon, "accuracy_m": 8},
            **more,
        }
        value = json.dumps(document, ensure_ascii=False).encode()
        self.sender.send([Message(self.topic, vin.encode(), value)])
        return vin

    def person(self, login: str, role: str, desk: str | None = None) -> None:
        """Add somebody."""
        desks = [desk] if desk else []
        with self.engine.begin() as connection:
            added = add_person(
                connection, login, Role(role), desks, datetime.now(UTC), name=f"名{login}"
            )
        self.passwords[login] = added["password"]

    def visitor(self, **options: Any) -> BrowserContext:
        """A browser of somebody's own; everything that it complains of is kept."""
        size = {"width": 1280, "height": 720}
        context = self.browser.new_context(**{"viewport": size, "locale": "zh-CN", **options})
        context.add_init_script(WATCH)
        context.set_default_timeout(15_000)

        def note(text: str) -> None:
            self.errors.append(text)

        context.on("console", lambda event: note(event.text) if event.type == "error" else None)
        context.on("weberror", lambda event: note(str(event.error)))
        context.on("dialog", lambda event: note(f"dialog {event.message}"))
        return context

    def enters(self, login: str, **options: Any) -> Page:
        """Log somebody in, by keyboard."""
        page = self.visitor(**options).new_page()
        page.goto(f"{self.url}/login")
        expect(page.locator("[name=login]")).to_be_focused()
        page.keyboard.type(login)
        page.keyboard.press("Tab")
        page.keyboard.type(self.passwords[login])
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/login" not in url)
        holds(page, LIVE)
        return page

    def task(self, vin: str) -> dict[str, Any]:
        """The newest task of a car."""
        k = t.task.c
        query = sa.select(t.task).where(k.vin == vin).order_by(k.opened_at.desc())
        with self.engine.begin() as connection:
            return dict(connection.execute(query).mappings().first() or {})


@pytest.fixture(scope="module")
def shift(postgres_server: str, kafka_address: str) -> Iterator[Shift]:
    """A centre with everything running: the pipeline, the pages, and what time changes."""
    with ExitStack() as stack:
        try:
            browser = stack.enter_context(running_chromium())
        except NotToBeHad as error:
            missing(str(error))
        url = stack.enter_context(new_database(postgres_server))
        topic, port = new_topic(kafka_address, 1), free_port()
        pacc = Pacc(
            PACC_DATABASE_URL=url,
            PACC_KAFKA_BOOTSTRAP_SERVERS=kafka_address,
            PACC_TOPICS=f"{topic}: cloudevents",
            PACC_GROUP_ID=topic,
            PACC_PORT=str(port),
            PACC_RELAY="false",
        )
        pacc("migrate")
        pacc("desk", "import", str(SAMPLE_DESKS))
        sender = KafkaSender(kafka_address)
        stack.callback(sender.close)
        engine = make_engine(url)
        stack.callback(engine.dispose)
        server, *_ = [stack.enter_context(pacc.runs(word)) for word in ("serve", "run", "tend")]
        centre = Shift(f"http://127.0.0.1:{port}", topic, sender, engine, browser, server)
        for login, role, desk in (
            ("li", "operator", "rsa-beijing"),
            ("chen", "operator", "rsa-beijing"),
            ("zhao", "supervisor", None),
            ("eve", "engineer", None),
            ("adm", "administrator", None),
        ):
            centre.person(login, role, desk)
        sun = pacc(
            "person",
            "add",
            "sun",
            "--role",
            "operator",
            "--desk",
            "rsa-shanghai",
            "--language",
            "en",
        )
        centre.passwords["sun"] = sun["password"]
        waits(lambda: is_ready(centre.url))
        first = centre.alert(lat=30.6, lon=104.1)
        waits(lambda: bool(centre.task(first)))
        yield centre


@pytest.fixture(autouse=True)
def quiet(shift: Shift) -> Iterator[None]:
    """No page complains on the console, whatever a test does."""
    shift.errors.clear()
    yield
    expected = r"status of (409|422)|INTERNET_DISCONNECTED|Failed to fetch"
    refused = [one for one in shift.errors if not re.search(expected, one)]
    assert refused == []
    for context in shift.browser.contexts:
        context.close()


def holds(page: Page, condition: str) -> None:
    """Wait until a condition holds in the page."""

    def is_so() -> bool:
        try:
            return bool(page.evaluate(condition))
        except PlaywrightError:
            return False  # a page is being loaded

    waits(is_so, 15)
    page.wait_for_load_state()


def press(page: Page, key: str) -> None:
    """Press a key once the page's scripts are there to hear it."""
    page.wait_for_load_state()
    page.keyboard.press(key)


def row(page: Page, vin: str) -> Any:
    """The row of a car in a list."""
    return page.locator("tr[data-task]", has_text=vin[-6:])
