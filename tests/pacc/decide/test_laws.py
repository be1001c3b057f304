"""The laws of the pipeline, each as a test that fails when its guard is removed."""

from collections.abc import Sequence
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ingest.formats.decode import decode
from models import tables as t
from models.batch import Batch, Partition, Record, Span
from models.case import Silence, Standing, Vehicle
from models.decision import Decision, Known, joined
from models.errors import Fenced, TooManyRejected
from models.words import Feed, Priority
from pacc.decide.decide import PARTS_AT_MOST, decide, in_parts
from pacc.pipeline.limits import Limits
from pacc.process.database import make_engine
from prioritizer.ranking.rank import rank
from tests.worlds import CAR, OTHER, START, TAPE, Centre, Room, Stream, policy, ranker

CODES = ("dtc:P0562", "dtc:U0100", "dtc:P0A80", "dtc:B1342", "ccm:164", "dtc:P0A94", "new:1")
reports = st.fixed_dictionaries(
    {
        "vin": st.sampled_from([CAR, OTHER]),
        "code": st.sampled_from(CODES),
        "severity": st.sampled_from(["info", "service", "limited", "stop", "unknown", "strange"]),
        "status": st.sampled_from(["active", "pending", "cleared", "cleared", "lamp_only"]),
        "motion": st.sampled_from(["parked", "moving", "unknown"]),
        # minutes; the longer ones heal a case, and return within a flap window or after it
        "ahead": st.integers(0, 25) | st.sampled_from([31, 70, 300, 1500]),
        "late": st.integers(0, 40) | st.sampled_from([200]),
        "twin": st.booleans(),
        "place": st.sampled_from([(39.9, 116.4), (39.95, 116.3), (31.2, 121.5), None]),
        "is_poison": st.sampled_from([False] * 9 + [True]),
    }
)


