"""A duty of `pacc tend` on a thread of its own, so that no missed deadline waits for it."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class Aside:
    """Runs one tick of a duty at a time, beside the loop."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, name)
        self._under_way: Future[Counter[str]] | None = None

    def tick(self, duty: Callable[[], Counter[str]]) -> Counter[str]:
        """Return what the last tick changed, and begin the next; nothing while it still runs.

        Raises what the last tick raised.
        """
        last = self._under_way
        if last is not None and not last.done():
            return Counter()
        self._under_way = None
        changes = Counter[str]() if last is None else last.result()
        self._under_way = self._thread.submit(duty)
        return changes

    def wait(self) -> Counter[str]:
        """Wait for the tick under way; return what it changed."""
        last, self._under_way = self._under_way, None
        return Counter() if last is None else last.result()

    def close(self) -> None:
        """Wait for the tick under way and end the thread."""
        self._thread.shutdown()
