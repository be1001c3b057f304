"""Quiet is only what says that nothing is wrong; an empty list beside a message is not."""

from typing import Any

import pytest

from models.words import Outcome, Reject, Severity
from tests.truth.door.cases import decided, foreign, outcomes, reports

AT = "2026-01-15T02:00:00Z"
AT_MS = "1768442400000"


def _state(**members: Any) -> dict[str, Any]:
    return {"state": {"lastUpdatedAt": AT, "checkControlMessages": [], **members}}


def _packed(**attributes: Any) -> dict[str, Any]:
    return {
        "attributesMap": {"updateTime_converted_timestamp": AT_MS, **attributes},
        "vehicleMessages": {"ccmMessages": [], "cbsMessages": []},
    }


def _tyre(pressure: float, target: float = 240) -> dict[str, Any]:
    return {"status": {"currentPressure": pressure, "targetPressure": target}}


WRONG: list[tuple[dict[str, Any], str]] = [
    (_packed(condition_based_services="00003,OVERDUE,2019-11,"), "cbs:3"),
    (_packed(chargingHVStatus="ERROR"), "charging:ERROR"),
    (_state(electricChargingState={"chargingStatus": "ERROR"}), "charging:ERROR"),
    (_state(electricChargingState={"chargingStatus": "Charging error"}), "charging:ERROR"),
    (_state(tireState={"frontLeft": _tyre(120), "rearLeft": _tyre(240)}), "tyre:UNDER_TARGET"),
    ({"vehicleStatus": {"updateTime": AT, "chargingStatus": "ERROR"}}, "charging:ERROR"),
]


@pytest.mark.parametrize(("document", "code"), WRONG)
def test_what_is_wrong_beside_an_empty_list_alerts(document: dict[str, Any], code: str) -> None:
    decision = decided(foreign("bmw", document))
    assert [report.alert.code for report in reports(decision)] == [code]
    assert outcomes(decision) == [Outcome.OPENED]


def test_of_a_packed_string_each_message_counts_that_is_not_ok() -> None:
    packed = "00229,OK;00955,;00017,PENDING"
    messages = reports(decided(foreign("bmw", _packed(check_control_messages=packed))))
    assert {report.alert.code for report in messages} == {"ccm:955", "ccm:17"}


RIGHT: list[dict[str, Any]] = [
    _packed(),
    _packed(check_control_messages="", condition_based_services="00001,OK,2027-10,24000;"),
    _packed(chargingHVStatus="CHARGING"),
    _state(),
    _state(electricChargingState={"chargingStatus": "PLUGGED_IN"}),
    _state(tireState={"frontLeft": _tyre(230), "rearLeft": _tyre(215)}),
    _state(tireState={"frontLeft": {"status": {"currentPressure": None}}}),
]


@pytest.mark.parametrize("document", RIGHT)
def test_what_says_that_nothing_is_wrong_opens_nothing(document: dict[str, Any]) -> None:
    decision = decided(foreign("bmw", document))
    assert outcomes(decision) == [Outcome.QUIET]
    assert decision.cases == ()


@pytest.mark.parametrize(("share", "severity"), [(0.5, Severity.LIMITED), (0.75, Severity.SERVICE)])
def test_a_tyre_that_is_half_empty_is_graver_than_a_soft_one(
    share: float, severity: Severity
) -> None:
    document = _state(tireState={"frontLeft": _tyre(240 * share)})
    (report,) = reports(decided(foreign("bmw", document)))
    assert (report.alert.severity, report.alert.signals["tyre_kpa"]) == (severity, 240 * share)


@pytest.mark.parametrize(
    "document",
    [
        {"vehicleStatus": {"engine": "off", "doors": []}},
        {"state": {"value": "ok"}},
        {"properties": {"name": "thermostat"}},
        {"state": "running"},
        {"dtcs": []},
        {"temperature": 20},
        {},
    ],
)
def test_a_foreign_document_on_a_bmw_topic_is_not_quiet(document: dict[str, Any]) -> None:
    decision = decided(foreign("bmw", document))
    assert outcomes(decision) == [Outcome.QUARANTINED]
    (rejected,) = decision.ended[0].decoded.rejected
    assert rejected.reason is Reject.UNRECOGNISED
