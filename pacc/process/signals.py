"""SIGTERM and SIGINT: a process that runs all day finishes its batch and ends."""

import signal
import threading
from collections.abc import Callable

from pacc.process.terminal import print_stderr


def stop_on_signal() -> Callable[[], bool]:
    """Handle SIGTERM and SIGINT; return a function that says whether one has come."""
    stopped = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        if not stopped.is_set():
            stopped.set()  # first: a second signal must not print into the first one's message
            print_stderr("pacc: finishing the batch in hand")

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
    return stopped.is_set
