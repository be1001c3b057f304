"""The scenes in which a child dies at every crash point: `run`, `relay`, `tend`, and a person.

Every scene goes on from wherever the last child stopped, and reads no clock: whoever died in it and
whoever did not leave the same rows behind.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from msgspec.structs import replace

from dispatch.access.api_auth import WebContext
from dispatch.access.api_keys import create_key
from dispatch.api import reading
from dispatch.data.desks import load_directory
from dispatch.data.master_data import import_desks, read_rows
from dispatch.data.outbox_relay import Sender, relay
from dispatch.rules.policy import DispatchPolicy
from dispatch.tasks.overdue import tick
from ingest.kafka.consumer import KafkaSource
from ingest.kafka.producer import KafkaSender
from ingest.source import Source
from models import tables as t
from models.batch import Message, Partition, Record
from models.migrations import upgrade
from models.words import Feed, Role
from pacc.pipeline.limits import Limits
from pacc.pipeline.loop import run
from pacc.pipeline.worker import Worker
from pacc.process.database import make_engine
from tests.soak.crash_points import points
from tests.soak.system import guards
from tests.worlds import CAR, OTHER, SAMPLE_DESKS, START, Stream, policy

THIRD = "LBV8P2C05L7F00003"
PLACE: Final[dict[str, Any]] = {"position": {"lat": 39.9, "lon": 116.4}}
_LIMITS = Limits(batch=8)
# The people's routes alone, put together once for all children.
WEB = FastAPI()
WEB.include_router(reading.router)


def stream(topic: str) -> list[Record]:
    """Cases that open, are joined, cleared and healed; a duplicate and poison among them."""
    story = Stream(Partition(Feed.KAFKA, topic, 0))
    story.says(CAR, "dtc:P0C01", 0, severity="stop", motion="moving", **PLACE)
    story.says(OTHER, "dtc:B1342", 1, **PLACE).says(CAR, "dtc:P0562", 2, **PLACE)
    story.raw(b"\xff", 3).says(OTHER, "dtc:B1342", 4, status="cleared")
    story.records.append(replace(story.records[0], offset=len(story.records)))
    story.says(THIRD, "dtc:P0A80", 6, **PLACE).raw(b"{", 7)
    story.says(THIRD, "dtc:P0A80", 50, **PLACE).says(CAR, "dtc:P0C01", 51, severity="stop")
    story.says(OTHER, "dtc:B1342", 52, **PLACE)
    return story.records


class ListSource:
    """A source that is a list: for a database without a broker beside it."""

    def __init__(self, records: Sequence[Record], worker: Worker) -> None:
        self._records = records
        self._at = worker.take(records[0].partition, 0).next_offset

    def poll(self, limit: int) -> list[Record]:
        """Return the next records."""
        records = list(self._records[self._at : self._at + limit])
        self._at += len(records)
        return records

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Tell nobody."""

    def is_at_end(self) -> bool:
        """Whether all have been given."""
        return self._at == len(self._records)

    def lag(self, _positions: Mapping[Partition, int]) -> Mapping[Partition, int]:
        """Know nothing of it."""
        return {}

    def close(self) -> None:
        """Have nothing to let go."""


class FileSender:
    """A sender whose broker is a file."""

    def __init__(self, file: Path, reached: points.Reached) -> None:
        self._file = file
        self._reached = reached

    def send(self, messages: Sequence[Message]) -> None:
        """Append them."""
        for message in messages:
            self._reached("before send")
            with self._file.open("ab") as out:
                out.write((message.value or b"") + b"\n")
        self._reached("after send")


def prepare(url: str) -> None:
    """Bring schema, desks and keys, and the cases of the stream that the other scenes work on."""
    engine = make_engine(url)
    upgrade(engine)
    with engine.begin() as connection:
        import_desks(connection, read_rows(SAMPLE_DESKS))
        key = create_key(connection, Role.SUPERVISOR, None, "Li", START)["key"]
        connection.execute(sa.insert(t.audit).values(at=START, actor=key, act="key", detail={}))
    engine.dispose()


def play(url: str, topic: str) -> None:
    """Work the stream through undisturbed, before a scene that is not about that."""
    pipeline(url, topic, "", None, lambda _: None)


