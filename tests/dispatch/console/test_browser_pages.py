"""The pages in a real browser: no barrier, no script of strangers, enough rows, both languages."""

import re

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from models import tables as t
from tests.support.commands import waits
from tests.support.shift import LIVE, Shift, holds, press, quiet, row, shift

__all__ = ["quiet", "shift"]
pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.browser]


AUDIT = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def test_everybody_reads_their_own_language(shift: Shift) -> None:
    page = shift.enters("li")
    expect(page.locator("h1")).to_have_text("救援队列")
    page.get_by_role("button", name="English").click()
    expect(page.locator("h1")).to_have_text("Roadside queue")
    assert page.evaluate("document.documentElement.lang") == "en"
    page.get_by_role("button", name="中文").click()
    expect(page.locator("h1")).to_have_text("救援队列")


def test_fifteen_rows_fit_on_a_small_screen(shift: Shift) -> None:
    for number in range(16):
        shift.alert(lat=31.2 + number / 1000, lon=121.5)
    page = shift.enters("sun")
    rows = page.locator("tr[data-task]")
    expect(rows).to_have_count(16)
    page.get_by_text("Start shift, test sound", exact=True).click()
    boxes = [rows.nth(number).bounding_box() for number in range(16)]
    assert sum(1 for box in boxes if box and box["y"] + box["height"] <= 720) >= 15


def test_scripts_in_alerts_and_notes_never_run(shift: Shift) -> None:
    nasty = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    vin = shift.alert(model=nasty[:60], text=nasty, software=nasty[:60], signals={nasty: 1.0})
    page = shift.enters("li")
    expect(row(page, vin)).to_have_count(1)
    row(page, vin).locator("a.open").click()
    page.wait_for_url(re.compile("/task/"))
    press(page, "c")
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


class Auditor:
    """WCAG 2.2 A and AA, as far as axe-core can tell."""

    def __init__(self) -> None:
        self._axe = Axe()
        self.barriers: list[str] = []

    def look(self, page: Page, where: str) -> None:
        """Note what stands in anybody's way on a page."""
        options = {"runOnly": {"type": "tag", "values": AUDIT}}
        audit = self._axe.run(page, options=options)
        self.barriers.extend(
            f"{where}: {one['id']}: {one['nodes'][0]['html'][:200]}"
            f" {one['nodes'][0]['failureSummary'][:500]}"
            for one in audit.response["violations"]
        )


def everybody_reads(shift: Shift, language: str) -> None:
    """Let everybody have a language."""
    with shift.engine.begin() as connection:
        connection.execute(sa.update(t.person).values(language=language))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_has_a_barrier(shift: Shift, theme: str, language: str) -> None:
    vin = shift.alert()
    waits(lambda: bool(shift.task(vin)))
    task = f"/task/{shift.task(vin)['task_id']}"
    auditor = Auditor()
    door = shift.visitor(color_scheme=theme).new_page()
    door.goto(f"{shift.url}/login?language={language}")
    auditor.look(door, "/login")
    everybody_reads(shift, language)
    for login, paths in PATHS.items():
        page = shift.enters(login, color_scheme=theme)
        for path in paths:
            page.goto(shift.url + path.replace("/task", task))
            holds(page, LIVE)
            if (login, path) == ("li", "/task"):
                press(page, "c")
                expect(page.locator(".endings")).to_have_count(1)
                press(page, "d")
            auditor.look(page, f"{login} {path}")
        press(page, "?")
        expect(page.locator("#help")).to_be_visible()
        auditor.look(page, f"{login} help")
        if login == "li":
            audit_card(auditor, page, shift.url + task)
        page.context.close()
    everybody_reads(shift, "zh")
    assert not auditor.barriers, "\n".join(auditor.barriers)


def audit_card(auditor: Auditor, page: Page, task: str) -> None:
    """Look at the tow partner's card of a case, and let the case go."""
    press(page, "Escape")
    page.goto(task)
    card = re.compile("拖车交接卡|Card for the tow partner")
    page.get_by_role("button", name=card).click()
    page.wait_for_url(re.compile("/card/"))
    auditor.look(page, "/card")
    page.goto(task)
    press(page, "c")
