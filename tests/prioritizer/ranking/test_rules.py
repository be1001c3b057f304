"""Rules: the floors that they must hold, their own tests, and what is refused."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.case import Fault
from models.words import Action, Motion, Priority, Severity
from prioritizer.features.catalogue import load_catalogue
from prioritizer.ranking.rank import rank
from prioritizer.ranking.rules import check_rules, load_rules, parse_rules
from prioritizer.ranking.rules import test_rules as run_rule_tests
from tests.support.faults import FAULTS, active_fault, standing_of
from tests.worlds import ranker

CATALOGUE = load_catalogue()


STOP, LIMITED, SERVICE, INFO = Severity.STOP, Severity.LIMITED, Severity.SERVICE, Severity.INFO


@pytest.mark.parametrize(
    ("worst", "priority", "action", "needs_task"),
    [
        (active_fault("dtc:P0301", STOP, Motion.MOVING), Priority.URGENT, Action.STOP_NOW, True),
        (active_fault("dtc:P0301", STOP, Motion.UNKNOWN), Priority.URGENT, Action.STOP_NOW, True),
        (active_fault("dtc:P0301", STOP, Motion.PARKED), Priority.HIGH, Action.STOP_NOW, True),
        (active_fault("dtc:P0301"), Priority.HIGH, Action.DRIVE_TO_DEALER, True),
        (active_fault("dtc:C0031"), Priority.NORMAL, Action.VISIT_SOON, True),
        (active_fault("dtc:C0079"), Priority.HIGH, Action.DRIVE_TO_DEALER, True),
        (active_fault("dtc:P0A7F"), Priority.HIGH, Action.DRIVE_TO_DEALER, True),
        (active_fault("ccm:COOLANT"), Priority.HIGH, Action.DRIVE_TO_DEALER, True),
        (active_fault("dtc:P0520"), Priority.NORMAL, Action.VISIT_SOON, True),
        (active_fault("dtc:B1301"), Priority.HIGH, Action.DRIVE_TO_DEALER, True),
        (active_fault("ccm:TIRE_PRESSURE"), Priority.HIGH, Action.DRIVE_TO_DEALER, True),
        (active_fault("dtc:B1342"), Priority.NORMAL, Action.VISIT_SOON, True),
        (active_fault("dtc:P0301", SERVICE), Priority.NORMAL, Action.VISIT_SOON, True),
        (active_fault("dtc:P0301", INFO), Priority.NORMAL, Action.CARRY_ON, False),
    ],
)
def test_the_floor_of_the_worst_fault(
    worst: Fault, priority: Priority, action: Action, *, needs_task: bool
) -> None:
    ranking = rank([standing_of(worst)], ranker()).explain(0)
    assert (ranking.priority, ranking.action, ranking.needs_task) == (priority, action, needs_task)
    assert all(line.zh and line.en for line in ranking.reasons)
    assert 1 <= len(ranking.reasons) <= 3


def test_unknown_is_never_harmless() -> None:
    unheard = active_fault("zz:never-seen", Severity.UNKNOWN, Motion.UNKNOWN)
    assert rank([standing_of(unheard)], ranker()).explain(0).priority is Priority.HIGH
    known_to_stop = active_fault("dtc:P0524", Severity.UNKNOWN, Motion.UNKNOWN)
    assert rank([standing_of(known_to_stop)], ranker()).explain(0).priority is Priority.URGENT


@given(faults=st.lists(FAULTS, max_size=6), more=FAULTS, speed=st.floats(0, 200))
def test_one_fault_more_never_lowers_a_case(faults: list[Fault], more: Fault, speed: float) -> None:
    ranked = rank(
        [standing_of(*faults, speed_kph=speed), standing_of(*faults, more, speed_kph=speed)],
        ranker(),
    )
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
    assert all(f": {rule.rule_id}: " in line for line in run_rule_tests(broken, CATALOGUE))
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
        (("wurst", "is", "stop", "x"), "r.yaml:5: r: when.field: no field 'wurst'"),
        (("severity", "like", "stop", "x"), "severity cannot be asked 'like'"),
        (("tags", "has_any", "[magic]", "x"), "tags has no 'magic'"),
        (("severity", "is", "stop", "{vin}"), "no placeholder 'vin'"),
    ],
)
def test_a_mistake_in_a_rule_names_file_and_rule(parts: tuple[str, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("[", r"\[")):
        parse_rules({"r.yaml": RULE % parts})
