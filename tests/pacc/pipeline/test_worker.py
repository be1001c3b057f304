"""The worker's three steps: what may go on beside the database, and what waits for it."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from ingest.store import batches
from models import tables as t
from models.batch import Batch, Partition, Record
from models.decision import Decision, Known
from models.errors import Fenced, TooManyRejected
from models.words import Feed
from pacc.decide.decide import in_parts
from pacc.decide.policy import Policy
from pacc.pipeline.limits import Limits
from pacc.pipeline.loop import run
from pacc.pipeline.worker import Worker
from prioritizer.ranking.rules import RuleSet
from tests.soak.crash_points.scenes import ListSource
from tests.support.commands import waits
from tests.worlds import CAR, OTHER, Room, Stream


def two_batches() -> list[Record]:
    """Two records, each a case of its own."""
    return Stream().says(CAR, "dtc:P0A80").says(OTHER, "dtc:B1342", 1).records


@pytest.fixture
def room(engine: sa.Engine) -> Room:
    """A pipeline that has taken the partition of the stream."""
    pipeline = Room(engine)
    pipeline.worker.take(two_batches()[0].partition, 0)
    return pipeline


@contextmanager
def nobody_may_write(engine: sa.Engine, table: sa.Table) -> Iterator[None]:
    """Let everybody who writes into a table wait until the end of the block."""
    with engine.begin() as connection:
        connection.execute(sa.text(f'lock table "{table.name}" in share mode'))
        yield


# SQLite saves in this process: nothing is beside it.
beside = pytest.mark.parametrize(
    "engine", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


@beside
def test_while_the_database_saves_the_next_batch_is_decoded_and_no_more(
    engine: sa.Engine, room: Room
) -> None:
    first, second = two_batches()
    with nobody_may_write(engine, t.outbox):
        saving = room.worker.begin(room.worker.prepare([first]))
        decoded = room.worker.prepare([second])
        assert not saving.committed.done()
        assert set(room.worker.positions().values()) == {0}
        assert room.rows(t.alert) == []
    room.worker.begin(decoded)
    assert saving.committed.done()
    assert set(room.worker.positions().values()) == {1}
    room.worker.settle()
    assert set(room.worker.positions().values()) == {2}
    assert len(room.rows(t.case)) == 2


def test_to_take_a_partition_waits_for_what_is_under_way(room: Room) -> None:
    first, second = two_batches()
    lane = Partition(Feed.LANE, "pacc.alerts", 0)
    room.worker.begin(room.worker.prepare([first]))
    room.worker.take(lane, 0)
    assert room.worker.positions() == {first.partition: 1, lane: 0}
    room.worker.process([second])
    assert sum(room.outcomes().values()) == 2


@beside
def test_a_batch_that_the_database_gave_up_is_as_if_it_had_never_begun(
    engine: sa.Engine, room: Room
) -> None:
    first, second = two_batches()
    with nobody_may_write(engine, t.outbox):
        room.worker.begin(room.worker.prepare([first]))
        waits(lambda: cancelled(engine), 20)
        with pytest.raises(sa.exc.DBAPIError, match="canceling statement"):
            room.worker.settle()
    assert set(room.worker.positions().values()) == {0}
    assert room.rows(t.alert) == []
    room.worker.process([first, second])
    assert sum(room.outcomes().values()) == 2
    assert room.ledger["reconciled"]


def cancelled(engine: sa.Engine) -> bool:
    """Cancel the statement that waits for the lock, if one does by now."""
    waiting = "pid in (select pid from pg_locks where not granted)"
    with engine.begin() as connection:
        answers = connection.execute(
            sa.text(f"select pg_cancel_backend(pid) from pg_stat_activity where {waiting}")
        )
        return bool(answers.scalars().all())


def test_a_batch_that_cannot_be_spelled_leaves_nothing_behind(engine: sa.Engine) -> None:
    good = Room(engine).policy
    unspeakable = RuleSet(good.ranker.rules.rules, cast("str", object()))
    bad = replace(good, ranker=replace(good.ranker, rules=unspeakable))
    turns = iter((bad, good))
    worker = Worker(engine, good, {}, "me", Limits(), refresh=lambda *_: next(turns))
    first, second = two_batches()
    worker.take(first.partition, 0)
    with pytest.raises((TypeError, sa.exc.StatementError)):
        worker.begin(worker.prepare([first]))
    assert Room(engine).rows(t.ledger) == []
    worker.process([first, second])
    assert len(Room(engine).rows(t.case)) == 2


@beside
def test_a_new_database_is_counted_before_its_size_can_mislead(
    engine: sa.Engine, room: Room
) -> None:
    def counted() -> set[str]:
        known = sa.text("select relname from pg_class where relkind = 'r' and reltuples > 0")
        with engine.begin() as connection:
            return set(connection.execute(known).scalars())

    stream = Stream()
    for number in range(1001):
        stream.says(CAR, "dtc:P0A80", number)
    room.worker.process(stream.records[:1000])
    assert not {"vehicle", "alert"} & counted()
    room.worker.process(stream.records[1000:])
    assert {"vehicle", "alert", "case", "fault", "task"} <= counted()


class Notified(ListSource):
    """A list that notes what the pipeline asks and how far it says that it is."""

    def __init__(self, records: Sequence[Record], worker: Worker) -> None:
        super().__init__(records, worker)
        self._length = len(records)
        self.turns: list[str | int] = []

    @property
    def commits(self) -> list[int]:
        """Return the positions that it was notified of, in order."""
        return [one for one in self.turns if isinstance(one, int)]

    def poll(self, limit: int) -> list[Record]:
        """Note it, and give the next records."""
        self.turns.append("poll")
        return super().poll(limit)

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Note it."""
        self.turns += positions.values()

    def lag(self, positions: Mapping[Partition, int]) -> Mapping[Partition, int]:
        """Count what is left."""
        return {one: self._length - at for one, at in positions.items()}


