"""A warm process that forks children: a start costs a fork and not the imports.

It reads one JSON line for each child that is wanted, and writes one for each that began or ended.
"""

import gc
import importlib
import io
import json
import os
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from pacc import cli
from pacc.wiring import pipeline
from prioritizer.ranking import rank

_LOOK_SECONDS = 0.02


class ForkServer:
    """The driver's end of the warm process. Safe to use from several threads.

    `warm` names modules that are loaded, and their `warm` called, before the first child.
    """

    def __init__(self, warm: Sequence[str] = ()) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.system.fork_server", *warm],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._changed = threading.Condition()
        self._pids: dict[str, int] = {}
        self._ended: dict[int, int] = {}
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def fork(self, name: str, call: str, env: Mapping[str, str], log: str, **arguments: Any) -> int:
        """Start `module:function` with these arguments in a child; return its process id.

        Every child needs a name of its own.
        """
        wanted = {"name": name, "call": call, "env": dict(env), "log": log, "args": arguments}
        with self._changed:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(wanted) + "\n")
            self._process.stdin.flush()
            assert self._changed.wait_for(lambda: name in self._pids, 180), f"{name}: not forked"
            return self._pids.pop(name)

    def status(self, pid: int) -> int | None:
        """Return how a child ended (an exit code, or minus a signal), None while it lives."""
        with self._changed:
            return self._ended.get(pid)

    def wait(self, pid: int, seconds: float = 60) -> int:
        """Wait until a child has ended; return how."""
        with self._changed:
            assert self._changed.wait_for(lambda: pid in self._ended, seconds), "it lives on"
            return self._ended[pid]

    def close(self) -> None:
        """End the warm process, and with it every child that is left."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._listener.join(timeout=20)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            news = json.loads(line)
            with self._changed:
                if "name" in news:
                    self._pids[news["name"]] = news["pid"]
                else:
                    self._ended[news["pid"]] = news["status"]
                self._changed.notify_all()


def main() -> None:
    """Fork whoever is asked for until there is nobody to ask."""
    once = lru_cache(rank.load_ranker)
    once()
    setattr(pipeline, "load_ranker", once)  # noqa: B010 - for every child
    assert cli.app is not None
    for name in sys.argv[1:]:
        importlib.import_module(name).warm()
    gc.freeze()
    living: set[int] = set()
    # without a buffer: a line that has come together with another would not be seen by `select`
    asked = io.FileIO(0, closefd=False)
    while True:
        ready, _, _ = select.select([asked], [], [], _LOOK_SECONDS)
        if ready:
            line = asked.readline()
            if not line:
                break
            wanted = json.loads(line)
            pid = os.fork()
            if pid == 0:
                _live(wanted)
            living.add(pid)
            _tell(name=wanted["name"], pid=pid)
        _reap(living)
    for pid in living:
        os.kill(pid, signal.SIGKILL)


def _reap(living: set[int]) -> None:
    for pid in sorted(living):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            living.discard(pid)
            _tell(pid=pid, status=os.waitstatus_to_exitcode(status))


def _tell(**facts: Any) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def _live(wanted: dict[str, Any]) -> None:
    """Be the child; never come back."""
    code = 1
    try:
        with open(wanted["log"], "ab", buffering=0) as log, open(os.devnull, "rb") as nothing:
            for target in (1, 2):
                os.dup2(log.fileno(), target)
            os.dup2(nothing.fileno(), 0)
        os.environ.update(wanted["env"])
        module, _, function = wanted["call"].partition(":")
        getattr(importlib.import_module(module), function)(**wanted["args"])
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 1
    except BaseException:  # noqa: BLE001 - the child's last words, whatever happened
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
