"""The console in a real browser, on a real PostgreSQL behind a real Kafka: a night shift."""

import json
import re
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from playwright.sync_api import Error as PlaywrightError

from dispatch.people import add_person
from ingest.sender import KafkaSender
from models import tables as t
from models.batch import Message
from models.words import Role
from pacc.database import make_engine
from tests.commands import Pacc, is_ready, waits
from tests.conftest import missing
from tests.servers.chromium import running_chromium
from tests.servers.kafka import new_topic
from tests.servers.postgres import new_database
from tests.servers.processes import NotToBeHad, free_port
from tests.worlds import SAMPLE_DESKS

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.browser]
AUDIT = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
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
HIDE = """() => {
  Object.defineProperty(document, 'hidden', {get: () => true});
  Object.defineProperty(document, 'visibilityState', {get: () => 'hidden'});
  document.dispatchEvent(new Event('visibilitychange'));
}"""


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

    def alert(self, code: str = "dtc:P0C01", *, lat: float = 39.9, lon: float = 116.4,
              **more: Any) -> str:  # fmt: skip
        """Let a new car report a fault; give its VIN."""
        self.cars += 1
        vin = f"LBV8P2C05L7F8{self.cars:04d}"
        document = {
            "id": uuid.uuid4().hex, "source": "test", "vin": vin, "code": code,
            "observed_at": datetime.now(UTC).isoformat(), "severity": "stop", "motion": "moving",
            "position": {"lat": lat, "lon": lon, "accuracy_m": 8}, **more,
        }  # fmt: skip
        value = json.dumps(document, ensure_ascii=False).encode()
        self.sender.send([Message(self.topic, vin.encode(), value)])
        return vin

    def person(self, login: str, role: str, desk: str | None = None) -> None:
        """Add somebody."""
        desks = [desk] if desk else []
        with self.engine.begin() as connection:
            made = add_person(connection, login, Role(role), desks, datetime.now(UTC),
                              name=f"名{login}")  # fmt: skip
        self.passwords[login] = made["password"]

    def visitor(self, **options: Any) -> BrowserContext:
        """A browser of somebody's own; everything that it complains of is kept."""
        size = {"width": 1280, "height": 720}
        context = self.browser.new_context(**{"viewport": size, "locale": "zh-CN", **options})
        context.add_init_script(WATCH)
        context.set_default_timeout(15_000)

        def note(text: str) -> None:
            self.errors.append(text)

        context.on("console", lambda one: note(one.text) if one.type == "error" else None)
        context.on("weberror", lambda one: note(str(one.error)))
        context.on("dialog", lambda one: note(f"dialog {one.message}"))
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
            PACC_DATABASE_URL=url, PACC_KAFKA_BOOTSTRAP_SERVERS=kafka_address,
            PACC_TOPICS=f"{topic}: cloudevents", PACC_GROUP_ID=topic, PACC_PORT=str(port),
            PACC_RELAY="false",
        )  # fmt: skip
        pacc("migrate")
        pacc("desk", "import", str(SAMPLE_DESKS))
        sender = KafkaSender(kafka_address)
        stack.callback(sender.close)
        engine = make_engine(url)
        stack.callback(engine.dispose)
        server, *_ = [stack.enter_context(pacc.runs(word)) for word in ("serve", "run", "tend")]
        made = Shift(f"http://127.0.0.1:{port}", topic, sender, engine, browser, server)
        for login, role, desk in (
            ("li", "operator", "rsa-beijing"), ("chen", "operator", "rsa-beijing"),
            ("zhao", "supervisor", None), ("eve", "engineer", None), ("adm", "administrator", None),
        ):  # fmt: skip
            made.person(login, role, desk)
        sun = pacc("person", "add", "sun", "--role", "operator", "--desk", "rsa-shanghai",
                   "--language", "en")  # fmt: skip
        made.passwords["sun"] = sun["password"]
        waits(lambda: is_ready(made.url))
        first = made.alert(lat=30.6, lon=104.1)
        waits(lambda: bool(made.task(first)))
        yield made


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


def row(page: Page, vin: str) -> Any:
    """The row of a car in a list."""
    return page.locator("tr[data-task]", has_text=vin[-6:])