ONE = Limits(batch=1)


def test_each_part_of_a_decision_is_given_to_the_database_before_the_next_is_made(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    save = batches.save

    def parts(batch: Batch, known: Known, policy: Policy) -> Iterator[Decision]:
        for part in in_parts(batch, known, policy, at_least=1):
            done.append("decided")
            yield part

    def saved(*arguments: Any) -> None:
        done.append("given")
        save(*arguments)

    monkeypatch.setattr("pacc.pipeline.worker.in_parts", parts)
    monkeypatch.setattr(batches, "save", saved)
    Room(engine).plays(two_batches())
    assert done == ["decided", "given"] * 3


def test_everybody_is_notified_of_a_batch_once_it_is_committed(engine: sa.Engine) -> None:
    room = Room(engine)
    source = Notified(two_batches(), room.worker)
    seen: list[tuple[int, bool, list[int], int]] = []
    tally = run(
        room.worker,
        lambda: source,
        ONE,
        until_end=True,
        is_stopped=lambda: False,
        observe=lambda decision, seconds, lag, _: seen.append(
            (len(decision.cases), seconds > 0, list(lag.values()), sum(room.outcomes().values()))
        ),
    )
    assert seen == [(1, True, [1], 1), (1, True, [0], 2)]
    assert source.commits == [1, 2]
    assert (tally.records, dict(tally.outcomes)) == (2, {"opened": 2})


def test_the_next_batch_is_polled_early_only_where_more_waits(engine: sa.Engine) -> None:
    room = Room(engine)
    three = Stream().says(CAR, "dtc:P0A80").says(OTHER, "dtc:B1342", 1).says(CAR, "dtc:P0420", 2)
    source = Notified(three.records, room.worker)
    stops = iter((False, False, False, True, True))
    run(
        room.worker,
        lambda: source,
        Limits(batch=2),
        until_end=False,
        is_stopped=lambda: next(stops),
    )
    assert source.turns == ["poll", "poll", 2, 3]


def test_a_worker_that_is_stopped_leaves_nothing_under_way(engine: sa.Engine) -> None:
    room = Room(engine)
    source = Notified(two_batches(), room.worker)
    stops = iter((False, False, True, True))
    tally = run(room.worker, lambda: source, ONE, until_end=False, is_stopped=lambda: next(stops))
    assert tally.records == 1
    assert source.commits == [1]
    assert len(room.rows(t.case)) == 1


def test_who_refuses_a_batch_has_saved_the_one_before(engine: sa.Engine) -> None:
    limits = Limits(batch=1, reject_share=0.4, reject_window=2)
    room = Room(engine, limits=limits)
    records = Stream().says(CAR, "dtc:P0A80").raw(b"{", 1).records
    source = Notified(records, room.worker)
    with pytest.raises(TooManyRejected, match="1 of the last 2"):
        run(room.worker, lambda: source, limits, until_end=True, is_stopped=lambda: False)
    assert sum(room.outcomes().values()) == 1
    assert room.ledger["reconciled"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_database_that_went_back_in_time_is_caught_up_from_the_stream(
    engine: sa.Engine, tmp_path: Path
) -> None:
    source = Partition(Feed.KAFKA, "pacc.alerts", 0)
    stream = Stream(source)
    for number in range(9):
        stream.says((CAR, OTHER)[number % 2], "dtc:P0A80", number)
    records = stream.records
    room, current, old = Room(engine), Path(str(engine.url.database)), tmp_path / "old.db"
    room.worker.take(source, 0)
    room.worker.process(records[:1])
    engine.dispose()
    shutil.copy(current, old)
    room.worker.process(records[1:6])
    announced = {one["event_id"] for one in room.rows(t.outbox)}
    engine.dispose()
    shutil.copy(old, current)  # as after a failover to a standby that was behind
    with pytest.raises(Fenced):
        room.worker.process(records[6:])
    assert len({one["event_id"] for one in room.rows(t.outbox)}) < len(announced)
    assert room.worker.take(source, 0).next_offset == 1
    room.worker.process(records[1:])
    assert announced <= {one["event_id"] for one in room.rows(t.outbox)}
    assert sum(room.outcomes().values()) == 9
    assert room.ledger["reconciled"]
