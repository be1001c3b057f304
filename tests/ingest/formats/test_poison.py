"""Bad records of every kind, for every format: refused with the right reason, or decoded; no stop.

The corpus is `tests/ingest/formats/poison/`; each kind says by the specification what becomes
of it.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bench.fuzz import fuzz
from ingest.formats.decode import FORMATS, decode
from ingest.kafka.consumer import KafkaSource
from ingest.kafka.producer import KafkaSender
from ingest.source import Source
from ingest.store import ledger as ledgers
from ingest.tape import TapeSource, write_tape
from models import tables as t
from models.batch import Decoded, Message, Partition, Record, Report
from models.migrations import upgrade
from models.words import Outcome
from pacc.pipeline.limits import Limits
from pacc.pipeline.loop import run
from pacc.pipeline.worker import Worker
from pacc.process.database import make_engine
from tests.ingest.formats.poison import corpus
from tests.ingest.formats.poison.expected import Expected, Poison
from tests.ingest.formats.poison.forms import FORMS, NOW, Form
from tests.worlds import policy

_LIMITS = Limits(reject_share=1.0)


@pytest.fixture(scope="module")
def cases() -> list[Poison]:
    """The whole corpus."""
    return list(corpus())


def decoded(record: Record) -> Decoded:
    """Decode a record of the corpus in its form's format."""
    topic = record.partition.topic
    (result,) = decode([record], {topic: topic.rpartition(".")[2]})
    return result


def became(result: Decoded) -> Expected:
    """What the decoder made of a record, in the words of the corpus."""
    return Expected(
        tuple(bad.reason for bad in result.rejected), bool(result.items) or not result.rejected
    )


def test_the_corpus_has_hundreds_of_kinds_and_every_format(cases: list[Poison]) -> None:
    assert len({case.kind for case in cases}) > 1500
    assert {form.format for form in FORMS} == set(FORMATS)
    everywhere = Counter(case.kind for case in cases)
    assert sum(count >= len(FORMS) - 1 for count in everywhere.values()) >= 300
    for form in FORMS:
        value = form.wrap(form.text)
        assert any(isinstance(item, Report) for item in decoded(form.record(value)).items)


@pytest.mark.parametrize("form", [form.name for form in FORMS])
def test_each_is_refused_with_its_reason_or_decoded(form: str, cases: list[Poison]) -> None:
    ours = [case for case in cases if case.form == form]
    assert len(ours) > 300
    wrong = [
        (case.kind, case.expected, ended)
        for case in ours
        if (ended := became(decoded(case.record))) != case.expected
    ]
    assert wrong == []


@settings(max_examples=300)
@given(
    form=st.sampled_from(FORMS),
    edits=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 12), st.binary(max_size=12)),
        min_size=1,
        max_size=4,
    ),
)
def test_a_good_document_edited_anywhere_ends_in_one_way(
    form: Form, edits: list[tuple[float, int, bytes]]
) -> None:
    value = form.wrap(form.text) or b""
    for share, length, new in edits:
        place = int(share * len(value))
        value = value[:place] + new + value[place + length :]
    result = decoded(form.record(value))
    assert all(bad.detail for bad in result.rejected)
    assert result == decoded(form.record(value))


def between_good_alerts(cases: Sequence[Poison]) -> tuple[list[Record], set[str]]:
    """Put a good alert of a vehicle of its own behind every fiftieth record of every topic."""
    stream: list[Record] = []
    good: set[str] = set()
    counts: Counter[str] = Counter()

    def add(record: Record) -> None:
        topic = record.partition.topic
        stream.append(replace(record, offset=counts[topic]))
        counts[topic] += 1

    for case in cases:
        add(case.record)
        if counts[case.record.partition.topic] % 50 == 1:
            vin = f"LBV8P2C05L8{len(good):06d}"
            good.add(vin)
            add(_good_alert(case.record.partition, vin))
    return stream, good


def _good_alert(partition: Partition, vin: str) -> Record:
    alert = {
        "id": vin,
        "source": "urn:good",
        "vin": vin,
        "observed_at": "2026-01-15T02:00:00Z",
        "code": "dtc:P0C01",
        "severity": "stop",
        "motion": "moving",
    }
    value = json.dumps(alert).encode()
    return Record(partition, 0, NOW, vin.encode(), value, (("pacc-format", b"cloudevents"),))


