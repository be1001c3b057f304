"""A small world for tests: vehicles that report, and a pipeline that listens."""

import inspect
import itertools
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dispatch.access.acting import Acting
from dispatch.data.desks import load_directory
from dispatch.data.master_data import import_desks, read_rows
from dispatch.rules.policy import DispatchPolicy
from dispatch.rules.routing import Directory
from dispatch.tasks import actions
from dispatch.tasks.overdue import tick
from ingest.cluster.fold import parse_causes
from ingest.cluster.vehicle import Grouping
from ingest.store import ledger as ledgers
from models import tables as t
from models.batch import Partition, Record
from models.person import Actor
from models.words import Feed, Role, Step
from pacc.decide.policy import Policy
from pacc.pipeline.limits import Limits
from pacc.pipeline.worker import Worker
from prioritizer.features.flap_windows import load_flap_windows
from prioritizer.ranking.rank import Ranker, load_ranker

START = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
CAR = "LBV8P2C05L7F00001"
OTHER = "LBV8P2C05L7F00002"
BEIJING: dict[str, Any] = {"position": {"lat": 39.9, "lon": 116.4}}
STRANDED: dict[str, Any] = {"severity": "stop", "motion": "moving", **BEIJING}
TAPE = Partition(Feed.TAPE, "pacc.alerts", 0)


@lru_cache
def ranker() -> Ranker:
    """The catalogue and rules that come with the package, loaded once."""
    return load_ranker()


def policy(directory: Directory | None = None) -> Policy:
    """The default policy."""
    causes = files("ingest.cluster").joinpath("causes.yaml").read_text("utf-8")
    grouping = Grouping(
        parse_causes(causes), timedelta(minutes=30), timedelta(days=30), load_flap_windows()
    )
    return Policy(grouping, ranker(), directory or Directory(()))


class Stream:
    """Records one after the other on one partition."""

    def __init__(self, partition: Partition = TAPE) -> None:
        self.records: list[Record] = []
        self._partition = partition

    def says(
        self, vin: str, code: str, minute: float = 0, *, seen: float | None = None, **more: Any
    ) -> "Stream":
        """Add an alert received at a minute; `seen` is the vehicle's own time if it differs."""
        number = len(self.records)
        observed = START + timedelta(minutes=minute if seen is None else seen)
        document = {
            "id": f"alert {number}",
            "source": "test",
            "vin": vin,
            "observed_at": observed.isoformat(),
            "code": code,
            "severity": "limited",
            **more,
        }
        return self.raw(json.dumps(document).encode(), minute, key=vin.encode())

    def raw(self, value: bytes | None, minute: float = 0, key: bytes | None = None) -> "Stream":
        """Add a record with any value."""
        at = START + timedelta(minutes=minute)
        self.records.append(
            Record(self._partition, len(self.records), int(at.timestamp() * 1000), key, value)
        )
        return self


def urgent_and_normal() -> Stream:
    """A car that must stop near Beijing, and one that a dealer there should call about."""
    stream = Stream().says(CAR, "dtc:P0C01", **STRANDED)
    return stream.says(OTHER, "dtc:B1342", **BEIJING)


class Room:
    """A pipeline on a database, and what can be asked of it."""

    def __init__(self, engine: sa.Engine, *, limits: Limits | None = None) -> None:
        self.engine = engine
        with engine.begin() as connection:
            directory = load_directory(connection)
        self.policy = policy(directory)
        self.worker = Worker(engine, self.policy, {}, "test", limits or Limits())

    def plays(self, records: Sequence[Record], cuts: Sequence[int] = ()) -> "Room":
        """Play records from their first offset on, cut into batches at the given places."""
        for partition in sorted({record.partition for record in records}):
            first = next(r.offset for r in records if r.partition == partition)
            self.worker.take(partition, first)
        edges = [0, *sorted(set(cuts)), len(records)]
        for start, end in itertools.pairwise(edges):
            if records[start:end]:
                self.worker.process(records[start:end])
        return self

    def rows(self, table: sa.Table, **where: Any) -> list[dict[str, Any]]:
        """All rows of a table with these values, by primary key."""
        query = sa.select(table).order_by(*table.primary_key.columns)
        for name, value in where.items():
            query = query.where(table.c[name] == value)
        with self.engine.begin() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    @property
    def ledger(self) -> dict[str, Any]:
        """The ledger and whether it reconciles."""
        with self.engine.begin() as connection:
            return ledgers.ledger(connection)

    @property
    def digest(self) -> dict[str, Any]:
        """The digest of what the pipeline decided."""
        with self.engine.begin() as connection:
            return ledgers.digest(connection)

    def outcomes(self) -> dict[str, int]:
        """Outcomes summed over all partitions."""
        total: dict[str, int] = {}
        for topic in self.ledger["topics"]:
            for name, count in topic["outcomes"].items():
                total[name] = total.get(name, 0) + count
        return total


