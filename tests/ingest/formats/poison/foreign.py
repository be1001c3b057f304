"""The makers' formats: every part that can be of another type, and what it costs.

An unusable part is refused by itself; the others go on. A reading that is no number or beyond its
bounds is left out and noted; a word that nobody knows is `unknown`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from models.words import Reject
from tests.ingest.formats.poison.expected import DECODED, Expected, Poison, but, poison, refused
from tests.ingest.formats.poison.fields import JSON_TYPES, spelled
from tests.ingest.formats.poison.forms import FORM, VIN

_TYPES: Mapping[str, Any] = {**JSON_TYPES, "null": None}
_NO_LIST = {
    kind: value
    for kind, value in _TYPES.items()
    if "list" not in kind and "deep" not in kind and kind != "null"
}
_NO_OBJECT = {
    kind: value for kind, value in _TYPES.items() if "object" not in kind and kind != "null"
}
_GOOD = {"type": "ENGINE_OIL", "severity": "LOW"}
_SCANS = ("vin", "source", "speed_kph", "odometer_km", "state_of_charge", "motion", "id")
_XMLS: Mapping[str, Any] = {
    "not closed": "<m>",
    "text": "x",
    "two roots": "<a/><b/>",
    "a NUL": "<a>\x00</a>",
    "an unknown entity": "<a>&b;</a>",
    "a surrogate": "<a>&#xD800;</a>",
    "a half tag": "<",
    "an entity of its own": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    "entities of entities": '<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><a>&d;</a>',
    "a file from outside": '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "70,000 elements without an end": "<a>" * 70_000,
}


def in_foreign() -> Iterator[Poison]:
    """Every kind for every maker's format."""
    for kinds in (_scans, _uds, _obd, _bmw_messages, _bmw_state, _cardata, _too_many):
        for form, kind, document, expected in kinds():
            record = FORM[form].record(spelled(document))
            yield poison(kind, form, record, expected)
    for depth in (2, 100, 1000):
        for kind, opened, closed in (("lists", b"[", b"]"), ("envelopes", b'{"data":', b"}")):
            value = opened * depth + FORM["bmw-state"].text + closed * depth
            record = FORM["bmw-state"].record(value)
            yield poison(f"a state {depth} {kind} deep", "bmw-state", record, DECODED)


_Kinds = Iterator[tuple[str, str, Any, Expected]]


def _scans() -> _Kinds:
    """What the formats of our own spelling share."""
    for form in ("uds", "obd"):
        good = FORM[form].document
        for field in _SCANS:
            for kind, value in _TYPES.items():
                yield form, f"{field} is {kind}", {**good, field: value}, DECODED
        for kind, value in _TYPES.items():
            expected = DECODED if kind == "null" else refused(Reject.BAD_TIME)
            yield form, f"observed_at is {kind}", {**good, "observed_at": value}, expected
        for at in (
            "2026-01-15T10:00:00",
            "2026-13-15T10:00:00Z",
            "0001-01-01T00:00:00Z",
            "9" * 41,
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
        ):
            bad = refused(Reject.BAD_TIME)
            yield form, f"observed at {at}", {**good, "observed_at": at}, bad
        for value in (-1, 1e308, "NaN", "Infinity", "1e400"):
            yield form, f"speed_kph is {value}", {**good, "speed_kph": value}, DECODED


