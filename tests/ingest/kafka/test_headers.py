"""Header names that are no UTF-8: every record is read, and nothing else of it changes."""

from collections.abc import Callable
from contextlib import closing

import pytest
from kafka import KafkaProducer

from ingest.kafka.consumer import KafkaSource
from ingest.source import StreamPosition
from models.batch import Record

pytestmark = pytest.mark.kafka


class RawName(str):
    """A header name that goes out as bytes which Kafka's protocol does not allow, as some send."""

    def encode(self, *_: str) -> bytes:
        """Return one byte for each sign."""
        return super().encode("latin-1")


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_a_name_that_is_no_utf8_stops_nothing(
    kafka_address: str, make_topic: Callable[[int], str], compression: str | None
) -> None:
    topic = make_topic(1)
    odd = RawName("\xff\xfeodd\xe9")
    headers = [("pacc-format", b"uds"), (odd, b"\xff\xfeodd\xe9"), ("编号", b"7"), (odd, b"")]
    with closing(
        KafkaProducer(bootstrap_servers=kafka_address, compression_type=compression, linger_ms=50)
    ) as sender:
        sender.send(topic, b"before", key=b"k")
        sender.send(topic, b"\xff\xfeodd\xe9", key=b"\xff\xfeodd\xe9", headers=headers)
        sender.send(topic, None, key=b"k", headers=[(RawName("\xc3"), b"")])
        sender.send(topic, b"behind", headers=[("a", b"b")])
        sender.flush(15)
    got: list[Record] = []
    with closing(
        KafkaSource(
            kafka_address,
            f"group {topic}",
            [topic],
            take=lambda *_, **__: StreamPosition(0, 1),
            poll_ms=200,
        )
    ) as source:
        for _ in range(100):
            got += source.poll(10)
            if len(got) == 4:
                break
    assert [one.value for one in got] == [b"before", b"\xff\xfeodd\xe9", None, b"behind"]
    assert got[1].key == b"\xff\xfeodd\xe9"
    assert got[1].headers == (
        ("pacc-format", b"uds"),
        ("??odd?", b"\xff\xfeodd\xe9"),
        ("编号", b"7"),
        ("??odd?", b""),
    )
    assert got[2].headers == (("?", b""),)
    assert got[3].headers == (("a", b"b"),)
