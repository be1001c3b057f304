"""A mapping file repairs copies of records; one that cannot be meant is refused in words."""

import json
from typing import Any

import pytest

from ingest.formats.repair import parse_repair, repaired
from models.errors import Unusable
from tests.worlds import Stream


@pytest.mark.parametrize(
    ("mapping", "document", "expected"),
    [
        ("- rename: {from: /VIN, to: /vin}", {"VIN": "x"}, {"vin": "x"}),
        ("- rename: {from: /a/b, to: /c}", {"a": {"b": 1}}, {"a": {}, "c": 1}),
        ("- rename: {from: /gone, to: /c}", {"a": 1}, {"a": 1}),
        ("- set: {at: /source, value: urn:x}", {}, {"source": "urn:x"}),
        ("- map: {at: /s, values: {rot: stop}}", {"s": "rot"}, {"s": "stop"}),
        ("- map: {at: /s, values: {rot: stop}}", {"s": "blau"}, {"s": "blau"}),
        (
            "- map: {at: '/l/*/s', values: {3: stop}}",
            {"l": [{"s": 3}, {}, 1]},
            {"l": [{"s": "stop"}, {}, 1]},
        ),
        (
            "- time: {at: /t, format: '%d.%m.%Y %H:%M', zone: Asia/Shanghai}",
            {"t": "15.01.2026 10:00"},
            {"t": "2026-01-15T10:00:00+08:00"},
        ),
        (
            "- time: {at: /t, format: epoch_ms}",
            {"t": 1768442400000},
            {"t": "2026-01-15T02:00:00+00:00"},
        ),
        ("- time: {at: /t, format: epoch_s}", {"t": "soon"}, {"t": "soon"}),
        ("- remove: {at: '/l/*'}", {"l": [1, 2]}, {"l": []}),
        ("- remove: {at: /a~1b}", {"a/b": 1, "c": 2}, {"c": 2}),
    ],
)
def test_a_mapping_repairs_a_copy(mapping: str, document: Any, expected: Any) -> None:
    record = Stream().raw(json.dumps(document).encode()).records[0]
    mended = repaired(record, parse_repair(mapping))
    assert json.loads(mended.value or b"") == expected
    assert record.value == json.dumps(document).encode()


def test_a_mapping_reads_another_encoding_and_leaves_what_is_no_json() -> None:
    steps = parse_repair("- encoding: {of: gbk}\n- set: {at: /a, value: 1}")
    stream = Stream().raw('{"text":"电池"}'.encode("gbk")).raw(b"\xff").raw(b"5").raw(None)
    values = [repaired(record, steps).value for record in stream.records]
    assert values == ['{"text": "电池", "a": 1}'.encode(), b"\xff", b"5", None]


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("", "a list of steps"),
        ("a: 1", "a list of steps"),
        ("- [", "no YAML"),
        ("- 5", "Step 1 .* one verb is wanted"),
        ("- remove: {at: /a}\n- rub: {}", "Step 2 .* rub is no verb; there are encoding"),
        ("- rename: {from: /a}", "rename takes from, to"),
        ("- set: {at: a, value: 1}", "must be a JSON pointer"),
        ("- rename: {from: '/a/*', to: /b}", "rename takes no"),
        ("- map: {at: /a, values: 5}", "values must be pairs"),
        ("- time: {at: /a, format: '%Y', zone: Mars/Base}", "Mars/Base is no time zone"),
        ("- remove: {at: /a}\n- encoding: {of: gbk}", "must be the first step"),
        ("- encoding: {of: base64}", "base64 is no encoding of text"),
        ("- encoding: {of: klingon}", "klingon is no encoding of text"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused_in_words(mapping: str, said: str) -> None:
    with pytest.raises(Unusable, match=said):
        parse_repair(mapping)
