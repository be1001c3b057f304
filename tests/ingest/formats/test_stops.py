"""The cheap test on bytes: it may let through too much, and never too little."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.formats.decode import FORMATS, decode
from ingest.formats.stop_faults import MayCarryStop, is_stop, stops_of
from models.batch import Partition, Record
from models.canary import CANARY_VIN
from models.words import Feed
from tests.worlds import CAR, START, Stream

TOPIC = "pacc.alerts"
words = st.sampled_from(["stop", "limited", "info", "unknown", "Stop", " stop", "stopp", None])
lamps = st.sampled_from(["red", "amber", "off", None])
statuses = st.sampled_from(["active", "pending", "cleared", "lamp_only", "strange", None])


def spelled(value: Any, escapes: "list[int]") -> str:
    """Write JSON with some signs of its texts as `\\uXXXX`, by turns of `escapes`."""
    if isinstance(value, dict):
        inner = (f"{spelled(name, escapes)}:{spelled(one, escapes)}" for name, one in value.items())
        return "{" + ",".join(inner) + "}"
    if not isinstance(value, str):
        return json.dumps(value)
    signs = []
    for sign in value:
        turn = escapes.pop(0) if escapes else 0
        plain = json.dumps(sign)[1:-1]
        hexed = f"\\u{ord(sign):04x}"
        signs.append((plain, hexed, hexed[:2] + hexed[2:].upper())[turn])
    return '"' + "".join(signs) + '"'


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Records that say a severity in every way in which our own formats can say it."""
    alert = {
        "id": "1",
        "source": "test",
        "vin": CAR,
        "observed_at": START.isoformat(),
        "code": "dtc:P0A80",
        "severity": draw(words),
        "lamp": draw(lamps),
        "status": draw(statuses),
        "text": draw(st.text(max_size=5)),
    }
    alert = {name: value for name, value in alert.items() if value is not None}
    escapes = draw(st.lists(st.integers(0, 2), max_size=200))
    how = draw(st.sampled_from(["bare", "structured", "binary", "base64"]))
    envelope: dict[str, Any] = {"specversion": "1.0", "type": "t", "id": "e", "source": "s"}
    headers: tuple[tuple[str, bytes], ...] = ()
    if how == "structured":
        value = spelled({**envelope, "data": alert}, escapes)
    elif how == "base64":
        data = base64.b64encode(spelled(alert, escapes[:50]).encode()).decode()
        value = spelled({**envelope, "data_base64": data}, escapes)
    else:
        value = spelled(alert, escapes)
    if how == "binary":
        headers = tuple((f"ce_{name}", str(text).encode()) for name, text in envelope.items())
    if draw(st.booleans()):
        value = value.replace('"severity"', ' "severity" ').replace(":", " :\n", 1)
    return Record(
        Partition(Feed.KAFKA, TOPIC, 0),
        0,
        1_768_442_400_000,
        None,
        value.encode("utf-8", "surrogatepass"),
        headers,
    )


@given(records())
def test_what_carries_a_stop_is_never_passed_over(record: Record) -> None:
    (decoded,) = decode([record], {})
    if stops_of(decoded).items:
        assert MayCarryStop({TOPIC: "cloudevents"})(TOPIC, record.value, record.headers)


def test_escapes_and_envelopes_do_carry_stops_here() -> None:
    """Else the property above would hold of nothing."""
    alert = {
        "id": "1",
        "source": "t",
        "vin": CAR,
        "observed_at": START.isoformat(),
        "code": "a:1",
        "severity": "stop",
    }
    plain = json.dumps(alert)
    hidden = base64.b64encode(plain.encode()).decode()
    ways = [
        plain,
        plain.replace('"stop"', '"\\u0073top"'),
        plain.replace('"stop"', '"st\\u006Fp"'),
        json.dumps(
            {"specversion": "1.0", "type": "t", "id": "e", "source": "s", "data_base64": hidden}
        ),
        plain.replace('"severity": "stop"', '"severity": "info", "lamp": "red"'),
    ]
    for way in ways:
        record = Stream().raw(way.encode()).records[0]
        (decoded,) = decode([record], {})
        assert len(stops_of(decoded).items) == 1, way
        assert MayCarryStop({})(TOPIC, record.value, ()), way


def test_an_ordinary_flood_is_passed_over_undecoded() -> None:
    flood = Stream().says(CAR, "dtc:P0A80", text="请停车 stop now, \u00e9t\u00e9").records[0]
    assert flood.value is not None
    raw = flood.value.replace(b"\\u00e9", "é".encode())  # how orjson and most others write it
    assert not MayCarryStop({})(TOPIC, raw, ())
    assert not MayCarryStop({})(TOPIC, None, ())


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - {"cloudevents", "canonical"}))
def test_of_other_formats_every_record_is_decoded(name: str) -> None:
    assert MayCarryStop({TOPIC: name})(TOPIC, b"{}", ())
    assert MayCarryStop({})(TOPIC, b"{}", (("pacc-format", name.encode()),))
    assert not MayCarryStop({TOPIC: name})(TOPIC, b"{}", (("pacc-format", b"canonical"),))


def test_only_what_makes_a_stop_active_is_one() -> None:
    stream = Stream()
    for status in ("active", "lamp_only", "pending", "cleared"):
        stream.says(CAR, "dtc:P0A80", severity="stop", status=status)
    for lamp in ("red", "amber"):  # the car's own alarm, but only the red one says stop
        stream.says(CAR, "dtc:P0A80", severity="info", lamp=lamp, status="pending")
    stream.says(CANARY_VIN, "canary:1", severity="stop", motion="moving")
    stops = [is_stop(item) for decoded in decode(stream.records, {}) for item in decoded.items]
    assert stops == [True, True, True, False, True, False, False]