def test_a_night_shift_by_keyboard_alone_from_a_record_to_a_closed_case(shift: Shift) -> None:
    page = shift.enters("li")
    expect(page.locator("#list")).to_be_visible()
    vin = shift.alert()
    expect(row(page, vin)).to_contain_text("紧急")
    page.keyboard.press("n")
    page.wait_for_url(re.compile("/task/"))
    expect(page.locator(".holder")).to_contain_text("您在处理")
    page.keyboard.press("w")
    page.keyboard.type("在护栏外，等拖车")
    page.keyboard.press("Escape")
    expect(page.locator(".saved")).to_have_text("已保存")
    for state, label in (("contacted", "已联系客户"), ("en_route", "救援在途"),
                         ("on_site", "救援到场"), ("towing", "拖车中")):  # fmt: skip
        page.keyboard.press("s")
        expect(page.locator(".bar")).to_contain_text(label)
        assert shift.task(vin)["state"] == state
        expect(page.locator("textarea[name=note]")).to_have_value("在护栏外，等拖车")
    page.keyboard.press("d")
    expect(page.locator(".endings button").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".timeline")).to_contain_text("已拖走")
    query = sa.select(t.task).where(t.task.c.vin == vin).order_by(t.task.c.opened_at)
    with shift.engine.begin() as connection:
        roadside, dealer = connection.execute(query).mappings().all()
        entries = connection.execute(
            sa.select(t.entry.c.detail).where(t.entry.c.kind == "task_closed",
                                              t.entry.c.case_id == roadside["case_id"])
        ).scalars().all()  # fmt: skip
    assert (roadside["disposition"], dealer["queue"]) == ("towed", "dealer")
    assert entries[0]["note"] == "在护栏外，等拖车"
    page.keyboard.press("q")
    page.wait_for_url(re.compile("/queue"))
    expect(row(page, vin)).to_have_count(0)


def test_a_key_pressed_twice_is_one_step(shift: Shift) -> None:
    page = shift.enters("li")
    vin = shift.alert()
    expect(row(page, vin)).to_have_count(1)
    page.goto(f"{shift.url}/task/{shift.task(vin)['task_id']}")
    page.keyboard.press("c")
    expect(page.locator(".holder")).to_contain_text("您在处理")
    asked: list[str] = []

    def slowly(route: Route) -> None:
        asked.append(route.request.url)
        page.wait_for_timeout(300)
        route.continue_()

    page.route(re.compile("/step/"), slowly)
    page.keyboard.press("s")
    page.keyboard.press("s")
    expect(page.locator(".bar")).to_contain_text("已联系客户")
    page.wait_for_timeout(500)
    assert len(asked) == 1
    expect(page.locator("#notice")).to_have_count(0)


def test_two_browsers_want_one_case_and_one_gets_it(shift: Shift) -> None:
    vin = shift.alert()
    pages = {login: shift.enters(login) for login in ("li", "chen")}
    for page in pages.values():
        expect(row(page, vin)).to_have_count(1)
        page.route(re.compile("/live$"), lambda route: route.abort())
    urls = {login: f"/task/{shift.task(vin)['task_id']}/row/claim" for login in pages}
    ask = """url => fetch(url, {
               method: 'POST', headers: {'X-CSRF-Token': document.body.dataset.csrf}
             }).then(async answer => [answer.status, await answer.text()])"""
    for login, page in pages.items():
        page.evaluate(f"url => {{ window.asked = ({ask})(url); }}", urls[login])
    answers = {login: page.evaluate("window.asked") for login, page in pages.items()}
    assert sorted(status for status, _ in answers.values()) == [200, 409]
    (winner,) = [login for login, (status, _) in answers.items() if status == 200]
    (loser,) = [login for login, (status, _) in answers.items() if status == 409]
    assert f"名{winner}" in answers[loser][1]
    assert shift.task(vin)["holder_name"] == f"名{winner}"


def test_a_lost_claim_shows_who_has_it_in_the_row_itself(shift: Shift) -> None:
    vin = shift.alert()
    mine, theirs = shift.enters("li"), shift.enters("chen")
    expect(row(mine, vin)).to_have_count(1)
    mine.keyboard.press("f")
    row(theirs, vin).locator("button.claim").click()
    expect(row(theirs, vin)).to_contain_text("您")
    row(mine, vin).locator("button.claim").click()
    expect(row(mine, vin)).to_contain_text("名chen 正在处理此案件")


def test_a_frozen_list_stands_still_and_counts_what_is_new(shift: Shift) -> None:
    page = shift.enters("li")
    before = page.locator("tr[data-task]").count()
    page.keyboard.press("f")
    vin = shift.alert()
    expect(page.locator(".banner", has_text="新增或变化")).to_be_visible()
    assert page.locator("tr[data-task]").count() == before
    page.keyboard.press("f")
    expect(row(page, vin)).to_have_count(1)


