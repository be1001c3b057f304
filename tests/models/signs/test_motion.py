"""Which motion a case is decided by, whatever a car says of it."""

from datetime import timedelta

import pytest

from models.signs.motion import Whereabouts, is_driving, motion_of
from models.words import Motion
from tests.worlds import START

PARKED, MOVING, UNKNOWN = Motion.PARKED, Motion.MOVING, Motion.UNKNOWN
HERE = (39.9, 116.4)


@pytest.mark.parametrize("word", Motion)
@pytest.mark.parametrize(("speed", "expected"), [(None, None), (0, None), (5, None), (5.1, MOVING)])
def test_a_speed_that_no_parked_car_has_outweighs_every_word(
    word: Motion, speed: float | None, expected: Motion | None
) -> None:
    assert motion_of(word, speed) is (expected or word)


@pytest.mark.parametrize(
    ("minutes", "km", "north", "expected"),
    [
        (1, 1.5, None, UNKNOWN),  # ninety an hour, and still parked
        (10, 1.0, None, UNKNOWN),
        (10, 0.4, None, PARKED),  # what an odometer rounds
        (11, 9.0, None, PARKED),  # it may have driven, and parked
        (-1, 1.5, None, PARKED),  # of a later report nothing follows
        (0, 1.5, None, PARKED),
        (1, None, 0.01, UNKNOWN),  # more than a kilometre to the north
        (1, None, 0.001, PARKED),  # a hundred metres: what a receiver is wrong by
        (1, -3.0, None, PARKED),
    ],
)
def test_a_car_that_has_just_come_a_way_is_not_parked_by_its_word_alone(
    minutes: float, km: float | None, north: float | None, expected: Motion
) -> None:
    before = Whereabouts(START, 1000.0, HERE)
    now = Whereabouts(
        START + timedelta(minutes=minutes),
        None if km is None else 1000.0 + km,
        None if north is None else (HERE[0] + north, HERE[1]),
    )
    assert motion_of(PARKED, 0, [before], now) is expected
    assert motion_of(MOVING, 0, [before], now) is MOVING
    assert motion_of(UNKNOWN, 0, [before], now) is UNKNOWN


def test_what_is_not_known_counts_as_driving_until_a_speed_says_that_it_stands() -> None:
    speeds = (None, 0.0, 1.0, 60.0)
    assert [is_driving(MOVING, speed) for speed in speeds] == [True] * 4
    assert [is_driving(PARKED, speed) for speed in speeds] == [False] * 4
    assert [is_driving(UNKNOWN, speed) for speed in speeds] == [True, False, True, True]
