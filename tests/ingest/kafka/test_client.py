"""Kafka's client: what it leaves behind when no broker answers."""

import threading

import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from ingest.kafka.client import make_client


def test_asking_brokers_that_are_away_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    for kind in (KafkaConsumer, KafkaProducer):
        with pytest.raises(KafkaError):
            make_client(kind, bootstrap_servers="127.0.0.1:1", bootstrap_timeout_ms=300)
    left = set(threading.enumerate()) - before
    for thread in left:
        thread.join(timeout=10)
    assert [thread.name for thread in left if thread.is_alive()] == []