def test_a_hidden_tab_still_sounds(shift: Shift) -> None:
    page = shift.enters("li")
    expect(page.locator(".banner", has_text="声音未开启")).to_be_visible()
    page.get_by_text("开始上班，测试声音", exact=True).click()
    expect(page.locator(".banner", has_text="声音未开启")).to_be_hidden()
    page.evaluate(HIDE)
    before = page.evaluate("window.started")
    shift.alert()
    holds(page, "document.body.dataset.sounded.endsWith('urgent')")
    assert page.evaluate("window.started") >= before + 3


def test_a_lost_connection_is_said_and_mended(shift: Shift) -> None:
    context = shift.visitor()
    page = context.new_page()
    page.clock.install()
    page.goto(f"{shift.url}/login")
    page.fill("[name=login]", "li")
    page.fill("[name=password]", shift.passwords["li"])
    page.keyboard.press("Enter")
    holds(page, LIVE)
    banner = page.locator(".banner", has_text="连接已断开")
    shift.server.send_signal(signal.SIGSTOP)
    try:
        for _ in range(5):
            page.clock.fast_forward(6_000)
        expect(banner).to_be_visible()
        expect(page.locator("#alarm")).to_have_text("连接已断开")
    finally:
        shift.server.send_signal(signal.SIGCONT)
    page.clock.fast_forward(6_000)
    expect(banner).to_be_hidden()


def test_a_second_tab_stands_still_until_it_is_wanted(shift: Shift) -> None:
    first = shift.enters("li")
    second = first.context.new_page()
    second.goto(f"{shift.url}/queue")
    passive = second.locator(".banner", has_text="另一个标签页")
    expect(passive).to_be_visible()
    passive.locator("button").click()
    expect(passive).to_be_hidden()
    expect(first.locator(".banner", has_text="另一个标签页")).to_be_visible()
    vin = shift.alert()
    expect(row(second, vin)).to_have_count(1)


def test_notes_survive_a_broken_connection_and_a_closed_page(shift: Shift) -> None:
    vin = shift.alert()
    page = shift.enters("li")
    expect(row(page, vin)).to_have_count(1)
    page.goto(f"{shift.url}/task/{shift.task(vin)['task_id']}")
    holds(page, LIVE)
    page.context.set_offline(True)
    page.fill("textarea[name=note]", "车在桥下")
    expect(page.locator(".saved")).to_contain_text("尚未保存")
    page.context.set_offline(False)
    page.reload()
    expect(page.locator("textarea[name=note]")).to_have_value("车在桥下")
    expect(page.locator(".saved")).to_have_text("已保存")
    shift.errors.clear()


def test_keys_are_ignored_while_an_input_method_composes_and_when_switched_off(
    shift: Shift,
) -> None:
    page = shift.enters("li")
    help_ = page.locator("#help")
    page.evaluate(
        "document.dispatchEvent(new KeyboardEvent('keydown', {key: '?', isComposing: true}))"
    )
    expect(help_).to_be_hidden()
    page.keyboard.press("?")
    expect(help_).to_be_visible()
    page.get_by_text("关闭单字母快捷键").click()
    holds(page, "document.body.dataset.shortcuts === 'off'")
    page.keyboard.press("?")
    expect(help_).to_be_hidden()
    page.get_by_title("快捷键").click()
    page.get_by_text("开启单字母快捷键").click()
    holds(page, "document.body.dataset.shortcuts === 'on'")


def test_everybody_reads_their_own_language(shift: Shift) -> None:
    page = shift.enters("li")
    expect(page.locator("h1")).to_have_text("救援队列")
    page.get_by_role("button", name="English").click()
    expect(page.locator("h1")).to_have_text("Roadside queue")
    assert page.evaluate("document.documentElement.lang") == "en"
    page.get_by_role("button", name="中文").click()
    expect(page.locator("h1")).to_have_text("救援队列")


