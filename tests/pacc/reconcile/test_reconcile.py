"""`pacc reconcile`: silent while all is right, and one sentence of its own for each damage."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from msgspec.structs import replace

from dispatch.tasks import actions
from models import tables as t
from models.batch import Extent, Partition
from models.words import Disposition, Feed, Step
from pacc.process.database import make_engine, snapshot
from pacc.reconcile import ledger_pages
from pacc.reconcile.reconcile import Scope, reconcile
from tests.servers.kafka import send
from tests.support.commands import Pacc
from tests.support.damages import DAMAGES, an_alert
from tests.worlds import CAR, OTHER, START, Centre, Room, Stream, operator

KAFKA = Partition(Feed.KAFKA, "pacc.alerts", 0)


SCOPE = Scope(("pacc.alerts",))


LATER = START + timedelta(hours=1)


def lived_in(engine: sa.Engine) -> Centre:
    """A centre with a stream behind it: cases, duplicates, poison, held reports, a case that a
    person ended and one that healed, events that have left."""
    stream = Stream(KAFKA)
    stream.says(CAR, "dtc:P0C01", severity="stop", motion="moving")
    for number in range(5):
        status = "pending" if number < 2 else "active"
        stream.says(CAR, "dtc:P0A80", number).says(OTHER, "dtc:B1342", number, status=status)
    stream.says(CAR, "dtc:P0A80", 6, seen=0, id="alert 1").raw(b"{broken", 6).raw(None, 6)
    stream.says(OTHER, "dtc:P0A80", 7).says(OTHER, "dtc:P0A80", 8, status="cleared")
    stream.says("LBV8P2C05L7F00003", "dtc:P0562", 9)
    for number in range(30):
        stream.says(f"LBV8P2C05L7F1{number:04d}", "dtc:P0A94", 10, severity="stop")
    centre = Centre(engine)
    centre.plays(stream.records, cuts=[3, 9])
    task = centre.rows(t.task, vin="LBV8P2C05L7F10001")[0]
    worker = operator(desk=task["desk"])
    centre.act(actions.claim, task["task_id"], worker)
    centre.walks(task["task_id"], worker, Step.CONTACT)
    centre.act(
        actions.complete, task["task_id"], worker, disposition=Disposition.FIXED_BY_PHONE, note=None
    )
    change(engine, sa.update(t.outbox).values(sent_at=START))
    return centre


def reconcile_database(engine: sa.Engine, at: Any = LATER, **more: Any) -> dict[str, Any]:
    """Reconcile without Kafka."""
    return reconcile(engine, None, Scope(("pacc.alerts",), **more), at)


def findings(engine: sa.Engine, **more: Any) -> dict[str, str]:
    """The findings: word to sentence."""
    report = reconcile_database(engine, **more)
    assert report["reconciled"] is (not report["findings"])
    return {one["what"]: one["sentence"] for one in report["findings"]}


def change(engine: sa.Engine, *statements: sa.Executable) -> None:
    """Do damage."""
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_stream_that_people_have_worked_on_reconciles(engine: sa.Engine) -> None:
    centre = lived_in(engine)
    assert findings(engine) == findings(engine, is_full=True) == {}
    assert {"opened", "joined", "repeated", "held", "duplicate", "quarantined", "cleared"} <= set(
        centre.outcomes()
    )
    assert reconcile_database(engine)["kafka"] == "not looked at"


def test_a_tape_that_is_played_again_is_no_finding(engine: sa.Engine) -> None:
    records = Stream().says(CAR, "dtc:P0A80").says(OTHER, "dtc:P0A80").raw(b"{").records
    room = Room(engine).plays(records)
    for again in (records, records[1:]):
        room.plays(again)
        change(engine, sa.update(t.outbox).values(sent_at=START))
        assert findings(engine) == findings(engine, is_full=True) == {}


a, c, f, k, o, q = (table.c for table in (t.alert, t.case, t.fault, t.task, t.outbox, t.quarantine))


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_is_found_and_said_in_its_own_words(engine: sa.Engine, damage: str) -> None:
    statement, what, said = DAMAGES[damage]
    lived_in(engine)
    change(engine, statement)
    for is_full in (False, True):
        assert said in findings(engine, is_full=is_full).get(what, f"nothing of {what}")


def test_a_second_task_and_a_second_case_are_found_where_no_index_refuses_them(
    engine: sa.Engine,
) -> None:
    centre = lived_in(engine)
    for index, table, key in (
        ("uq_task_open_case_queue", t.task, "task_id"),
        ("uq_case_open_vin", t.case, "case_id"),
    ):
        row = centre.rows(table, vin=CAR)[0]
        change(
            engine, sa.text(f"drop index {index}"), sa.insert(table).values({**row, key: "another"})
        )
    said = findings(engine)
    assert "1 cases have more than one open task in one queue" in said["tasks_beside"]
    assert "1 vehicles have more than one open case" in said["cases_beside"]


def test_no_finding_shows_a_vin(engine: sa.Engine) -> None:
    lived_in(engine)
    change(engine, sa.delete(t.case).where(c.vin == CAR), sa.update(t.fault).values(count=9))
    report = reconcile_database(engine)
    assert len(report["findings"]) > 3
    assert "LBV8P2C05" not in json.dumps(report, default=str)


def test_old_pages_come_in_turn_and_each_comes(engine: sa.Engine) -> None:
    centre = Room(engine)
    stream = Stream(KAFKA)
    for page in range(12):
        stream.says(CAR, "dtc:P0A80", page)
        stream.records[-1] = replace(stream.records[-1], offset=page * t.LEDGER_PAGE)
    centre.plays(stream.records, cuts=range(1, 12))
    change(engine, sa.delete(t.alert).where(a.record_offset == 3 * t.LEDGER_PAGE))
    looks = [reconcile_database(engine, LATER + timedelta(minutes=minute)) for minute in range(3)]
    assert [one["pages"] for one in looks] == [{"looked_at": 6, "of": 12}] * 3
    assert sum("alerts_missing" in str(one["findings"]) for one in looks) == 1
    assert "alerts_missing" in findings(engine, is_full=True)


@pytest.mark.parametrize(
    ("ends", "what", "said"),
    [
        ({KAFKA: Extent(0, 40)}, "beyond_end", "position in pacc.alerts/0 is 47, 7 beyond its end"),
        ({KAFKA: Extent(50, 60)}, "lost_upstream", "3 offsets were deleted before we read them"),
        (
            {KAFKA: Extent(0, 47), Partition(Feed.KAFKA, "pacc.alerts", 1): Extent(2, 9)},
            "never_read",
            "pacc.alerts/1 holds 7 records and no worker has ever taken it",
        ),
        (
            {Partition(Feed.KAFKA, "pacc.alerts", 1): Extent(0, 0)},
            "partition_gone",
            "the topic has no such partition",
        ),
        ({}, "topic_gone", "Kafka has no topic pacc.alerts"),
    ],
)
def test_what_kafka_holds_is_compared_with_the_position(
    engine: sa.Engine, ends: Mapping[Partition, Extent], what: str, said: str
) -> None:
    lived_in(engine)
    asked: list[Iterable[str]] = []

    def ask(topics: Iterable[str]) -> Mapping[Partition, Extent]:
        asked.append(topics)
        return ends

    report = reconcile(engine, ask, SCOPE, LATER)
    assert {one["what"]: one["sentence"] for one in report["findings"]}.keys() == {what}
    assert said in report["findings"][0]["sentence"]
    assert asked == [["pacc.alerts"]]


def test_a_pipeline_that_lags_is_no_finding_and_its_lag_is_shown(engine: sa.Engine) -> None:
    lived_in(engine)
    report = reconcile(engine, lambda _: {KAFKA: Extent(0, 50)}, SCOPE, LATER)
    assert report["reconciled"]
    assert [(one["position"], one["end"], one["lag"]) for one in report["partitions"]] == [
        (47, 50, 3)
    ]


def test_a_look_keeps_no_writer_waiting(engine: sa.Engine) -> None:
    lived_in(engine)
    with snapshot(engine) as connection:
        connection.execute(sa.select(t.position)).all()
        change(engine, sa.update(t.position).values(owner="another"))
        assert connection.execute(sa.select(t.position.c.owner)).scalar_one() == "test"


def test_the_command_says_it_in_words_and_by_its_exit_code(
    kafka_address: str, make_topic: Callable[[int], str], tmp_path: Path
) -> None:
    topic, url = make_topic(1), f"sqlite:///{tmp_path / 'pacc.db'}"
    settings = {
        "PACC_DATABASE_URL": url,
        "PACC_TOPICS": f"{topic}: cloudevents",
        "PACC_KAFKA_BOOTSTRAP_SERVERS": kafka_address,
        "PACC_GROUP_ID": topic,
        "PACC_RELAY": "false",
    }
    pacc = Pacc(**settings)
    pacc("migrate")
    send(kafka_address, topic, Stream().says(CAR, "dtc:P0A80").says(OTHER, "a:1").records)
    pacc("run", "--until-end")
    report = pacc("reconcile")
    assert (report["reconciled"], report["kafka"]) == (True, "compared")
    assert [(one["begin"], one["position"], one["end"]) for one in report["partitions"]] == [
        (0, 2, 2)
    ]
    engine = make_engine(url)
    change(engine, sa.delete(t.alert).where(a.vin == OTHER), sa.delete(t.task).where(k.vin == CAR))
    engine.dispose()
    done = subprocess.run(
        [sys.executable, "-m", "pacc.cli", "reconcile", "--no-kafka"],
        env={**pacc.environment, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "1 of the 2 alerts that the ledger counts as opened" in done.stdout
    assert "1 open cases need a task and have none that is open" in done.stdout
    assert "Kafka not looked at" in done.stderr


def test_what_was_counted_before_there_were_pages_still_reconciles(engine: sa.Engine) -> None:
    lived_in(engine)
    before = Room(engine).ledger
    config = Config()
    config.set_main_option("script_location", "models/migrations")
    for way, revision in ((command.downgrade, "0003"), (command.upgrade, "head")):
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            way(config, revision)
    assert Room(engine).ledger == before
    assert findings(engine, is_full=True) == {}
    change(engine, sa.delete(t.alert).where(a.fingerprint.in_(an_alert("repeated"))))
    assert "alerts_missing" in findings(engine)


def test_the_pages_of_a_look_are_few_however_many_there_are() -> None:
    pages = list(range(10_000))
    assert len(ledger_pages._rotating(pages, LATER)) == ledger_pages.ROTATING
