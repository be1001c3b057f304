"""A good document of every shape that a format knows, and where text can be put into it."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from models.batch import Partition, Record
from models.words import Feed, Reject
from tests.worlds import START

VIN = "LBV8P2C05L7F09999"
NOW = int(START.timestamp() * 1000)
Headers = tuple[tuple[str, bytes], ...]
_WHEN = "2026-01-15T01:00:00Z"
ALERT: Mapping[str, Any] = {
    "id": "1",
    "source": "urn:poison",
    "vin": VIN,
    "observed_at": _WHEN,
    "code": "dtc:P0A80",
    "status": "active",
    "severity": "limited",
    "lamp": "amber",
    "motion": "parked",
    "speed_kph": 0,
    "odometer_km": 12000.5,
    "state_of_charge": 0.5,
    "position": {"lat": 39.9, "lon": 116.4, "accuracy_m": 5, "road": "G6"},
    "model": "iX3",
    "software": "11-2025.38",
    "text": "电池",
    "signals": {"ambient_c": -12.5},
}
ENVELOPE: Mapping[str, Any] = {
    "specversion": "1.0",
    "id": "e1",
    "source": "urn:envelope",
    "type": "alert",
    "time": _WHEN,
}
STRUCTURED: Headers = (("content-type", b"application/cloudevents+json"),)
BINARY: Headers = (
    ("content-type", b"application/json"),
    *((f"ce_{name}", text.encode()) for name, text in ENVELOPE.items()),
)
_MESSAGE = {"id": 229, "type": "DRIVETRAIN", "severity": "HIGH"}


@dataclass(frozen=True)
class Form:
    """One shape of one format.

    `document` is the object into which a kind puts its text; `wrap` spells what lies around it
    (None where such bytes cannot be put there). `empty` is what becomes of an object without
    members, `scalar` of a value that is no object.
    """

    name: str
    format: str
    document: Mapping[str, Any]
    headers: Headers = ()
    wrap: Callable[[bytes], bytes | None] = bytes
    empty: Reject = Reject.UNRECOGNISED
    scalar: Reject = Reject.NOT_AN_OBJECT

    @property
    def is_cloudevents(self) -> bool:
        """Whether headers may carry an envelope."""
        return self.format in ("cloudevents", "canonical")

    @property
    def text(self) -> bytes:
        """The document, spelled."""
        return json.dumps(self.document, ensure_ascii=False).encode()

    def with_member(self, name: str, raw: bytes) -> bytes:
        """The document with one more member, in front of the others, as it is spelled."""
        return b'{"' + name.encode() + b'":' + raw + b"," + self.text[1:]

    def record(self, value: bytes | None, headers: Headers = (), at: int = NOW) -> Record:
        """A record of this format; its headers stand behind the ones given."""
        said = (*headers, *self.headers)
        place = Partition(Feed.KAFKA, f"poison.{self.format}", 0)
        return Record(place, 0, at, VIN.encode(), value, said)


def _in_data(text: bytes) -> bytes:
    return json.dumps(dict(ENVELOPE)).encode()[:-1] + b',"data":' + text + b"}"


def _in_base64(text: bytes) -> bytes:
    return json.dumps({**ENVELOPE, "data_base64": base64.b64encode(text).decode()}).encode()


def _in_list(text: bytes) -> bytes | None:
    return b"[" + text + b"]" if text.strip(b" \t\r\n") else None  # an empty list is quiet


def _in_container(text: bytes) -> bytes | None:
    try:
        value = text.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if not value:
        return None  # an entry without a value says nothing
    entry = {"value": value, "timestamp": _WHEN}
    name = "vehicle.status.checkControlMessages"
    return json.dumps({"telematicData": {name: entry}}).encode()


FORMS = (
    Form("bare", "cloudevents", ALERT, empty=Reject.MISSING_FIELD),
    Form("canonical", "canonical", ALERT, empty=Reject.MISSING_FIELD),
    Form("structured", "cloudevents", ALERT, STRUCTURED, _in_data, empty=Reject.MISSING_FIELD),
    Form("binary", "cloudevents", ALERT, BINARY, empty=Reject.MISSING_FIELD),
    Form("base64", "cloudevents", ALERT, STRUCTURED, _in_base64, empty=Reject.MISSING_FIELD),
    Form(
        "bmw-state",
        "bmw",
        {
            "state": {
                "lastUpdatedAt": _WHEN,
                "inMotion": True,
                "currentMileage": 1000,
                "checkControlMessages": [_MESSAGE],
                "requiredServices": [{"type": "BRAKE_FLUID", "status": "PENDING"}],
            }
        },
    ),
    Form(
        "bmw-properties",
        "bmw",
        {
            "properties": {"lastUpdatedAt": _WHEN, "checkControlMessages": [_MESSAGE]},
            "status": {"currentMileage": {"mileage": 10, "units": "mi"}},
        },
    ),
    Form(
        "bmw-status",
        "bmw",
        {
            "vehicleStatus": {
                "updateTime": _WHEN,
                "checkControlMessages": [{"ccmId": 50, "ccmDescriptionShort": "x"}],
            }
        },
    ),
    Form(
        "bmw-attributes",
        "bmw",
        {
            "attributesMap": {"updateTime_converted_timestamp": str(NOW), "mileage": "1000"},
            "vehicleMessages": {"ccmMessages": [{"id": 164, "state": "MEDIUM"}]},
        },
    ),
    Form("bmw-list", "bmw", {"state": {"checkControlMessages": [_MESSAGE]}}, wrap=_in_list),
    Form(
        "cardata",
        "bmw",
        _MESSAGE,
        wrap=_in_container,
        empty=Reject.MISSING_FIELD,
        scalar=Reject.WRONG_TYPE,
    ),
    Form(
        "uds",
        "uds",
        {
            "vin": VIN,
            "observed_at": _WHEN,
            "motion": "parked",
            "dtcs": [{"code": "P0A80-1C", "status": 9, "severity": 128}],
        },
    ),
    Form(
        "obd",
        "obd",
        {"vin": VIN, "observed_at": _WHEN, "mil": True, "confirmed": ["P0420"], "pending": []},
    ),
)
CANONICAL = tuple(form for form in FORMS if form.is_cloudevents)
FORM = {form.name: form for form in FORMS}
