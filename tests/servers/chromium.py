"""Finding a Chromium for the browser tests: the machine's own."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.servers.processes import NotToBeHad

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Start a headless Chromium."""
    named = os.environ.get("PACC_TEST_CHROMIUM")
    path = named or next((binary for name in _NAMES if (binary := shutil.which(name))), None)
    if path is None:
        raise NotToBeHad(
            "no Chromium: `apt-get install chromium fonts-noto-cjk`, or PACC_TEST_CHROMIUM"
        )
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()
