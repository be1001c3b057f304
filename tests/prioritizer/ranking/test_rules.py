"""Rules: the floors that they must hold, their own tests, and what is refused."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.case import Fault, Standing, VehicleInfo
from models.words import Action, Motion, Priority, Severity, Status
from prioritizer.features.catalogue import TAGS, load_catalogue, parse_catalogue
from prioritizer.ranking.rank import rank
from prioritizer.ranking.rules import check_rules, load_rules, parse_rules
from prioritizer.ranking.rules import test_rules as run_rule_tests
from tests.worlds import START, ranker

CATALOGUE = load_catalogue()


def fault(
    code: str, severity: Severity = Severity.LIMITED, motion: Motion = Motion.MOVING
) -> Fault:
    """An active fault."""
    return Fault(
        code=code,
        source="s",
        severity=severity,
        status=Status.ACTIVE,
        first_seen=START,
        last_seen=START,
        motion=motion,
        stop_in_motion=motion is not Motion.PARKED,
    )


def row(*faults: Fault, **readings: float) -> Standing:
    """A row for the rules."""
    return Standing(START, faults, VehicleInfo(), readings)


STOP, LIMITED, SERVICE, INFO = Severity.STOP, Severity.LIMITED, Severity.SERVICE, Severity.INFO


@pytest.mark.parametrize(
    ("given", "priority", "action", "needs_task"),
    [
        (fault("dtc:P0301", STOP, Motion.MOVING), Priority.URGENT, Action.STOP_NOW, True),
        (fault("dtc:P0301", STOP, Motion.UNKNOWN), Priority.URGENT, Action.STOP_NOW, True),
        (fault("dtc:P0301", STOP, Motion.PARKED), Priority.HIGH, Action.STOP_NOW, True),
        (fault("dtc:P0301"), Priority.HIGH, Action.DRIVE_TO_DEALER, True),
        (fault("dtc:C0031"), Priority.HIGH, Action.DRIVE_TO_DEALER, True),
        (fault("dtc:C0055"), Priority.HIGH, Action.DRIVE_TO_DEALER, True),
        (fault("dtc:P0A7F"), Priority.HIGH, Action.DRIVE_TO_DEALER, True),
        (fault("ccm:COOLANT"), Priority.HIGH, Action.DRIVE_TO_DEALER, True),
        (fault("dtc:P0520"), Priority.HIGH, Action.STOP_NOW, True),
        (fault("dtc:B1301"), Priority.HIGH, Action.DRIVE_TO_DEALER, True),
        (fault("ccm:TIRE_PRESSURE"), Priority.HIGH, Action.DRIVE_TO_DEALER, True),
        (fault("dtc:B1342"), Priority.NORMAL, Action.VISIT_SOON, True),
        (fault("dtc:P0301", SERVICE), Priority.NORMAL, Action.VISIT_SOON, True),
        (fault("dtc:P0301", INFO), Priority.NORMAL, Action.CARRY_ON, False),
    ],
)
def test_the_floor_of_the_worst_fault(
    given: Fault, priority: Priority, action: Action, *, needs_task: bool
) -> None:
    ranking = rank([row(given)], ranker()).explain(0)
    assert (ranking.priority, ranking.action, ranking.needs_task) == (priority, action, needs_task)
    assert all(line.zh and line.en for line in ranking.reasons)
    assert 1 <= len(ranking.reasons) <= 3


def test_unknown_is_never_harmless() -> None:
    unheard = fault("zz:never-seen", Severity.UNKNOWN, Motion.UNKNOWN)
    assert rank([row(unheard)], ranker()).explain(0).priority is Priority.HIGH
    known_to_stop = fault("dtc:P0524", Severity.UNKNOWN, Motion.UNKNOWN)
    assert rank([row(known_to_stop)], ranker()).explain(0).priority is Priority.URGENT


FAULTS = st.builds(
    fault,
    st.sampled_from([*sorted(CATALOGUE.entries), "zz:1", "dtc:B9999", "dtc:P0A80-1C"]),
    st.sampled_from(list(Severity)),
    st.sampled_from(list(Motion)),
)


@given(held=st.lists(FAULTS, max_size=6), more=FAULTS, speed=st.floats(0, 200))
def test_one_fault_more_never_lowers_a_case(held: list[Fault], more: Fault, speed: float) -> None:
    ranked = rank([row(*held, speed_kph=speed), row(*held, more, speed_kph=speed)], ranker())
    assert ranked.priority[0] <= ranked.priority[1]
    assert ranked.needs_task[0] <= ranked.needs_task[1]


def test_the_rule_set_is_large_enough_and_passes_its_own_tests() -> None:
    rule_set = load_rules()
    assert len(rule_set.rules) >= 25
    assert check_rules(rule_set) == []
    assert run_rule_tests(rule_set, CATALOGUE) == []


def test_a_rule_whose_test_goes_another_way_is_named() -> None:
    rule_set = load_rules()
    rule = rule_set.rules[0]
    wrong = tuple({**test, "fires": not test["fires"]} for test in rule.tests)
    broken = replace(rule_set, rules=(replace(rule, tests=wrong), *rule_set.rules[1:]))
    assert all(line.startswith(rule.rule_id) for line in run_rule_tests(broken, CATALOGUE))
    assert len(run_rule_tests(broken, CATALOGUE)) == len(wrong)
    without = replace(rule_set, rules=(replace(rule, tests=()),))
    assert check_rules(without) != []


RULE = """
- id: r
  title: {zh: 一, en: one}
  status: stable
  when: {field: %s, op: %s, value: %s}
  floor: high
  action: visit_soon
  reason: {zh: 一, en: "%s"}
  owner: dealer
  tests: []
"""


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (("wurst", "is", "stop", "x"), "r.yaml: r: no field 'wurst'"),
        (("worst", "like", "stop", "x"), "worst cannot be asked 'like'"),
        (("tags", "has_any", "[magic]", "x"), "tags has no 'magic'"),
        (("worst", "is", "stop", "{vin}"), "no placeholder 'vin'"),
    ],
)
def test_a_mistake_in_a_rule_names_file_and_rule(parts: tuple[str, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("[", r"\[")):
        parse_rules({"r.yaml": RULE % parts})


def test_the_catalogue_speaks_both_languages() -> None:
    assert len(CATALOGUE.entries) >= 150
    for code, entry in CATALOGUE.entries.items():
        for text in (entry.title, entry.advice):
            assert any("\u4e00" <= sign <= "\u9fff" for sign in text.zh), code
            assert text.en, code
            assert not any("\u4e00" <= sign <= "\u9fff" for sign in text.en), code
    assert {tag for entry in CATALOGUE.entries.values() for tag in entry.tags} <= set(TAGS)


def test_a_code_with_a_failure_type_is_found_by_its_base() -> None:
    assert CATALOGUE.entry("dtc:P0A80-1C") is CATALOGUE.entries["dtc:P0A80"]


def test_an_unknown_tag_is_refused() -> None:
    with pytest.raises(ValueError, match="no such tag: magic"):
        parse_catalogue('"a:1": {system: body, title: [一, one], advice: [一, one], tags: [magic]}')
