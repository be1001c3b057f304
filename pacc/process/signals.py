"""How what runs all day is told to stop."""

import signal
import threading
from collections.abc import Callable

from pacc.process.terminal import say


def stop_on_signal() -> Callable[[], bool]:
    """Finish the batch in hand on SIGTERM and SIGINT; give the question whether to stop."""
    stopped = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        if not stopped.is_set():
            stopped.set()  # first, so that a second signal does not come into the first one's words
            say("pacc: finishing the batch in hand")

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
    return stopped.is_set
