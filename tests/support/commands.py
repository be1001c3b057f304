"""The project's own commands, run as people run them: in processes of their own."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Pacc:
    """The command line in processes of its own, all with the same settings."""

    def __init__(self, **settings: str) -> None:
        self.environment = {**os.environ, **settings}

    def __call__(self, *words: str) -> Any:
        """Run a command to its end; return its JSON."""
        done = subprocess.run(
            [sys.executable, "-m", "pacc.cli", *words, "--json"],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    @contextmanager
    def runs(
        self, *words: str, stdout: int = subprocess.DEVNULL, nice: int = 0
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Keep a command running; a nice one gives way to others."""
        gives_way = ["nice", "-n", str(nice)] if nice else []
        process = subprocess.Popen(
            [*gives_way, sys.executable, "-m", "pacc.cli", *words],
            env=self.environment,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(timeout=20)


def run_pacc(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a person would, in a folder, with no settings but these."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PACC_")}
    return subprocess.run(
        [sys.executable, "-m", "pacc.cli", *words],
        cwd=folder,
        env={**clean, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def waits(condition: Callable[[], bool], seconds: float = 90) -> None:
    """Wait for something to become true."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.05)


def is_ready(url: str) -> bool:
    """Whether the API says that it is ready."""
    try:
        with urllib.request.urlopen(f"{url}/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
