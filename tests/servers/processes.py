"""Starting servers for tests on free ports, and ending only what was started."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class NotToBeHad(Exception):
    """This machine lacks what the server needs; the message says how to get it."""


def free_port() -> int:
    """Give a port on loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str],
    log: Path,
    is_ready: Callable[[], bool],
    *,
    seconds: float,
    env: Mapping[str, str] | None = None,
    ending: int = signal.SIGTERM,
) -> Iterator[subprocess.Popen[Any]]:
    """Run a server in a session of its own until the block ends."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, **(env or {})},
        )
    try:
        _wait(process, is_ready, log, seconds)
        yield process
    finally:
        _end(process, ending)


def _wait(
    process: subprocess.Popen[Any], is_ready: Callable[[], bool], log: Path, seconds: float
) -> None:
    until = time.monotonic() + seconds
    while not is_ready():
        if process.poll() is not None or time.monotonic() > until:
            tail = log.read_text("utf-8", "replace")[-3000:]
            raise RuntimeError(f"{process.args!r} did not come up:\n{tail}")
        time.sleep(0.1)


def _end(process: subprocess.Popen[Any], ending: int) -> None:
    for number in (ending, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            continue
        return
