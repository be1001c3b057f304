"""Starting servers for tests on free ports, and ending only what was started."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


class NotToBeHad(Exception):
    """This machine lacks what the server needs; the message says how to get it."""


def free_port() -> int:
    """Return a port on loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Server:
    """A server in a session of its own, which can be ended and started again where it was."""

    address: str
    command: Sequence[str]
    log: Path
    is_ready: Callable[[], bool]
    seconds: float
    ending: int = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it and wait until it answers. Raises `RuntimeError` with the end of its log."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        until = time.monotonic() + self.seconds
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > until:
                tail = self.log.read_text("utf-8", "replace")[-3000:]
                raise RuntimeError(f"{self.command!r} did not come up:\n{tail}")
            time.sleep(0.1)

    def end(self, number: int | None = None) -> None:
        """End it by a signal, its own way to end unless one is named; by SIGKILL in the end."""
        process = self.process
        if process is None:
            return
        for signal_number in (number or self.ending, signal.SIGKILL):
            if process.poll() is None:
                os.killpg(process.pid, signal_number)
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                continue
            return


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """Run a server until the block ends."""
    try:
        server.start()
        yield server
    finally:
        server.end()
