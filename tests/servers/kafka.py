"""A real Apache Kafka for tests: one KRaft node from its Maven jars on the local JVM."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import KafkaError

from models.batch import Record
from tests.servers.processes import NotToBeHad, Server, free_port, running

_CACHE = Path(__file__).parents[2] / ".cache" / "kafka-4.3.1"
_HOW = "install Java 17 and Maven (Debian: default-jre-headless maven), or set PACC_TEST_KAFKA"
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>pacc</groupId><artifactId>kafka</artifactId>
<version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
<version>4.3.1</version></dependency>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId>
<version>4.3.1</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId>
<version>1.7.36</version></dependency>
</dependencies></project>
"""
# Streams of tests carry old timestamps: with any retention the broker deletes them as expired.
_PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
controller.listener.names=CONTROLLER
log.dirs={folder}/logs
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
log.retention.ms=-1
"""


@contextmanager
def running_kafka() -> Iterator[str]:
    """Yield the bootstrap address of a broker."""
    address = os.environ.get("PACC_TEST_KAFKA")
    if address:
        yield address
        return
    with own_kafka() as server:
        yield server.address


@contextmanager
def own_kafka() -> Iterator[Server]:
    """Yield a broker of our own, which may be ended and started again."""
    java, jars = _java(), _jars()
    with tempfile.TemporaryDirectory(prefix="pacc-kafka-") as name:
        broker, controller = free_port(), free_port()
        properties = Path(name) / "server.properties"
        properties.write_text(_PROPERTIES.format(broker=broker, controller=controller, folder=name))
        base = [java, "-Xmx512m", "-cp", f"{jars}/*"]
        tool = [*base, "kafka.tools.StorageTool"]
        drawn = subprocess.run([*tool, "random-uuid"], check=True, capture_output=True, text=True)
        cluster = drawn.stdout.strip().splitlines()[-1]
        subprocess.run(
            [*tool, "format", "--standalone", "-t", cluster, "-c", str(properties)],
            check=True,
            capture_output=True,
        )
        address = f"127.0.0.1:{broker}"
        command = [*base, "kafka.Kafka", str(properties)]
        with running(
            Server(address, command, Path(name) / "log", lambda: _answers(address), 90)
        ) as server:
            yield server


def _java() -> str:
    java = shutil.which("java")
    if java is None:
        raise NotToBeHad(_HOW)
    return java


def _jars() -> Path:
    """Fetch the jars once; half a fetch is never taken for one."""
    if _CACHE.exists():
        return _CACHE
    maven = shutil.which("mvn")
    if maven is None:
        raise NotToBeHad(_HOW)
    _CACHE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_CACHE.parent) as name:
        pom = Path(name) / "pom.xml"
        pom.write_text(_POM)
        subprocess.run(
            [
                maven,
                "-q",
                "-B",
                "-f",
                str(pom),
                "dependency:copy-dependencies",
                f"-DoutputDirectory={name}/jars",
            ],
            check=True,
            capture_output=True,
            timeout=600,
        )
        try:
            (Path(name) / "jars").rename(_CACHE)
        except OSError:  # another test process was faster
            if not _CACHE.exists():
                raise
    return _CACHE


def _answers(address: str) -> bool:
    try:
        client = KafkaAdminClient(bootstrap_servers=address, bootstrap_timeout_ms=1000)
        client.list_topics()
        client.close()
    except KafkaError:
        return False
    return True


def new_topic(address: str, partitions: int) -> str:
    """Make a topic of its own with so many partitions."""
    name = f"test.{uuid.uuid4().hex}"
    admin = KafkaAdminClient(bootstrap_servers=address)
    admin.create_topics(
        {name: {"num_partitions": partitions, "replication_factor": 1}}, wait_for_metadata=True
    )
    admin.close()
    return name


def send(address: str, topic: str, records: Sequence[Record]) -> None:
    """Send records with their keys, bytes and timestamps, all to partition 0."""
    producer = KafkaProducer(bootstrap_servers=address, acks="all")
    for record in records:
        producer.send(
            topic, value=record.value, key=record.key, partition=0, timestamp_ms=record.timestamp
        )
    producer.flush(timeout=30)
    producer.close()