def _uds() -> _Kinds:
    good = {"code": "P0A80", "status": 9}
    for kind, value in _TYPES.items():
        if "list" not in kind and "deep" not in kind:
            why = Reject.UNRECOGNISED if kind == "null" else Reject.WRONG_TYPE
            yield "uds", f"dtcs is {kind}", {"vin": VIN, "dtcs": value}, refused(why)
        if "object" not in kind:
            two = {"vin": VIN, "dtcs": [good, value]}
            yield "uds", f"a code is {kind}", two, but(Reject.WRONG_TYPE)
        two = {"vin": VIN, "dtcs": [good, {**good, "code": value}]}
        yield "uds", f"code is {kind}", two, but(Reject.BAD_CODE)
        for field in ("status", "severity"):
            two = {"vin": VIN, "dtcs": [good, {**good, field: value}]}
            yield "uds", f"{field} is {kind}", two, DECODED
    for value in (-1, 256, 2**31, "100", "0x1FF", "-1", "zz", "1.5", "٩"):
        two = {"vin": VIN, "dtcs": [good, {**good, "status": value}]}
        yield "uds", f"status is {value!r}", two, DECODED
    for code in ("P0A8", "P0A80-1CC", "X0A80", "P4A80", "0A80G", "P0A80+1C"):
        two = {"vin": VIN, "dtcs": [good, {**good, "code": code}]}
        yield "uds", f"code is {code!r}", two, but(Reject.BAD_CODE)


def _obd() -> _Kinds:
    for field in ("confirmed", "pending", "permanent"):
        for kind, value in _NO_LIST.items():
            scan = {"vin": VIN, "mil": True, field: value}
            yield "obd", f"{field} is {kind}", scan, refused(Reject.WRONG_TYPE)
        for kind, value in _TYPES.items():
            scan = {"vin": VIN, "mil": True, field: [value, "P0420"]}
            yield "obd", f"a code of {field} is {kind}", scan, but(Reject.BAD_CODE)
    for kind, value in _TYPES.items():
        yield "obd", f"mil is {kind}", {"vin": VIN, "mil": value, "confirmed": ["P0420"]}, DECODED
    yield "obd", "neither codes nor mil", {"vin": VIN}, refused(Reject.UNRECOGNISED)


def _states(listed: Any) -> Iterator[tuple[str, Any]]:
    """The four places where lists of messages are."""
    yield "bmw-state", {"state": {"checkControlMessages": listed}}
    yield "bmw-properties", {"properties": {"checkControlMessages": listed}}
    yield "bmw-status", {"vehicleStatus": {"checkControlMessages": listed}}
    yield "bmw-attributes", {"attributesMap": {}, "vehicleMessages": {"ccmMessages": listed}}


def _bmw_messages() -> _Kinds:
    for kind, value in _NO_LIST.items():
        for form, document in _states(value):
            yield form, f"messages are {kind}", document, refused(Reject.WRONG_TYPE)
    for kind, value in _NO_OBJECT.items():
        for form, document in _states([_GOOD, value]):
            yield form, f"a message is {kind}", document, but(Reject.WRONG_TYPE)
    for kind in ("an object", "an empty object"):
        for form, document in _states([_GOOD, _TYPES[kind]]):
            yield form, f"a message is {kind}", document, but(Reject.MISSING_FIELD)
    for field in ("severity", "state", "criticalness", "description", "title", "id"):
        for kind, value in _TYPES.items():
            for form, document in _states([{"type": "A", field: value}]):
                yield form, f"{field} of a message is {kind}", document, DECODED
    for name in ("", " ", "...", "---", "电池", "\x00", "🚗"):
        for form, document in _states([_GOOD, {"type": name}]):
            yield form, f"a message is named {name!r}", document, but(Reject.MISSING_FIELD)


def _bmw_state() -> _Kinds:
    shapes: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
        "state": ("bmw-state", lambda v: {"state": v}),
        "properties": ("bmw-properties", lambda v: {"properties": v}),
        "vehicleStatus": ("bmw-status", lambda v: {"vehicleStatus": v}),
    }
    for name, (form, wrap) in shapes.items():
        for kind, value in {**_NO_OBJECT, "null": None}.items():
            yield form, f"{name} is {kind}", wrap(value), refused(Reject.UNRECOGNISED)
    for kind, value in {**_NO_OBJECT, "null": None}.items():
        wrong = refused(Reject.WRONG_TYPE)
        yield "bmw-attributes", f"attributesMap is {kind}", {"attributesMap": value}, wrong
        both = {"attributesMap": {}, "vehicleMessages": value}
        yield "bmw-attributes", f"vehicleMessages is {kind}", both, wrong
        document = {"attributesMap": value, "vehicleMessages": {"ccmMessages": [_GOOD]}}
        yield "bmw-attributes", f"messages beside an attributesMap of {kind}", document, DECODED
    good = dict(FORM["bmw-state"].document["state"])
    for field in (
        "lastUpdatedAt",
        "lastFetched",
        "currentMileage",
        "inMotion",
        "location",
        "electricChargingState",
    ):
        for kind, value in _TYPES.items():
            yield "bmw-state", f"{field} is {kind}", {"state": {**good, field: value}}, DECODED
    for at in (
        "0001-01-01T00:00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "9999-12-31T23:59:59Z",
        "2026-02-30T00:00:00Z",
    ):
        state = {"state": {**good, "lastUpdatedAt": at}}
        yield "bmw-state", f"updated at {at}", state, DECODED