def test_a_dealer_books_on_a_phone(shift: Shift) -> None:
    vin = shift.alert("dtc:B1342", severity="limited")
    waits(lambda: bool(shift.task(vin)))
    shift.person("wang", "dealer", shift.task(vin)["desk"])
    page = shift.enters("wang", viewport={"width": 360, "height": 740}, has_touch=True)
    card = page.locator(f"#card-{shift.task(vin)['task_id']}")
    expect(card).to_contain_text("未同意致电")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    card.get_by_role("button", name="认领并致电").click()
    page.wait_for_url(re.compile("/task/"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("input[name=slot]").first.check()
    page.get_by_label("上门取车").check()
    page.locator(".book button").click()
    expect(page.locator("main")).to_contain_text("预约：")
    assert (shift.task(vin)["state"], shift.task(vin)["is_pick_up"]) == ("booked", True)


def test_fifteen_rows_fit_on_a_small_screen(shift: Shift) -> None:
    for number in range(16):
        shift.alert(lat=31.2 + number / 1000, lon=121.5)
    page = shift.enters("sun")
    rows = page.locator("tr[data-task]")
    expect(rows).to_have_count(16)
    page.get_by_text("Start shift, test sound", exact=True).click()
    boxes = [rows.nth(number).bounding_box() for number in range(16)]
    assert sum(1 for box in boxes if box and box["y"] + box["height"] <= 720) >= 15


def test_a_supervisor_takes_over_and_the_other_sees_it_at_once(shift: Shift) -> None:
    vin = shift.alert()
    li, zhao = shift.enters("li"), shift.enters("zhao")
    expect(row(li, vin)).to_have_count(1)
    task = f"{shift.url}/task/{shift.task(vin)['task_id']}"
    row(li, vin).locator("a.open").click()
    li.wait_for_url(task)
    li.keyboard.press("c")
    expect(li.locator(".holder")).to_contain_text("您在处理")
    li.fill("textarea[name=note]", "说到一半")
    expect(li.locator(".saved")).to_have_text("已保存")
    zhao.goto(task)
    expect(zhao.locator(".holder")).to_contain_text("名li 在处理")
    zhao.get_by_label("接管原因").fill("换班")
    zhao.get_by_role("button", name="接管").click()
    expect(zhao.locator(".holder")).to_contain_text("您在处理")
    expect(li.locator(".holder")).to_contain_text("名zhao 在处理")
    expect(li.locator("main")).to_contain_text("您的备注已保留")
    expect(li.locator("textarea[name=note]")).to_have_value("说到一半")


def test_scripts_in_alerts_and_notes_never_run(shift: Shift) -> None:
    nasty = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    vin = shift.alert(model=nasty[:60], text=nasty, software=nasty[:60], signals={nasty: 1.0})
    page = shift.enters("li")
    expect(row(page, vin)).to_have_count(1)
    row(page, vin).locator("a.open").click()
    page.wait_for_url(re.compile("/task/"))
    page.keyboard.press("c")
    page.fill("textarea[name=note]", nasty)
    expect(page.locator(".saved")).to_have_text("已保存")
    page.reload()
    expect(page.locator("textarea[name=note]")).to_have_value(nasty)
    assert page.locator("img").count() == 0
    page.get_by_role("button", name="释放").click()
    expect(page.locator(".holder")).to_contain_text("无人处理")


PATHS = {
    "zhao": ("/board", "/queue", "/queue?tab=snoozed", "/customers", "/handover", "/wall", "/task"),
    "li": ("/queue", "/queue?tab=mine", "/task", "/handover"),
    "eve": ("/queue", "/task"),
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_has_a_barrier(shift: Shift, theme: str, language: str) -> None:
    """WCAG 2.2 A and AA, as far as axe-core can tell, on every page in both themes."""
    vin = shift.alert()
    waits(lambda: bool(shift.task(vin)))
    task = shift.task(vin)["task_id"]
    axe = Axe()
    options = {"runOnly": {"type": "tag", "values": AUDIT}}
    barriers: list[str] = []

    def audit(page: Page, where: str) -> None:
        found = axe.run(page, options=options)
        barriers.extend(
            f"{where} {theme} {language}: {one['id']}: {one['nodes'][0]['html'][:200]}"
            f" {one['nodes'][0]['failureSummary'][:500]}"
            for one in found.response["violations"]
        )

    door = shift.visitor(color_scheme=theme).new_page()
    door.goto(f"{shift.url}/login?language={language}")
    audit(door, "/login")
    with shift.engine.begin() as connection:
        connection.execute(sa.update(t.person).values(language=language))
    for login, paths in PATHS.items():
        page = shift.enters(login, color_scheme=theme)
        for path in paths:
            page.goto(shift.url + path.replace("/task", f"/task/{task}"))
            holds(page, LIVE)
            if login == "li" and path == "/task":
                page.keyboard.press("c")
                expect(page.locator(".endings")).to_have_count(1)
                page.keyboard.press("d")
            audit(page, f"{login} {path}")
        page.keyboard.press("?")
        expect(page.locator("#help")).to_be_visible()
        audit(page, f"{login} help")
        if login == "li":
            page.keyboard.press("Escape")
            page.goto(f"{shift.url}/task/{task}")
            page.get_by_role(
                "button", name=re.compile("拖车交接卡|Card for the tow partner")
            ).click()
            page.wait_for_url(re.compile("/card/"))
            audit(page, "/card")
            page.goto(f"{shift.url}/task/{task}")
            page.keyboard.press("c")
        page.context.close()
    with shift.engine.begin() as connection:
        connection.execute(sa.update(t.person).values(language="zh"))
    assert not barriers, "\n".join(barriers)
