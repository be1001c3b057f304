"""Decoding: real payloads of many makers' years, and everything that can be wrong with a record."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.formats.decode import FORMATS, decode
from models.alert import MAX_VALUE_BYTES
from models.batch import Decoded, Partition, Record, Report, Snapshot
from models.words import Feed, Reject, Severity, Status
from tests.worlds import CAR, START

TOPIC = Partition(Feed.KAFKA, "any", 0)
NOW = int(START.timestamp() * 1000)
GOOD = {
    "id": "1",
    "source": "s",
    "vin": CAR,
    "observed_at": "2026-01-15T10:00:00+08:00",
    "code": "dtc:P0A80",
    "severity": "limited",
}


def decode_value(
    value: Any,
    form: str = "cloudevents",
    headers: tuple[tuple[str, bytes], ...] = (),
    key: bytes | None = CAR.encode(),
    at: int = NOW,
) -> Decoded:
    """Decode one value, given as bytes or as something to spell as JSON."""
    data = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()
    (decoded,) = decode([Record(TOPIC, 0, at, key, data, headers)], {"any": form})
    return decoded


def reports(decoded: Decoded) -> list[Report]:
    """The alerts of a record."""
    return [item for item in decoded.items if isinstance(item, Report)]


def codes(decoded: Decoded) -> dict[str, Severity]:
    """The codes of a record and what the vehicle says of each."""
    return {item.alert.code: item.alert.severity for item in reports(decoded)}


def test_every_real_bmw_document_becomes_alerts_or_is_quiet(shared_data: Path) -> None:
    files = sorted((shared_data / "bmw_states").glob("*/*.json"))
    assert len(files) > 40
    for file in files:
        decoded = decode_value(file.read_bytes(), "bmw")
        assert decoded.rejected == (), file.name
        assert all(item.alert.vin == CAR for item in reports(decoded))


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("v4_state/I20__state_WBA00000000DEMO01_0.json", {"ccm:TIRE_PRESSURE": "service"}),
        (
            "v4_state/F31__state_WBA00000000000F31_0.json",
            {"ccm:ENGINE_OIL": "service", "cbs:BRAKE_FLUID": "service"},
        ),
        ("v2_vehicles/G08__vehicles_v2_bmw_0.json", {}),
        ("v2_vehicles/F31__vehicles_v2_bmw_0.json", {}),
        ("v1_status/G31_NBTevo__status.json", {}),
    ],
)
def test_real_documents_say_what_they_say(
    shared_data: Path, file: str, expected: dict[str, str]
) -> None:
    assert codes(decode_value((shared_data / "bmw_states" / file).read_bytes(), "bmw")) == expected


def test_real_check_control_messages_in_their_own_spelling(shared_data: Path) -> None:
    lines = (shared_data / "bmw_states" / "observed_ccm.jsonl").read_text("utf-8").splitlines()
    messages = [json.loads(line) for line in lines]
    severities = codes(decode_value({"state": {"checkControlMessages": messages}}, "bmw"))
    assert severities["ccm:50"] is Severity.SERVICE
    assert severities["ccm:955"] is Severity.UNKNOWN
    assert severities["ccm:164"] is Severity.SERVICE


def test_an_unchanged_state_polled_twice_is_the_same_delivery(shared_data: Path) -> None:
    state = (shared_data / "bmw_states/v4_state/I20__state_WBA00000000DEMO01_0.json").read_bytes()
    first, second = decode_value(state, "bmw"), decode_value(state, "bmw", at=NOW + 60_000)
    assert [i.fingerprint for i in first.items] == [i.fingerprint for i in second.items]


def test_a_new_word_or_field_never_ranks_low() -> None:
    message = {"type": "BRAKE_FLUID", "severity": "CATASTROPHIC", "new": 1}
    decoded = decode_value({"state": {"checkControlMessages": [message]}}, "bmw")
    (report,) = reports(decoded)
    assert report.alert.severity is Severity.UNKNOWN
    assert "severity" in report.defaulted


def test_a_state_of_no_known_shape_is_not_taken_as_quiet() -> None:
    assert decode_value({"hello": 1}, "bmw").rejected[0].reason is Reject.UNRECOGNISED


def test_the_usable_parts_of_a_document_go_on() -> None:
    listed = [{"type": "ENGINE_OIL", "severity": "LOW"}, 7, {"severity": "LOW"}]
    decoded = decode_value({"state": {"checkControlMessages": listed}}, "bmw")
    assert list(codes(decoded)) == ["ccm:ENGINE_OIL"]
    assert [bad.pointer for bad in decoded.rejected] == [
        "/state/checkControlMessages/1",
        "/state/checkControlMessages/2",
    ]


def cardata(descriptor: str, value: str) -> Decoded:
    """A CarData container with one entry."""
    entry = {"value": value, "unit": None, "timestamp": "2026-01-15T01:00:00Z"}
    return decode_value({"telematicData": {descriptor: entry}}, "bmw")


def test_cardata_messages_are_json_inside_json() -> None:
    inner = json.dumps([{"id": 229, "severity": "HIGH", "type": "DRIVETRAIN"}])
    assert codes(cardata("vehicle.status.checkControlMessages", inner)) == {"ccm:229": "stop"}


def test_cardata_fault_memory_is_xml_with_standard_and_own_codes() -> None:
    xml = '<m><ecu name="BDC"><dtc code="P0A80"/><dtc code="0x21F0A1"/></ecu></m>'
    severities = codes(cardata("vehicle.electronicControlUnit.diagnosticTroubleCodes.raw", xml))
    assert severities == {"dtc:P0A80": "unknown", "bmwdtc:21F0A1": "unknown"}


@pytest.mark.parametrize("xml", ["<m>", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "x"])
def test_broken_or_dangerous_xml_is_refused(xml: str) -> None:
    decoded = cardata("vehicle.electronicControlUnit.diagnosticTroubleCodes.raw", xml)
    assert decoded.rejected[0].reason is Reject.NOT_XML


@pytest.mark.parametrize(
    ("status", "mask", "expected"),
    [
        (0x09, 0x80, (Status.ACTIVE, Severity.STOP)),
        ("0x08", "40", (Status.VERIFYING, Severity.LIMITED)),
        ("0x88", "40", (Status.ACTIVE, Severity.LIMITED)),
        ("0x0C", "40", (Status.ACTIVE, Severity.LIMITED)),
        ("0x48", "40", (Status.ACTIVE, Severity.LIMITED)),
        (0x04, 0x20, (Status.PENDING, Severity.SERVICE)),
        (0x01, None, (Status.ACTIVE, Severity.UNKNOWN)),
        (0x50, 0x80, None),
    ],
)
def test_uds_status_and_severity_bytes(status: Any, mask: Any, expected: Any) -> None:
    decoded = decode_value(
        {"dtcs": [{"code": "0A801C", "status": status, "severity": mask}]}, "uds"
    )
    decisive = [(r.alert.status, r.alert.severity) for r in reports(decoded)]
    assert decisive == ([expected] if expected else [])
    assert all(r.alert.code == "dtc:P0A80-1C" for r in reports(decoded))


def test_a_snapshot_lists_what_is_on_even_if_nothing_is() -> None:
    state = {"lastUpdatedAt": "2026-01-15T01:00:00Z", "checkControlMessages": []}
    decoded = decode_value({"state": state}, "bmw")
    (snapshot,) = (item for item in decoded.items if isinstance(item, Snapshot))
    assert (snapshot.scheme, snapshot.codes) == ("ccm", frozenset())


def test_cloudevents_in_both_modes_and_the_bare_alert_are_one_delivery() -> None:
    envelope = {"specversion": "1.0", "id": "1", "source": "s", "type": "t"}
    data = {name: GOOD[name] for name in GOOD if name not in ("id", "source")}
    structured = decode_value(
        {**envelope, "data": data},
        headers=(("content-type", b"application/cloudevents+json; charset=utf-8"),),
    )
    binary = decode_value(data, headers=tuple((f"ce_{k}", v.encode()) for k, v in envelope.items()))
    prints = {d.items[0].fingerprint for d in (structured, binary, decode_value(GOOD))}
    assert len(prints) == 1


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, Reject.NULL_VALUE),
        (b"x" * (MAX_VALUE_BYTES + 1), Reject.TOO_LARGE),
        (b"\xff\xfe", Reject.NOT_UTF8),
        (b"{", Reject.NOT_JSON),
        (b'{"speed_kph": NaN}', Reject.NOT_JSON),
        (b"[" * 100_000, Reject.NOT_JSON),
        ([], Reject.NOT_AN_OBJECT),
        ({"specversion": "0.3", "id": "1", "source": "s", "type": "t"}, Reject.NOT_CLOUDEVENT),
        ({k: v for k, v in GOOD.items() if k != "code"}, Reject.MISSING_FIELD),
        ({**GOOD, "source": []}, Reject.WRONG_TYPE),
        ({**GOOD, "id": "x" * 129}, Reject.OUT_OF_BOUNDS),
        ({**GOOD, "vin": "WBAIOQ0000000000"}, Reject.BAD_VIN),
        ({**GOOD, "observed_at": "2026-01-15T10:00:00"}, Reject.BAD_TIME),
        ({**GOOD, "observed_at": 1768442400}, Reject.BAD_TIME),
        ({**GOOD, "code": "P0A8"}, Reject.BAD_CODE),
    ],
)
def test_what_cannot_be_used_says_why(value: Any, reason: Reject) -> None:
    decoded = decode_value(value, key=None)
    assert decoded.items == ()
    assert [bad.reason for bad in decoded.rejected] == [reason]


def test_an_unknown_format_is_said() -> None:
    decoded = decode_value(GOOD, headers=(("pacc-format", b"morse"),))
    assert decoded.rejected[0].reason is Reject.UNKNOWN_FORMAT


@pytest.mark.parametrize("observed", ["2026-01-15T11:00:00+08:00", "1999-01-01T00:00:00Z"])
def test_a_clock_that_is_not_to_be_believed_gives_way_to_the_record(observed: str) -> None:
    (report,) = reports(decode_value({**GOOD, "observed_at": observed}))
    assert report.clock_suspect
    assert report.observed_at == report.received_at == START


def test_a_vin_is_upper_cased_and_its_check_digit_only_noted() -> None:
    (report,) = reports(decode_value({**GOOD, "vin": CAR.lower()}))
    assert report.alert.vin == CAR
    assert report.vin_check_failed
    (right,) = reports(decode_value({**GOOD, "vin": "1M8GDM9A1KP042789"}))
    assert not right.vin_check_failed


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *GOOD,
                    "state",
                    "data",
                    "checkControlMessages",
                    "dtcs",
                    "mil",
                    "status",
                    "vehicleStatus",
                    "attributesMap",
                    "properties",
                    "type",
                    "confirmed",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(
    value=JSON.map(lambda v: json.dumps(v).encode()) | st.binary(max_size=60),
    form=st.sampled_from(sorted(FORMATS)),
    at=st.integers(-(2**62), 2**62) | st.just(NOW),
)
def test_nothing_that_arrives_can_crash_a_format(value: bytes, form: str, at: int) -> None:
    decoded = decode_value(value, form, at=at)
    assert all(bad.detail for bad in decoded.rejected)
