"""A stop that was refused alarms at once, whatever the share; nothing else does."""

import json
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from models.batch import Record
from pacc.watch.metrics import Metrics
from tests.truth.door.cases import alert, decided, foreign

NO_TIME: dict[str, Any] = {"observed_at": "yesterday"}
UDS = {"vin": "1" * 17, "dtcs": [{"code": "P0A80", "status": 9, "severity": "80"}]}
MESSAGE = {"type": "BRAKE", "severity": "HIGH"}
BMW = {"vin": "0" * 17, "state": {"lastUpdatedAt": "2026", "checkControlMessages": [MESSAGE]}}
CARDATA = {
    "vin": "0" * 17,
    "data": {"vehicle.status.checkControlMessages": {"value": json.dumps([MESSAGE])}},
}


def _cut(record: Record) -> Record:
    return replace(record, value=(record.value or b"")[:-1])


REFUSED = [
    alert(severity="stop", **NO_TIME),
    alert(severity="STOP!", **NO_TIME),
    alert(severity="停车", **NO_TIME),
    alert(severity="stop", vin="0" * 17),
    alert(severity="stop", code="??"),
    alert(lamp="red", **NO_TIME),
    _cut(alert(severity="stop")),
    foreign("uds", UDS),
    foreign("uds", {**UDS, "dtcs": [{"code": "P0A80", "severity": 0x90}]}),
    foreign("bmw", BMW),
    foreign("bmw", CARDATA),
]
NO_STOP = [
    alert(severity="stop"),
    alert(**NO_TIME),
    alert(severity="service", lamp="amber", **NO_TIME),
    foreign("uds", {**UDS, "dtcs": [{"code": "P0A80", "severity": "40"}]}),
    foreign("obd", {"vin": "1" * 17, "mil": True}),
    replace(alert(), value=None),
]


def _alarms(record: Record) -> tuple[float | None, list[str]]:
    metrics = Metrics()
    with capture_logs() as lines:
        metrics.observe_batch(decided(*[alert()] * 50, record), 0.1, {}, 0.0)
    counted = metrics.registry.get_sample_value("pacc_refused_stops_total")
    return counted, [line["event"] for line in lines if line["log_level"] == "error"]


@pytest.mark.parametrize("record", REFUSED)
def test_a_refused_stop_is_counted_and_said(record: Record) -> None:
    assert decided(record).ended[0].decoded.rejected
    assert _alarms(record) == (1, ["refused_stop"])


@pytest.mark.parametrize("record", NO_STOP)
def test_what_says_no_stop_or_is_used_alarms_nobody(record: Record) -> None:
    assert _alarms(record) == (0, [])