def formats_of(records: Sequence[Record]) -> dict[str, str]:
    """The format of each topic of the corpus."""
    topics = {record.partition.topic for record in records}
    return {topic: topic.rpartition(".")[2] for topic in topics}


def play(engine: sa.Engine, source: Callable[[Worker], Source], formats: dict[str, str]) -> None:
    """Run the real loop until the end."""
    worker = Worker(engine, policy(), formats, "test", _LIMITS)
    run(worker, lambda: source(worker), _LIMITS, until_end=True, is_stopped=lambda: False)


def require_all_accounted_for(
    engine: sa.Engine, expected: Counter[tuple[str, bool]], good: set[str]
) -> None:
    """Every offset has one outcome, the refused ones are in quarantine, every good one a case."""
    with engine.begin() as connection:
        ledger = ledgers.ledger(connection)
        c = t.case.c
        cases = set(connection.execute(sa.select(c.vin).where(c.vin.in_(good))).scalars())
    assert ledger["reconciled"]
    counts: Counter[tuple[str, bool]] = Counter()
    for topic in ledger["topics"]:
        refused = topic["outcomes"].get(Outcome.QUARANTINED, 0)
        assert topic["position"] == topic["advanced"] == sum(topic["outcomes"].values())
        counts[topic["topic"], False] = refused
        counts[topic["topic"], True] = topic["position"] - refused
    assert +counts == +expected
    assert cases == good


def outcomes_expected(
    cases: Sequence[Poison], stream: Sequence[Record], named: Callable[[str], str] = str
) -> Counter[tuple[str, bool]]:
    """How many records of each topic go on, and how many do not."""
    counts = Counter((named(case.record.partition.topic), case.expected.goes_on) for case in cases)
    extra = Counter(named(record.partition.topic) for record in stream)
    extra.subtract(named(case.record.partition.topic) for case in cases)
    for topic, number in extra.items():
        counts[topic, True] += number
    return counts


def test_the_whole_corpus_between_good_alerts_stops_nothing(
    engine: sa.Engine, tmp_path: Path, cases: list[Poison]
) -> None:
    stream, good = between_good_alerts(cases)
    tape = tmp_path / "poison.jsonl.zst"
    assert write_tape(stream, tape) == len(stream)
    play(engine, lambda worker: TapeSource([tape], take=worker.take), formats_of(stream))
    require_all_accounted_for(engine, outcomes_expected(cases, stream), good)
    kept = {(record.partition.topic, record.offset): record for record in stream}
    q = t.quarantine.c
    query = sa.select(q.topic, q.record_offset, q.record_key, q.value, q.record_timestamp)
    with engine.begin() as connection:
        for row in connection.execute(query):
            record = kept[row.topic, row.record_offset]
            assert row[2:] == (record.key, record.value, record.timestamp)


def sendable(cases: Sequence[Poison]) -> list[Poison]:
    """What a broker takes: Kafka 4 refuses timestamps that are negative or in the future."""
    return [case for case in cases if case.record.timestamp == NOW]


def test_the_whole_corpus_on_a_real_topic_stops_nothing(
    kafka_address: str, make_topic: Callable[[int], str], tmp_path: Path, cases: list[Poison]
) -> None:
    sent = sendable(cases)
    stream, good = between_good_alerts(sent)
    topics = {topic: make_topic(1) for topic in sorted({r.partition.topic for r in stream})}
    with closing(KafkaSender(kafka_address)) as sender:
        for first in range(0, len(stream), 500):
            sender.send([_message(record, topics) for record in stream[first : first + 500]])
    engine = make_engine(f"sqlite:///{tmp_path / 'pacc.db'}")
    upgrade(engine)
    formats = {topics[topic]: name for topic, name in formats_of(stream).items()}
    play(
        engine,
        lambda worker: KafkaSource(
            kafka_address, "poison", sorted(formats), take=worker.take, poll_ms=200
        ),
        formats,
    )
    require_all_accounted_for(
        engine, outcomes_expected(sent, stream, lambda topic: topics[topic]), good
    )
    engine.dispose()


def _message(record: Record, topics: dict[str, str]) -> Message:
    topic = topics[record.partition.topic]
    return Message(topic, record.key, record.value, record.headers, record.timestamp)


def test_twenty_thousand_mutated_records_all_end_and_memory_stays_flat() -> None:
    report = fuzz(20_000, seed=20261125)
    assert report.records == 20_000
    assert report.failures == []
    assert sum(report.ended.values()) >= report.records
    assert report.grown_bytes < 64 * 1024 * 1024
