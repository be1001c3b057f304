"""A rule that can never fire is refused; one that is tried counts and does not act."""

from typing import Final

import pytest
from msgspec.structs import replace

from models.errors import Mistake
from models.words import Action, Priority, Severity
from prioritizer.ranking.rank import rank
from prioritizer.ranking.rules import RuleSet, parse_rules
from tests.support.faults import active_fault, standing_of
from tests.worlds import ranker

RULE: Final = """
- id: tried
  title: {{zh: 试, en: Tried}}
  status: "{status}"
  when: {{all: [{{field: speed_kph, op: above, value: {value}}}]}}
  floor: urgent
  action: stop_now
  reason: {{zh: "试用规则", en: "A rule that is tried"}}
  owner: roadside
  tests:
    - {{name: fires, faults: [{{code: "dtc:P0A80"}}], readings: {{speed_kph: 90}}, fires: true}}
    - {{name: does not, faults: [{{code: "dtc:P0A80"}}], fires: false}}
"""


def _rules(status: str, value: float = 80) -> RuleSet:
    return parse_rules({"tried.yaml": RULE.format(status=status, value=value)})


@pytest.mark.parametrize("value", [600, -1, 500.1])
def test_a_bound_that_no_car_reaches_is_refused_with_its_place(value: float) -> None:
    with pytest.raises(Mistake, match="speed_kph is 0 to 500 in every car"):
        _rules("stable", value)


def test_an_experimental_rule_counts_and_does_not_act() -> None:
    case = standing_of(active_fault("dtc:B1342", Severity.SERVICE), speed_kph=90.0)
    off, tried, acting = (
        rank([case], replace(ranker(), rules=_rules(status))).explain(0)
        for status in ("off", "experimental", "stable")
    )
    assert (acting.priority, acting.action) == (Priority.URGENT, Action.STOP_NOW)
    assert tried.rules == ("experimental:tried",)
    assert replace(tried, rules=()) == off


def test_nor_does_it_act_for_a_folded_fault() -> None:
    case = standing_of(active_fault("dtc:B1300", Severity.SERVICE), speed_kph=90.0)
    folded = active_fault("dtc:U0131", Severity.LIMITED)
    hidden = replace(case, faults=(), folded=1, folded_faults=(folded,))
    ranked = rank([hidden], replace(ranker(), rules=_rules("experimental"))).explain(0)
    assert ranked.priority is Priority.NORMAL