def stream_of(drawn: Sequence[dict[str, Any]]) -> list[Record]:
    """Make a stream with duplicates, disorder, late and cleared alerts, and poison."""
    stream, minute = Stream(), 0.0
    for report in drawn:
        minute += float(str(report["ahead"]))
        fields = {name: report[name] for name in ("severity", "status", "motion")}
        if report["place"]:
            fields["position"] = dict(zip(("lat", "lon"), report["place"], strict=True))
        seen = minute - float(str(report["late"]))
        if report["is_poison"]:
            stream.raw(b"\xff", minute)
        else:
            stream.says(str(report["vin"]), str(report["code"]), minute, seen=seen, **fields)
        if report["twin"]:
            again = stream.records[-1]
            stream.records.append(replace(again, offset=len(stream.records)))
    return stream.records


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=st.lists(reports, min_size=1, max_size=25), data=st.data())
def test_law_3_batches_never_show_and_a_second_play_changes_nothing(
    drawn: list[dict[str, Any]],
    data: st.DataObject,
    migrated_sqlite: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    records = stream_of(drawn)
    cuts = data.draw(st.lists(st.integers(1, max(1, len(records) - 1)), max_size=8))
    folder = tmp_path_factory.mktemp("law3")
    digests = []
    decided: list[dict[str, Any]] = []
    for name, at in (("whole", []), ("cut", cuts), ("single", range(1, len(records)))):
        engine = make_engine(f"sqlite:///{copyfile(migrated_sqlite, folder / name)}")
        room = Centre(engine).plays(records, cuts=list(at))
        digests.append(room.digest)
        before = {
            table.name: room.rows(table) for table in (t.alert, t.case, t.fault, t.task, t.entry)
        }
        decided.append(
            {name: [{**row, "version": 0} for row in rows] for name, rows in before.items()}
        )
        room.plays(records)
        assert room.digest == digests[-1]
        assert before == {
            table.name: room.rows(table) for table in (t.alert, t.case, t.fault, t.task, t.entry)
        }
        assert room.ledger["reconciled"]
        engine.dispose()
    assert digests[0] == digests[1] == digests[2]
    assert decided[0] == decided[1] == decided[2]


def test_law_1_every_record_and_every_gap_ends_in_one_outcome(engine: sa.Engine) -> None:
    stream = Stream().says(CAR, "dtc:P0A80").raw(None).raw(b"[").says(CAR, "dtc:P0A80", 1)
    records = [*stream.records[:2], *(replace(r, offset=r.offset + 5) for r in stream.records[2:])]
    room = Room(engine).plays(records, cuts=[1, 3])
    assert room.ledger["reconciled"]
    assert room.outcomes() == {"opened": 1, "quarantined": 2, "repeated": 1, "gap": 5}


def test_law_1_a_missing_count_is_found(engine: sa.Engine) -> None:
    room = Room(engine).plays(Stream().says(CAR, "dtc:P0A80").records)
    with engine.begin() as connection:
        connection.execute(sa.update(t.ledger).values(records=2))
    assert not room.ledger["reconciled"]


def test_law_2_a_worker_that_lost_its_partition_cannot_write(engine: sa.Engine) -> None:
    stream = Stream().says(CAR, "dtc:P0A80").says(OTHER, "dtc:P0A80", 1)
    zombie, heir = Room(engine), Room(engine)
    zombie.worker.take(TAPE, 0)
    heir.plays(stream.records[:1])
    with pytest.raises(Fenced):
        zombie.worker.process(stream.records[:1])
    assert [row["vin"] for row in heir.rows(t.case)] == [CAR]
    assert heir.outcomes() == {"opened": 1}


@pytest.mark.parametrize(("offset", "epoch"), [(1, 1), (0, 2)])
def test_law_2_position_and_epoch_each_fence_alone(
    engine: sa.Engine, offset: int, epoch: int
) -> None:
    room = Room(engine)
    room.worker.take(TAPE, 0)
    with engine.begin() as connection:
        connection.execute(sa.update(t.position).values(next_offset=offset, epoch=epoch))
    with pytest.raises(Fenced):
        room.worker.process(Stream().says(CAR, "dtc:P0A80").records)
    assert room.rows(t.alert) == []


def test_law_2_a_batch_that_fails_late_leaves_nothing(engine: sa.Engine) -> None:
    stream = Stream().says(CAR, "dtc:P0A80")
    room = Room(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("drop table outbox"))
    with pytest.raises(sa.exc.DBAPIError):
        room.plays(stream.records)
    assert room.rows(t.case) == room.rows(t.alert) == room.rows(t.ledger) == []
    assert room.rows(t.position)[0]["next_offset"] == 0


standings = st.lists(reports, min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(drawn=standings)
def test_law_4_a_row_does_not_depend_on_its_neighbours(drawn: list[dict[str, Any]]) -> None:
    rows = rows_of(drawn)
    together = rank(rows, ranker())
    for place, row in enumerate(rows):
        alone = rank([row], ranker())
        assert alone.priority[0] == together.priority[place]
        assert alone.explain(0) == together.explain(place)


@settings(max_examples=60, deadline=None)
@given(drawn=standings, at_least=st.integers(1, 3))
def test_law_4_a_decision_does_not_depend_on_the_size_of_its_parts(
    drawn: list[dict[str, Any]], at_least: int
) -> None:
    parts = list(in_parts(*asked_of(stream_of(drawn)), policy(), at_least))
    assert joined(parts) == decide_all(stream_of(drawn))
    assert len(parts) <= 1 + PARTS_AT_MOST


def rows_of(drawn: list[dict[str, Any]]) -> list[Standing]:
    """Rows as the pipeline makes them: one after each alert that touches a case."""
    decided = decide_all(stream_of(drawn))
    return [
        Standing(START, (fault,), Vehicle(CAR).info, fault.readings)
        for _, _, fault in decided.faults
    ]


def decide_all(records: Sequence[Record], silences: tuple[Silence, ...] = ()) -> Decision:
    """Decide a whole stream at once, without a database."""
    return decide(*asked_of(records, silences), policy())


def asked_of(records: Sequence[Record], silences: tuple[Silence, ...] = ()) -> tuple[Batch, Known]:
    """Make one batch of a whole stream, with nothing known but who is silenced."""
    batch = Batch(decode(records, {}), {TAPE: Span(0, len(records))})
    known = {vin: Vehicle(vin, silences=silences) for vin in (CAR, OTHER)}
    return batch, Known({}, known, {})


@settings(max_examples=100, deadline=None)
@given(before=st.lists(reports, max_size=6), motion=st.sampled_from(["moving", "unknown"]))
def test_law_5_a_stop_fault_in_motion_is_urgent_whatever_came_before(
    before: list[dict[str, Any]], motion: str
) -> None:
    stream = Stream()
    stream.records = stream_of([{**one, "status": "active"} for one in before])
    minute = 26.0 * (len(before) + 1)
    stream.says(CAR, "dtc:P0C01", minute, severity="stop", motion=motion)
    stream.says(CAR, "dtc:P0C01", minute + 1, severity="service", motion="parked")
    silence = Silence("silence", START, None, "test drive")
    decided = decide_all(stream.records, (silence,))
    (case,) = (one for one in decided.cases if one.vin == CAR)
    assert case.ranking.priority is Priority.URGENT
    tasks = [task for vin, task in decided.tasks if vin == CAR and task.closed_at is None]
    assert [task.held_because for task in tasks] == [None]


def test_law_5_a_parked_report_of_the_same_code_does_not_end_the_motion(
    engine: sa.Engine,
) -> None:
    """The fault remembers that it was a stop in motion, so a case ranked anew is urgent again."""
    stream = Stream().says(CAR, "dtc:P0C01", severity="stop", motion="moving")
    stream.says(CAR, "dtc:P0C01", 1, severity="stop", motion="parked")
    room = Room(engine).plays(stream.records)
    (fault,) = room.rows(t.fault)
    assert (fault["motion"], fault["stop_in_motion"]) == ("parked", True)
    assert "stop-in-motion" in str(room.rows(t.case)[0]["rules"])


def test_law_9_a_poison_record_does_not_stop_the_partition(engine: sa.Engine) -> None:
    stream = Stream()
    for number in range(50):
        stream.raw(b"\x00\xff", number / 10)
        for again in range(9):
            stream.says(CAR, "dtc:P0A80", number / 10, id=f"{number} {again}")
    room = Room(engine).plays(stream.records, cuts=[100, 300])
    assert room.outcomes()["quarantined"] == 50
    records = room.rows(t.quarantine)
    assert {bytes(row["value"]) for row in records} == {b"\x00\xff"}
    assert {row["reason"] for row in records} == {"not_utf8"}


def test_law_9_a_topic_of_poison_stops_the_worker_before_it_fills_the_quarantine(
    engine: sa.Engine,
) -> None:
    stream = Stream()
    for _ in range(100):
        stream.raw(b"{")
    room = Room(engine, limits=Limits(reject_window=100))
    with pytest.raises(TooManyRejected):
        room.plays(stream.records)
    assert room.rows(t.quarantine) == []


def test_law_10_a_batch_costs_at_most_a_fixed_number_of_statements_whatever_its_size(
    engine: sa.Engine,
) -> None:
    def costs(vehicles: int, first: int, shared: str | None = None) -> int:
        stream = Stream(Partition(Feed.TAPE, f"from {first}", 0))
        for number in range(vehicles):
            vin = f"LBV8P2C05L7F{first + number:05d}"
            stream.says(vin, "dtc:P0A80", id=shared or vin)
            stream.says(vin, "dtc:B1342", id=f"other {vin}")
        stream.raw(b"{")
        room = Room(engine)
        room.worker.take(stream.records[0].partition, 0)
        count = 0

        def note(*_: object) -> None:
            nonlocal count
            count += 1

        sa.event.listen(engine, "before_cursor_execute", note)
        room.worker.process(stream.records)
        sa.event.remove(engine, "before_cursor_execute", note)
        return count

    few, one_part, many, more = (
        costs(*of) for of in ((1, 0), (240, 10), (800, 1000), (1600, 3000))
    )
    assert few == one_part < 25
    # cases, faults, tasks, entries and events: once for each part, of which a large batch has more
    assert many == more == few + 5 * (PARTS_AT_MOST - 1)
    assert costs(1, 6000, "one for all") == few
    assert costs(1, 6001, "one for all") == costs(240, 7000, "one for all") == few + 1


def test_law_1_an_id_that_alerts_share_loses_none_of_them(engine: sa.Engine) -> None:
    """A sender counts for each vehicle by itself, keeps an alarm's id, and began anew."""
    stream = Stream()
    for vin, code in ((CAR, "dtc:P0A80"), (OTHER, "dtc:P0C01"), (CAR, "dtc:P0562")) * 2:
        stream.says(vin, code, len(stream.records), id="1", source="box")
    room = Room(engine).plays(stream.records, cuts=[1, 4])
    assert room.outcomes() == {"opened": 2, "joined": 1, "repeated": 3}
    assert len({one["fingerprint"] for one in room.rows(t.alert)}) == 6
    before = room.digest
    assert room.plays(stream.records).digest == before
    assert room.outcomes() == {"opened": 2, "joined": 1, "repeated": 3, "duplicate": 6}
    assert room.ledger["reconciled"]
