"""The main job as a whole: real payloads and 20,000 alerts through a real Kafka, with a SIGKILL."""

import json
import signal
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingest.kafka import KafkaSource, record_range
from ingest.sender import KafkaSender
from models import tables as t
from models.batch import Message, Record
from models.migrations import upgrade
from pacc.database import make_engine
from pacc.pipeline import Limits, Worker, run
from pacc.simulation.stream import Simulation, Trouble
from tests.commands import Pacc, is_ready, waits
from tests.servers.processes import free_port
from tests.worlds import SAMPLE_DESKS, Room

ALERTS = 20_000
TROUBLE = Trouble(duplicates=0.05, late=0.02, broken=0.01)
MakeTopic = Callable[[int], str]


def real_payloads(folder: Path, topic: str) -> list[Message]:
    """Every BMW document, each from a vehicle of its own, polled twice; the key is the VIN."""
    documents = [file.read_bytes() for file in sorted((folder / "bmw_states").glob("*/*.json"))]
    lines = (folder / "bmw_states" / "observed_ccm.jsonl").read_text("utf-8").splitlines()
    messages = {"state": {"checkControlMessages": [json.loads(line) for line in lines]}}
    documents.append(json.dumps(messages).encode())
    at = 1_768_406_400_000
    return [
        Message(topic, f"WBA0000000000{number:04d}".encode(), document, (), at + number * 1000)
        for _ in range(2)
        for number, document in enumerate(documents)
    ]


def day(topic: str) -> list[Message]:
    """20,000 alerts of an invented fleet."""
    records = Simulation(topic, 9000, 24, 11, TROUBLE).records()
    assert len(records) > ALERTS
    return [Message(topic, r.key, r.value, r.headers, r.timestamp) for r in records[:ALERTS]]


def pages(url: str, key: str, path: str) -> list[dict[str, Any]]:
    """Read all pages of a list."""
    items: list[dict[str, Any]] = []
    after = ""
    while True:
        asked = urllib.request.Request(
            f"{url}{path}?limit=500{after}", headers={"Authorization": f"Bearer {key}"}
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:
            page = json.load(answer)
        items += page["items"]
        if page["next"] is None:
            return items
        after = f"&after={page['next']}"


def undisturbed(
    address: str, topics: dict[str, str], folder: Path, masters: Callable[[str], None]
) -> Room:
    """Work through the same topics in one go, on a database of another kind."""
    url = f"sqlite:///{folder / 'calm.db'}"
    engine = make_engine(url)
    upgrade(engine)
    masters(url)
    room = Room(engine)
    worker = Worker(engine, room.policy, topics, "calm", Limits())
    run(
        worker,
        lambda: KafkaSource(address, f"calm {topics}", sorted(topics), take=worker.take),
        Limits(),
        until_end=True,
        is_stopped=lambda: False,
    )
    return room


@pytest.mark.postgres
@pytest.mark.kafka
@pytest.mark.timeout(600)
def test_alerts_become_tasks_whatever_happens_on_the_way(
    kafka_address: str,
    postgres_url: str,
    make_topic: MakeTopic,
    shared_data_if_any: Path | None,
    tmp_path: Path,
) -> None:
    alerts, bmw = make_topic(4), make_topic(2)
    out = {name: make_topic(1) for name in ("roadside", "dealer", "cases")}
    topics = {alerts: "cloudevents", bmw: "bmw"}
    with closing(KafkaSender(kafka_address)) as sender:
        everything = day(alerts)
        if shared_data_if_any is not None:
            everything += real_payloads(shared_data_if_any, bmw)
        for first in range(0, len(everything), 2000):
            sender.send(everything[first : first + 2000])
    port = free_port()
    pacc = Pacc(
        PACC_DATABASE_URL=postgres_url,
        PACC_KAFKA_BOOTSTRAP_SERVERS=kafka_address,
        PACC_TOPICS=", ".join(f"{name}: {form}" for name, form in topics.items()),
        PACC_GROUP_ID=f"group {alerts}",
        PACC_PORT=str(port),
        **{f"PACC_{name.upper()}_TOPIC": topic for name, topic in out.items()},
    )
    pacc("migrate")
    assert pacc("desk", "import", str(SAMPLE_DESKS))["created"] == 72
    engine = make_engine(postgres_url)
    room = Room(engine)

    with pacc.runs("run", "--batch", "200") as victim:
        waits(lambda: sum(room.outcomes().values()) > 2000)
        victim.send_signal(signal.SIGKILL)
    passed = sum(room.outcomes().values())
    assert passed < len(everything)
    assert room.ledger["reconciled"]
    rest = pacc("run", "--until-end")
    assert rest["records"] == len(everything) - passed

    assert pacc("ledger")["reconciled"]
    outcomes = room.outcomes()
    assert sum(outcomes.values()) == len(everything)
    assert "gap" not in outcomes
    assert outcomes["quarantined"] == pytest.approx(ALERTS * 0.01, rel=0.25)
    calm = undisturbed(
        kafka_address, topics, tmp_path,
        lambda url: Pacc(PACC_DATABASE_URL=url)("desk", "import", str(SAMPLE_DESKS)),
    )  # fmt: skip
    assert pacc("digest") == calm.digest
    assert outcomes == calm.outcomes()
    calm.engine.dispose()

    each_case_is_in_its_queue(pacc, room, port)
    what_was_decided_has_left(pacc, kafka_address, room, out)
    engine.dispose()


def each_case_is_in_its_queue(pacc: Pacc, room: Room, port: int) -> None:
    """Through the API: every open case that needs somebody waits at a desk of the right kind."""
    key = pacc("key", "create", "--role", "supervisor")["key"]
    url = f"http://127.0.0.1:{port}"
    with pacc.runs("serve"):
        waits(lambda: is_ready(url))
        tasks = {task["case_id"]: task for task in pages(url, key, "/v1/tasks")}
        cases = {case["case_id"]: case for case in pages(url, key, "/v1/cases")}
    stored = room.rows(t.case)
    assert set(cases) == {row["case_id"] for row in stored}
    needing = [row for row in stored if row["state"] == "open" and row["needs_task"]]
    assert len(needing) > 200
    assert set(tasks) == {row["case_id"] for row in needing}
    for row in needing:
        task = tasks[row["case_id"]]
        is_urgent = row["priority"] in ("urgent", "high")
        assert task["queue"] == "roadside" or not is_urgent
        assert task["desk"].startswith("rsa-" if task["queue"] == "roadside" else "dealer-")
        assert task["priority"] == row["priority"]
        assert cases[row["case_id"]]["reasons"][0]["zh"]


def what_was_decided_has_left(pacc: Pacc, address: str, room: Room, topics: dict[str, str]) -> None:
    """Every event of the outbox stands once on its topic, in the order of its case."""
    waiting = room.rows(t.outbox)
    assert pacc("tend", "--once")["sent"] >= len(waiting)
    assert room.rows(t.outbox, sent_at=None) == []
    sent = {
        name: [json.loads(record.value or b"") for record in read(address, topic)]
        for name, topic in topics.items()
    }
    ids = [event["id"] for events in sent.values() for event in events]
    assert len(ids) == len(set(ids))
    assert {row["event_id"] for row in waiting} <= set(ids)
    for events in sent.values():
        last: dict[str, str] = {}
        for event in events:
            assert event["sequence"] > last.get(event["subject"], "")
            last[event["subject"]] = event["sequence"]


def read(address: str, topic: str) -> Sequence[Record]:
    """Read a whole topic."""
    return list(record_range(address, topic, "beginning", "end"))
