"""A fault that follows from another still counts where it is a danger now."""

import pytest
from msgspec.structs import replace

from models.words import Action, Priority, Severity
from prioritizer.ranking.rank import rank
from tests.support.faults import active_fault, standing_of
from tests.worlds import ranker

SERVICE, LIMITED = Severity.SERVICE, Severity.LIMITED


@pytest.mark.parametrize(
    ("root", "symptom"), [("dtc:B1300", "dtc:U0131"), ("dtc:P0560", "dtc:U0129")]
)
def test_steering_or_brakes_that_fail_at_speed_are_urgent_under_any_cause(
    root: str, symptom: str
) -> None:
    folded = active_fault(symptom, LIMITED)
    case = standing_of(active_fault(root, SERVICE), speed_kph=100.0)
    hidden = rank([replace(case, folded=1, folded_faults=(folded,))], ranker()).explain(0)
    assert (hidden.priority, hidden.action) == (Priority.URGENT, Action.STOP_NOW)
    alone = rank([replace(case, faults=(folded,))], ranker()).explain(0)
    assert hidden.reasons[0] == alone.reasons[0]


def test_a_symptom_that_is_no_danger_raises_nothing() -> None:
    case = standing_of(active_fault("dtc:P0562", SERVICE), speed_kph=100.0)
    folded = replace(case, folded=1, folded_faults=(active_fault("dtc:U0140", LIMITED),))
    with_it, without = rank([folded, case], ranker()).explain(0), rank([case], ranker()).explain(0)
    assert (with_it.priority, with_it.action) == (without.priority, without.action)


def test_the_order_in_which_folded_faults_are_known_changes_no_reason() -> None:
    case = standing_of(active_fault("dtc:P0560", SERVICE), speed_kph=100.0)
    folded = tuple(active_fault(code, LIMITED) for code in ("dtc:U0131", "dtc:C0079"))
    cases = [
        replace(case, folded=2, folded_faults=order) for order in (folded, tuple(reversed(folded)))
    ]
    ranked = rank(cases, ranker())
    assert ranked.explain(0).reasons == ranked.explain(1).reasons
    assert ranked.explain(0).rules == ranked.explain(1).rules
