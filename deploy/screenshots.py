"""Takes the screenshots of the documentation from a running demo: `make screenshots`."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.servers.chromium import running_chromium
from tests.servers.processes import free_port
from tests.support.commands import is_ready, waits

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
DESKTOP, PHONE = {"width": 1280, "height": 720}, {"width": 360, "height": 740}
LIVELY_SECONDS = 40


@contextmanager
def demo() -> Iterator[tuple[str, dict[str, str]]]:
    """Run a lively demo; return its address, and log-ins by role."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        words = [
            "demo",
            "--folder",
            f"{folder}/demo",
            "--port",
            str(port),
            "--pace",
            "90",
            "--json",
        ]
        process = subprocess.Popen(
            [sys.executable, "-m", "pacc.cli", *words, "--pace", "90"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PACC_LOG_LEVEL": "error"},
        )
        try:
            url = f"http://127.0.0.1:{port}"
            waits(lambda: is_ready(url))
            time.sleep(LIVELY_SECONDS)
            text = ""
            while process.stdout is not None and "\n}" not in text:
                text += process.stdout.readline()
            yield url, json.loads(text)["logins"]
        finally:
            process.terminate()
            process.wait(timeout=20)


def enters(browser: Browser, url: str, login: str, language: str, size: dict[str, int]) -> Page:
    """Log somebody in and choose a language."""
    name, password = login.split(" / ")
    context = browser.new_context(viewport=size, locale="zh-CN")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{url}/login")
    page.fill("[name=login]", name)
    page.fill("[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda there: "/login" not in there)
    other = page.locator(f"button[name=language][value={language}]")
    if other.count():
        other.click()
    page.locator(f"html[lang={'zh-CN' if language == 'zh' else 'en'}]").wait_for()
    page.wait_for_timeout(1000)
    return page


def main() -> None:
    """Take every main page in both languages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with running_chromium() as browser, demo() as (url, logins):
        for language in ("zh", "en"):
            shot = Shots(language)
            page = enters(browser, url, logins["operator"], language, DESKTOP)
            page.locator(".shift button").first.click()
            page.wait_for_timeout(1500)
            shot.take(page, "queue")
            page.keyboard.press("n")
            page.wait_for_url("**/task/*")
            page.wait_for_timeout(1500)
            shot.take(page, "case")
            page.keyboard.press("c")
            page.wait_for_timeout(500)
            page = enters(browser, url, logins["dealer"], language, PHONE)
            shot.take(page, "customers")
            page = enters(browser, url, logins["supervisor"], language, DESKTOP)
            shot.take(page, "board")
            page.goto(f"{url}/wall")
            page.wait_for_timeout(1500)
            shot.take(page, "wall")


class Shots:
    """Names pictures by language."""

    def __init__(self, language: str) -> None:
        self._language = language

    def take(self, page: Page, name: str) -> None:
        """Keep what is seen now."""
        page.screenshot(path=FOLDER / f"{name}-{self._language}.png")


if __name__ == "__main__":
    main()
