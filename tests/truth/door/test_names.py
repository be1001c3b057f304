"""A code, a vehicle, a word, or that nothing is wrong: each is one thing, however it is spelled."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ingest.names.synonyms import HEALTHY, SYNONYMS
from ingest.names.words import word_of
from models.names.fault_code import canonical_code
from models.words import Outcome, Priority, Reject, Severity, Status
from prioritizer.ranking.rank import rank
from tests.support.faults import active_fault, standing_of
from tests.truth.door.cases import alert, codes, decided, foreign, outcomes, reports
from tests.worlds import CAR, OTHER, ranker

SPELLINGS = ("B1342", "b1342", "B1342-00", "B134200", "0x9342", "0X934200", "DTC:B1342", "9342")


def uds(code: str, minute: int = 0) -> Any:
    """A fault memory with one code that limits the car."""
    entry = {"code": code, "status": "09", "severity": "40"}
    observed = f"2026-01-15T02:{minute:02d}:00Z"
    return foreign("uds", {"vin": CAR, "observed_at": observed, "dtcs": [entry]}, minute)


def test_one_fault_in_several_spellings_is_one_fault_and_one_clear_ends_it() -> None:
    spelled = [f"dtc:{code}" for code in SPELLINGS[:6]] + ["DTC:B1342", "dtc: B1342 "]
    same = [alert(minute, code=code) for minute, code in enumerate(spelled)]
    decision = decided(*same, alert(20, code="dtc:b134200", status="cleared"))
    assert codes(decision) == {"dtc:B1342"}
    assert outcomes(decision)[1:] == [Outcome.REPEATED] * (len(same) - 1) + [Outcome.CLEARED]
    (case,) = decision.cases
    assert case.ranking.priority is Priority.NORMAL


def test_a_fault_memory_spells_one_code_in_four_ways() -> None:
    spelled = ("0A8000", "P0A80-00", "P0A8000", "P0A80", "p0a80", "0x0A80", "P0A80 00")
    decision = decided(*(uds(code, minute) for minute, code in enumerate(spelled)))
    assert codes(decision) == {"dtc:P0A80"}


@given(
    st.sampled_from("PCBU"),
    st.integers(0, 0x3FFF),
    st.integers(0, 0xFF),
    st.sampled_from(("", "dtc:", "DTC:", "Dtc ", " ")),
    st.sampled_from((str, str.lower)),
)
def test_any_code_of_the_standard_keeps_its_identity_in_any_spelling(
    letter: str, digits: int, failure: int, before: str, dress: Callable[[str], str]
) -> None:
    kind = f"-{failure:02X}" if failure else ""
    code = f"dtc:{letter}{digits >> 12}{digits & 0xFFF:03X}{kind}"
    raw = "PCBU".index(letter) << 14 | digits
    for text in (
        f"{before}{letter}{digits:04X}{failure:02X}",
        f"{before}{letter}{digits:04X}-{failure:02X}",
        f"dtc:0x{raw:04X}{failure:02X}",
        f"dtc:{raw:04X}{failure:02X}",
    ):
        assert canonical_code(dress(text)) == code
    assert canonical_code(code) == code


def test_different_faults_stay_different() -> None:
    every = {canonical_code(f"dtc:{raw:06X}") for raw in range(0, 1 << 24, 251)}
    assert len(every) == len(range(0, 1 << 24, 251))


def test_several_failure_types_of_one_component_count_once() -> None:
    kinds = [active_fault(f"dtc:C0034-{kind}", Severity.LIMITED) for kind in ("11", "12", "64")]
    apart = [active_fault(f"dtc:C00{part}", Severity.LIMITED) for part in ("34", "37", "3A")]
    cases = [standing_of(*kinds), standing_of(*apart)]
    once, three_times = (rank([case], ranker()).explain(0) for case in cases)
    assert "three-limited" in three_times.rules
    assert "three-limited" not in once.rules


PLACEHOLDERS = ("0" * 17, "1" * 17, "X" * 17, "01234567890123456", "TEST0000000000001")


@pytest.mark.parametrize("vin", PLACEHOLDERS)
def test_a_placeholder_is_no_vehicle(vin: str) -> None:
    decision = decided(alert(vin=vin, severity="stop"))
    assert outcomes(decision) == [Outcome.QUARANTINED]
    (rejected,) = decision.ended[0].decoded.rejected
    assert rejected.reason is Reject.BAD_VIN
    assert "placeholder" in rejected.detail


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("WVGZZZ5NZEW069290", "WVGZZZ5NZEW069290"),  # European: its check digit is none
        (" lbv8p2c05l7f00007 ", "LBV8P2C05L7F00007"),
        ("ＬＢＶ8P2C05L7F00008", "LBV8P2C05L7F00008"),
    ],
)
def test_a_vehicle_is_known_in_any_letters(said: str, meant: str) -> None:
    (case,) = decided(alert(vin=said, severity="stop")).cases
    assert (case.vin, case.ranking.priority) == (meant, Priority.URGENT)


@pytest.mark.parametrize(
    ("vin", "why"), [("LBV8P2C05L7F00009\0", "NUL"), ("LBV8P2C05L7F000O1", "letter O")]
)
def test_what_is_no_vin_is_said_in_words(vin: str, why: str) -> None:
    (rejected,) = decided(alert(vin=vin)).ended[0].decoded.rejected
    assert rejected.reason is Reject.BAD_VIN
    assert why in rejected.detail


DOCUMENTS: dict[str, dict[str, Any]] = {
    "cloudevents": {"id": "1", "source": "s", "code": "dtc:P0A80", "severity": "limited"},
    "uds": {"dtcs": [{"code": "P0A80", "status": 9}]},
    "obd": {"mil": True, "confirmed": ["P0A80"]},
    "bmw": {
        "state": {
            "lastUpdatedAt": "2026-01-15T02:00:00Z",
            "checkControlMessages": [{"type": "ENGINE_OIL", "severity": "LOW"}],
        }
    },
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_document_outranks_the_key_and_a_difference_is_marked(name: str) -> None:
    document = {**DOCUMENTS[name], "vin": CAR, "observed_at": "2026-01-15T02:00:00Z"}
    for key, is_doubted in ((CAR, False), (OTHER, True), ("fleet-7", False)):
        record = foreign(name, document)
        (report,) = reports(decided(replace(record, key=key.encode())))
        assert report.vin == CAR
        assert ("vin" in report.defaulted) is is_doubted


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_key_stands_in_for_a_document_that_names_no_vehicle(name: str) -> None:
    document = {**DOCUMENTS[name], "observed_at": "2026-01-15T02:00:00Z"}
    (report,) = reports(decided(foreign(name, document)))
    assert report.vin == CAR


NOTHING: list[tuple[str, dict[str, Any]]] = [
    ("obd", {"mil": False, "confirmed": ["P0000", "0000"]}),
    ("obd", {"mil": 0, "confirmed": ["P0000"], "pending": ["0x0000"]}),
    ("obd", {"mil": "OFF", "confirmed": []}),
    ("uds", {"dtcs": [{"code": "000000", "status": 9}, {"code": "P0000-00", "status": 1}]}),
    ("cloudevents", {"code": "spn:0/0", "lamp": "off"}),
    ("cloudevents", {"code": "spn:524287/31", "lamp": "OFF"}),
    ("cloudevents", {"code": "spn:0/00", "lamp": 0}),
    ("cloudevents", {"code": "dtc:P0000", "severity": None}),
    ("cloudevents", {"code": "dtc:P0A80", "severity": "OK"}),
    ("bmw", {"state": {"checkControlMessages": [{"type": "ENGINE_OIL", "severity": "OK"}]}}),
    ("bmw", {"state": {"checkControlMessages": [{"type": "TIRE_PRESSURE", "severity": "ok"}]}}),
]


@pytest.mark.parametrize(("name", "document"), NOTHING)
def test_what_says_that_nothing_is_wrong_is_quiet(name: str, document: dict[str, Any]) -> None:
    alone = {"id": "1", "source": "test", "vin": CAR, "observed_at": "2026-01-15T02:00:00Z"}
    decision = decided(foreign(name, {**alone, **document}))
    assert outcomes(decision) == [Outcome.QUIET]
    assert decision.cases == ()


def test_no_code_under_a_red_lamp_is_a_warning_and_no_quiet() -> None:
    for lamp, severity in (("red", None), ("off", "stop")):
        decision = decided(alert(code="spn:0/0", lamp=lamp, severity=severity, motion="moving"))
        (case,) = decision.cases
        assert case.ranking.priority is Priority.URGENT


def test_a_failure_mode_is_one_with_and_without_its_zero() -> None:
    grave = {"severity": "stop", "motion": "moving"}
    decision = decided(alert(0, code="spn:100/01", **grave), alert(1, code="spn:100/1", **grave))
    assert codes(decision) == {"spn:100/1"}
    assert outcomes(decision) == [Outcome.OPENED, Outcome.REPEATED]


DRESSES: tuple[Callable[[str], str], ...] = (
    str,
    str.upper,
    str.title,
    lambda word: word.replace("_", " "),
)


@pytest.mark.parametrize("vocabulary", SYNONYMS)
def test_every_word_means_the_same_in_any_dress(vocabulary: str) -> None:
    for word, spellings in SYNONYMS[vocabulary].items():
        for spelling, dress in itertools.product((*spellings, word.value), DRESSES):
            for text in (
                dress(spelling),
                f" {dress(spelling)} ",
                dress(spelling).replace("_", "-"),
            ):
                assert word_of(vocabulary, text) == (word, False), text


def test_no_word_of_a_vocabulary_says_two_things() -> None:
    for words in SYNONYMS.values():
        spellings = [text.casefold() for spelled in words.values() for text in spelled]
        assert len(spellings) == len(set(spellings))
    assert not HEALTHY & {text.upper() for text in SYNONYMS["severity"][Severity.STOP]}


@pytest.mark.parametrize("word", ["STOP", "Stop", "stop ", "stop-now", "停车", "CRITICAL"])
def test_stop_of_a_code_that_nobody_knows_is_urgent_in_any_spelling(word: str) -> None:
    decision = decided(alert(code="dtc:P1A7F", severity=word, motion="moving"))
    assert decision.cases[0].ranking.priority is Priority.URGENT


@pytest.mark.parametrize("word", ["CLEARED", "Cleared", "resolved", "已清除", "NOT-ACTIVE"])
def test_what_says_that_it_is_over_clears(word: str) -> None:
    decision = decided(alert(0), alert(5, status=word))
    assert outcomes(decision) == [Outcome.OPENED, Outcome.CLEARED]


@pytest.mark.parametrize("member", ["severity", "status", "lamp", "motion"])
@pytest.mark.parametrize("word", ["zorp", "high-ish", 17, {"level": 3}, "x" * 500])
def test_a_word_that_nobody_knows_is_never_low_and_is_named(member: str, word: Any) -> None:
    decision = decided(alert(**{member: word}))
    (report,) = reports(decision)
    assert member in report.defaulted
    assert member in report.unknown_words
    ((_, _, fault),) = decision.faults
    assert fault.severity in (Severity.LIMITED, Severity.UNKNOWN)
    assert fault.status is Status.ACTIVE


def test_what_is_not_said_is_no_unknown_word() -> None:
    (report,) = reports(decided(alert(severity=None, lamp="n/a", motion="unknown")))
    assert report.unknown_words == ()


def test_a_vin_that_cannot_be_read_costs_no_alert_whose_key_is_one_and_is_marked() -> None:
    broken = replace(alert(vin="?" + CAR, severity="stop"), key=CAR.encode())
    (report,) = reports(decided(broken))
    assert (report.vin, report.defaulted) == (CAR, ("vin",))
