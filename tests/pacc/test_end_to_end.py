"""The main job as a whole: real payloads and 20,000 alerts through a real Kafka, with a SIGKILL."""

import json
import signal
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingest.kafka.consumer import KafkaSource
from ingest.kafka.producer import KafkaSender
from ingest.kafka.recording import record_range
from models import tables as t
from models.batch import Message, Record
from models.migrations import upgrade
from pacc.pipeline.limits import Limits
from pacc.pipeline.loop import run
from pacc.pipeline.worker import Worker
from pacc.process.database import make_engine
from pacc.simulation.stream import Simulation, Trouble
from tests.servers.processes import free_port
from tests.support.commands import Pacc, is_ready, waits
from tests.worlds import SAMPLE_DESKS, Room

ALERTS = 20_000
TROUBLE = Trouble(duplicates=0.05, late=0.02, broken=0.01)
MakeTopic = Callable[[int], str]


class Deployment:
    """The topics in and out on a real Kafka, and the project's commands between them."""

    def __init__(self, address: str, database: str, make_topic: MakeTopic) -> None:
        self.address = address
        self.alerts, self.bmw = make_topic(4), make_topic(2)
        self.topics = {self.alerts: "cloudevents", self.bmw: "bmw"}
        self.out = {name: make_topic(1) for name in ("roadside", "dealer", "cases")}
        self.port = free_port()
        self.pacc = Pacc(
            PACC_DATABASE_URL=database,
            PACC_KAFKA_BOOTSTRAP_SERVERS=address,
            PACC_TOPICS=", ".join(f"{name}: {form}" for name, form in self.topics.items()),
            PACC_GROUP_ID=f"group {self.alerts}",
            PACC_PORT=str(self.port),
            **{f"PACC_{name.upper()}_TOPIC": topic for name, topic in self.out.items()},
        )

    def sends(self, messages: Sequence[Message]) -> None:
        """Put messages on their topics."""
        with closing(KafkaSender(self.address)) as sender:
            for first in range(0, len(messages), 2000):
                sender.send(messages[first : first + 2000])


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


def undisturbed(deployment: Deployment, folder: Path) -> Room:
    """Work through the same topics in one go, on a database of another kind."""
    url = f"sqlite:///{folder / 'calm.db'}"
    engine = make_engine(url)
    upgrade(engine)
    Pacc(PACC_DATABASE_URL=url)("desk", "import", str(SAMPLE_DESKS))
    room = Room(engine)
    worker = Worker(engine, room.policy, deployment.topics, "calm", Limits())
    group, topics = f"calm {deployment.alerts}", sorted(deployment.topics)
    run(
        worker,
        lambda: KafkaSource(deployment.address, group, topics, take=worker.take),
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
    deployment = Deployment(kafka_address, postgres_url, make_topic)
    everything = day(deployment.alerts)
    if shared_data_if_any is not None:
        everything += real_payloads(shared_data_if_any, deployment.bmw)
    deployment.sends(everything)
    deployment.pacc("migrate")
    assert deployment.pacc("desk", "import", str(SAMPLE_DESKS))["created"] == 72
    room = Room(make_engine(postgres_url))

    a_worker_is_killed_and_another_goes_on(deployment, room, len(everything))
    calm = undisturbed(deployment, tmp_path)
    assert deployment.pacc("digest") == calm.digest
    assert room.outcomes() == calm.outcomes()
    each_case_is_in_its_queue(deployment, room)
    what_was_decided_has_left(deployment, room)
    for world in (room, calm):
        world.engine.dispose()


def a_worker_is_killed_and_another_goes_on(deployment: Deployment, room: Room, sent: int) -> None:
    """Every record ends in one outcome, before the SIGKILL or after it."""
    with deployment.pacc.runs("run", "--batch", "200") as victim:
        waits(lambda: sum(room.outcomes().values()) > 2000)
        victim.send_signal(signal.SIGKILL)
    passed = sum(room.outcomes().values())
    assert passed < sent
    assert room.ledger["reconciled"]
    rest = deployment.pacc("run", "--until-end")
    assert rest["records"] == sent - passed

    assert deployment.pacc("ledger")["reconciled"]
    outcomes = room.outcomes()
    assert sum(outcomes.values()) == sent
    assert "gap" not in outcomes
    assert outcomes["quarantined"] == pytest.approx(ALERTS * 0.01, rel=0.25)


def each_case_is_in_its_queue(deployment: Deployment, room: Room) -> None:
    """Through the API: every open case that needs somebody waits at a desk of the right kind."""
    key = deployment.pacc("key", "create", "--role", "supervisor")["key"]
    url = f"http://127.0.0.1:{deployment.port}"
    with deployment.pacc.runs("serve"):
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


def what_was_decided_has_left(deployment: Deployment, room: Room) -> None:
    """Every event of the outbox stands once on its topic, in the order of its case."""
    waiting = room.rows(t.outbox)
    assert deployment.pacc("tend", "--once")["sent"] >= len(waiting)
    assert room.rows(t.outbox, sent_at=None) == []
    sent = {
        name: [json.loads(record.value or b"") for record in read(deployment.address, topic)]
        for name, topic in deployment.out.items()
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