def _cardata() -> _Kinds:
    messages = "vehicle.status.checkControlMessages"
    memory = "vehicle.electronicControlUnit.diagnosticTroubleCodes.raw"
    wrong = refused(Reject.WRONG_TYPE)
    for kind, value in {**_NO_OBJECT, "null": None}.items():
        yield "cardata", f"telematicData is {kind}", {"telematicData": value}, wrong
    for name in (messages, memory):
        for kind, value in _NO_OBJECT.items():
            yield "cardata", f"{name[8:20]} is {kind}", {"telematicData": {name: value}}, wrong
        for kind, value in _TYPES.items():
            entry = {"value": None, "timestamp": value}
            yield "cardata", f"no {name[8:20]} at {kind}", {"telematicData": {name: entry}}, DECODED
    for kind, value in _TYPES.items():
        entry = {"value": "[]", "timestamp": value}
        yield "cardata", f"timestamp is {kind}", {"telematicData": {messages: entry}}, DECODED
    for kind, value in _NO_OBJECT.items():
        if kind not in ("a text", "an empty text", "a NUL"):
            entry = {"value": value, "timestamp": "2026-01-15T01:00:00Z"}
            yield "cardata", f"a memory that is {kind}", {"telematicData": {memory: entry}}, wrong
    for kind, xml in _XMLS.items():
        entry = {"value": xml, "timestamp": "2026-01-15T01:00:00Z"}
        no_xml = refused(Reject.NOT_XML)
        yield "cardata", f"a memory with {kind}", {"telematicData": {memory: entry}}, no_xml
    for kind, xml in {
        "20,000 elements deep": "<a>" * 20_000 + "</a>" * 20_000,
        "empty": "<a/>",
        "of 50,000 elements": "<m>" + "<a/>" * 50_000 + "</m>",
    }.items():
        entry = {"value": xml}
        yield "cardata", f"a memory {kind}", {"telematicData": {memory: entry}}, DECODED
    for code in ("", "G1", "P0A8", "123", "123456789", "0x", "电"):
        entry = {"value": f'<m><dtc code="P0A80"/><dtc code="{code}"/></m>'}
        document = {"telematicData": {memory: entry}}
        yield "cardata", f"a memory with the code {code!r}", document, but(Reject.BAD_CODE)


def _too_many() -> _Kinds:
    """One record may not fill the store: 500 alerts at most, and bad parts in proportion."""
    beyond = refused(Reject.OUT_OF_BOUNDS)
    many = [{"id": number} for number in range(1000)]
    for form, document in _states(many):
        yield form, "1,000 messages", document, beyond
    codes = [f"{number:04X}" for number in range(1000)]
    yield "obd", "1,000 codes", {"vin": VIN, "confirmed": codes}, beyond
    listed = [{"code": code, "status": 9} for code in codes]
    yield "uds", "1,000 codes", {"vin": VIN, "dtcs": listed}, beyond
    for form, document in _states([1] * 60_000):
        size = len(spelled(document))
        kept = (Reject.WRONG_TYPE,) * (4 * 1024 * 1024 // size)
        yield form, "60,000 bad messages", document, Expected(kept, goes_on=False)