SAMPLE_DESKS = Path(__file__).parents[1] / "pacc" / "sample" / "desks.csv"


class Centre(Room):
    """A room whose desks are staffed: people and time act on its tasks."""

    def __init__(self, engine: sa.Engine) -> None:
        with engine.begin() as connection:
            import_desks(connection, read_rows(SAMPLE_DESKS))
            self.house = DispatchPolicy(load_directory(connection))
        super().__init__(engine)
        self.now = START

    def later(self, **by: float) -> "Centre":
        """Let time pass, and what time does with it."""
        self.now += timedelta(**by)
        self.done = tick(self.engine, self.now, self.house)
        return self

    def act(self, do: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        """Let a person do something, in a transaction of its own."""
        with self.engine.begin() as connection:
            wanted = inspect.signature(do).parameters
            if "acting" in wanted:  # a change: who acts is not an argument of it
                at = next(n for n, value in enumerate(arguments) if isinstance(value, Actor))
                acting = Acting(connection, arguments[at], self.now, self.house)
                return do(acting, *arguments[:at], *arguments[at + 1 :], **more)
            named = {"at": self.now, "house": self.house, **more}
            named = {name: value for name, value in named.items() if name in wanted}
            return do(connection, *arguments, **named)

    def walks(self, task_id: str, actor: Actor, *steps: Step) -> None:
        """Go through steps one after another."""
        for step in steps:
            self.act(actions.step, task_id, actor, what=step, note=None)

    def task(self, **where: Any) -> dict[str, Any]:
        """The only task with these values."""
        (row,) = self.rows(t.task, **where)
        return row

    def entries(self) -> list[str]:
        """The kinds of all timeline entries, in order."""
        ordered = sorted(self.rows(t.entry), key=lambda row: row["at"])
        return [row["kind"] for row in ordered]


def operator(name: str = "Li", desk: str = "rsa-beijing") -> Actor:
    """A roadside assistance operator."""
    return Actor(f"key of {name}", name, Role.OPERATOR, frozenset({desk}))


def advisor(desk: str, name: str = "Wang") -> Actor:
    """A service advisor of a dealer."""
    return Actor(f"key of {name}", name, Role.DEALER, frozenset({desk}))


def supervisor(desk: str | None = None) -> Actor:
    """A supervisor of one desk or of all."""
    return Actor(
        "key of Zhao", "Zhao", Role.SUPERVISOR, None if desk is None else frozenset({desk})
    )


LI, CHEN = operator("Li"), operator("Chen")


def stranded(engine: sa.Engine) -> tuple[Centre, str]:
    """A car that must stop near Beijing, and its task."""
    centre = Centre(engine)
    centre.plays(Stream().says(CAR, "dtc:P0C01", **STRANDED).records)
    return centre, centre.task()["task_id"]


def to_be_called(engine: sa.Engine) -> tuple[Centre, str, Actor]:
    """A car near Beijing that a dealer should call about, its task, and who calls."""
    centre = Centre(engine)
    centre.plays(Stream().says(CAR, "dtc:B1342", **BEIJING).records)
    task = centre.task()
    return centre, task["task_id"], advisor(task["desk"])
