"""Labels: what is known of a case's end, what is not, and how much each weighs."""

from datetime import timedelta

import numpy as np
import pytest
from msgspec.structs import replace

from models.case import VehicleInfo
from models.words import Disposition
from pacc.learn.labels import Breakdown, Findings, label
from pacc.learn.samples import Sample
from tests.support.faults import active_fault, standing_of
from tests.worlds import CAR, START


def sample(case_id: str, hours: float, vin: str = CAR) -> Sample:
    """A moment of a case, so many hours after the start."""
    at = START + timedelta(hours=hours)
    return Sample(
        vin, case_id, at, replace(standing_of(active_fault("dtc:B1342")), at=at, info=VehicleInfo())
    )


def test_a_moment_is_immobilised_within_24_hours_and_while_the_car_stands() -> None:
    stood = {CAR: [Breakdown(START + timedelta(hours=30), START + timedelta(hours=50))]}
    moments = [sample("a", hours) for hours in (5, 7, 30, 49, 51)]
    labels = label(moments, np.zeros(5, np.int8), Findings(stood, START + timedelta(days=9)))
    assert labels.is_immobilised.tolist() == [False, True, True, True, False]
    assert labels.hours.tolist()[:4] == [25, 23, 0, 0]
    assert labels.is_known.all()


@pytest.mark.parametrize(
    ("ended", "why"),
    [
        (Disposition.REPAIRED, None),
        (Disposition.HEALED, None),
        (Disposition.FALSE_ALARM, None),
        (Disposition.UNREACHABLE, "not_reached"),
        (Disposition.DECLINED, "not_reached"),
        (Disposition.ALREADY_HELPED, "not_reached"),
        (None, "still_open"),
    ],
)
def test_what_nobody_knows_has_no_label_and_is_counted(
    ended: Disposition | None, why: str | None
) -> None:
    findings = Findings({}, START + timedelta(days=9), {"a": ended})
    labels = label([sample("a", 1)], np.zeros(1, np.int8), findings)
    assert labels.is_known.tolist() == [why is None]
    assert labels.unknown == ({} if why is None else {why: 1})
    young = Findings({}, START + timedelta(hours=20), {"a": ended})
    assert label([sample("a", 1)], np.zeros(1, np.int8), young).unknown == {"too_young": 1}


def test_a_breakdown_is_known_even_where_its_case_is_not() -> None:
    stood = {CAR: [Breakdown(START + timedelta(hours=3), None)]}
    labels = label([sample("a", 1)], np.zeros(1, np.int8), Findings(stood, START, {}))
    assert (labels.is_immobilised.tolist(), labels.is_known.tolist()) == ([True], [True])


def test_labels_that_are_rare_at_a_priority_weigh_more() -> None:
    ends = {"a": Disposition.HEALED, "b": None, "c": None, "d": Disposition.HEALED}
    moments = [sample(case_id, 1) for case_id in "abcd"]
    floor = np.array([0, 0, 0, 1], np.int8)
    labels = label(moments, floor, Findings({}, START + timedelta(days=9), ends))
    assert labels.weight[labels.is_known].tolist() == [3.0, 1.0]
