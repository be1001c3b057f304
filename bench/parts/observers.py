"""Observers of a storm: of the position, of a queue, of a page. A thread each."""

import re
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

import httpx
import sqlalchemy as sa

from models import tables as t
from models.batch import Message
from models.words import Feed, Queue
from pacc.process.database import make_engine


class Seen(NamedTuple):
    """One sample: when, how many records were decided, and the MB of each process."""

    at: float
    records: int
    memory: dict[str, float]


class Observer:
    """Observes every so often, from `with` to its end."""

    def __init__(self, every_seconds: float) -> None:
        self._every = every_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)

    @property
    def is_alive(self) -> bool:
        """Return whether it still observes."""
        return self._thread.is_alive()

    def observe(self) -> None:
        """Observe once."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        """Start observing."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop observing."""
        self._stopped.set()
        self._thread.join(timeout=30)

    def _go_on(self) -> None:
        while not self._stopped.wait(self._every):
            self.observe()


class Position(Observer):
    """How far the pipeline is in a topic, and how much memory everybody has then."""

    def __init__(self, url: str, topic: str, memory: Callable[[], dict[str, float]]) -> None:
        super().__init__(0.5)
        self._engine = make_engine(url)
        self._topic = topic
        self._memory = memory
        self.now = 0
        self.total = 0
        self.seen: list[Seen] = []

    def observe(self) -> None:
        """Read the position; what was before the first batch is not noted."""
        p = t.position.c
        mine = sa.and_(p.feed == Feed.KAFKA.value, p.topic == self._topic)
        with self._engine.begin() as connection:
            query = sa.select(sa.func.sum(p.next_offset)).where(mine)
            self.now = int(connection.execute(query).scalar() or 0)
        if self.now:
            self.seen.append(Seen(time.perf_counter(), self.now, self._memory()))


class Urgents(Observer):
    """How long urgent cases take from their append until their task is in the roadside queue."""

    def __init__(self, url: str) -> None:
        super().__init__(0.01)
        self._engine = make_engine(url)
        self._sent: dict[str, float] = {}
        self.seconds: list[float] = []

    @property
    def waiting(self) -> int:
        """Return how many have not been seen in the queue."""
        return len(self._sent)

    def sent(self, message: Message) -> None:
        """Note that this one is about to be appended."""
        self._sent[(message.key or b"").decode()] = time.perf_counter()

    def observe(self) -> None:
        """Read which are in the queue now."""
        k = t.task.c
        wanted = list(self._sent)
        if not wanted:
            return
        with self._engine.begin() as connection:
            query = sa.select(k.vin).where(k.vin.in_(wanted), k.queue == Queue.ROADSIDE.value)
            queued = set(connection.execute(query).scalars())
        now = time.perf_counter()
        self.seconds += [now - self._sent.pop(vin) for vin in queued]


class Pages(Observer):
    """How long the queue page of a desk takes, loaded twice a second by one who is logged in."""

    def __init__(self, address: str, login: str, password: str) -> None:
        super().__init__(0.5)
        self._client = httpx.Client(base_url=address, follow_redirects=True, timeout=60)
        self._client.post("/login", data={"login": login, "password": password})
        assert re.search(r'data-csrf="([^"]+)"', self._client.get("/handover").text)
        self.spent: list[float] = []

    def observe(self) -> None:
        """Load the page once."""
        self.spent += self.some(1)

    def some(self, rounds: int) -> list[float]:
        """Load the page so many times; return the milliseconds, sorted."""
        spent = []
        for _ in range(rounds):
            began = time.perf_counter()
            assert self._client.get("/queue/rows").status_code == httpx.codes.OK
            spent.append((time.perf_counter() - began) * 1000)
        return sorted(spent)


def drained_at(seen: list[Seen], total: int) -> float:
    """Return when the last record was decided."""
    return next(one.at for one in seen if one.records >= total)


def rate_between(seen: list[Seen], first: int, end: int) -> float:
    """Return records a second between two counts; between two samples the pipeline moved evenly."""
    return (end - first) / max(0.001, _reached(seen, end) - _reached(seen, first))


def _reached(seen: list[Seen], count: int) -> float:
    before = seen[0]
    for sample in seen:
        if sample.records >= count:
            share = (count - before.records) / max(1, sample.records - before.records)
            return before.at + max(0.0, share) * (sample.at - before.at)
        before = sample
    return seen[-1].at