def pipeline(url: str, topic: str, _file: str, address: str | None, _r: points.Reached) -> None:
    """The pipeline works a stream through to its end."""
    engine = make_engine(url)
    with engine.begin() as connection:
        directory = load_directory(connection)
    worker = Worker(engine, policy(directory), {}, "worker", _LIMITS)

    def source() -> Source:
        if address is None:
            return ListSource(stream(topic), worker)
        group = f"group {engine.url.database}"
        return KafkaSource(
            address, group, [topic], take=worker.take, poll_ms=100, session_timeout_ms=1000
        )

    run(worker, source, _LIMITS, until_end=True, is_stopped=lambda: False)
    engine.dispose()


def relaying(url: str, _topic: str, file: str, address: str | None, r: points.Reached) -> None:
    """The relay sends everything that waits, a few at a time."""
    engine = make_engine(url)
    sender: Sender = KafkaSender(address) if address else FileSender(Path(file), r)
    while relay(engine, sender, START, limit=4):
        pass
    engine.dispose()


def tending(url: str, _topic: str, _file: str, _a: str | None, _r: points.Reached) -> None:
    """Time goes by: promises are missed, a dealer's customer goes back to the centre."""
    engine = make_engine(url)
    with engine.begin() as connection:
        house = DispatchPolicy(load_directory(connection))
    for hours in (1, 40):
        tick(engine, START + timedelta(hours=hours), house)
    engine.dispose()


def person(url: str, _topic: str, file: str, _a: str | None, _r: points.Reached) -> None:
    """Somebody claims over the API, calls and finishes; `file` keeps what was answered."""
    engine = make_engine(url)
    with engine.begin() as connection:
        WEB.state.office = WebContext(
            engine, DispatchPolicy(load_directory(connection)), lambda: START
        )
        key = connection.execute(sa.select(t.audit.c.actor)).scalar_one()
        task_id = connection.execute(
            sa.select(t.task.c.task_id).where(t.task.c.queue == "roadside", t.task.c.vin == CAR)
        ).scalar_one()
    with closing(TestClient(WEB)) as client:
        for path, body in _SHIFT:
            answer = client.post(
                f"/v1/tasks/{task_id}/{path}",
                json=body,
                headers={"Authorization": f"Bearer {key}", "Idempotency-Key": path},
            )
            with Path(file).open("a", encoding="utf-8") as answers:
                said = [path, answer.status_code, answer.json()]
                answers.write(
                    json.dumps(said, sort_keys=True) + "\n"
                )  # jsonb has an order of its own
    engine.dispose()


_SHIFT: Final[tuple[tuple[str, dict[str, str]], ...]] = (
    ("claim", {}),
    ("contact", {"note": "calm"}),
    ("complete", {"disposition": "drove_to_dealer"}),
)
SCENES = {"run": pipeline, "relay": relaying, "claim": person, "tend": tending}


def act(
    scene: str,
    url: str,
    topic: str,
    file: str,
    address: str | None = None,
    death: int = 0,
    names: str | None = None,
    pages: int = 0,
    guard: str | None = None,
) -> None:
    """Be the child in a scene: die at a point, find the disk full, or write down all `names`.

    With `pages` SQLite's file can grow to so many; then it is as full as a disk can be.
    """
    if guard is not None:
        guards.remove(guard)
    counter = points.Counter()
    reached: points.Reached = points.Death(death) if death else counter
    points.watch(reached)
    if pages:

        def fill(connection: Any, _record: Any) -> None:
            connection.execute(f"pragma max_page_count = {pages}")

        sa.event.listen(sa.pool.Pool, "connect", fill)
    SCENES[scene](url, topic, file, address, reached)
    if names is not None:
        Path(names).write_text("\n".join(counter.names), "utf-8")


def warm() -> None:
    """Play every scene once, so that what is loaded or compiled at a first time is so in a fork."""
    with TemporaryDirectory(prefix="pacc-warm-") as name:
        url = f"sqlite:///{name}/warm.db"
        prepare(url)
        for number, scene in enumerate(SCENES.values()):
            scene(url, "pacc.alerts", f"{name}/{number}", None, lambda _: None)
