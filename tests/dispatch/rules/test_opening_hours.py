"""Opening hours: what can be said is read back as it was said, what cannot be said is refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.opening_hours import ALWAYS, DAY, Hours, hours_of, read_hours, stored_hours


@pytest.mark.parametrize(
    ("spelled", "hours"),
    [
        ("", {}),
        ("1 09:00-18:00", {1: ((540, 1080),)}),
        ("1,3 9:00-18:00", {1: ((540, 1080),), 3: ((540, 1080),)}),
        ("1 13:30-17:30, 08:30 - 12:00", {1: ((510, 720), (810, 1050))}),
        ("6 22:00-06:00; 7 00:00-24:00;", {6: ((1320, 1800),), 7: ((0, 1440),)}),
        ("5 20:00-00:00", {5: ((1200, 1440),)}),
        ("１－２　０８：３０～１２：００", {1: ((510, 720),), 2: ((510, 720),)}),
        ("24h", ALWAYS),
        ("24/7", ALWAYS),
    ],
)
def test_hours_are_read(spelled: str, hours: Hours) -> None:
    assert read_hours(spelled) == hours
    assert hours_of(stored_hours(hours)) == hours


@pytest.mark.parametrize(
    ("spelled", "why"),
    [
        ("8-9 09:00-18:00", "no days"),
        ("5-1 09:00-18:00", "no days"),
        ("Mo-Fr 09:00-18:00", "no days"),
        ("09:00-18:00", "days and hours are wanted"),
        ("1-5", "days and hours are wanted"),
        ("1 09:00", "no interval"),
        ("1 09:00-24:01", "no interval"),
        ("1 09:60-12:00", "no interval"),
        ("1 24:00-06:00", "no interval"),
        ("1 09:00-09:00", "the same time"),
        ("1 09:00-12:00,11:00-14:00", "overlap"),
        ("1 20:00-06:00,21:00-22:00", "overlap"),
        ("1-5 09:00-18:00; 5 09:00-12:00", "stands twice"),
        ("1 09:00-18:00;; 2 09:00-18:00", "days and hours are wanted"),
        ("closed", "days and hours are wanted"),
    ],
)
def test_what_cannot_be_said_is_refused_with_a_sentence(spelled: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_hours(spelled)


def test_columns_of_older_schemas_still_read() -> None:
    assert hours_of({"1": ["09:00", "18:00"]}) == {1: ((540, 1080),)}
    assert hours_of({str(day): ["00:00", "23:59"] for day in range(1, 8)}) == ALWAYS
    assert hours_of({"8": ["09:00", "18:00"], "6": ["x", "y"], "2": ["08:00", "09:00"]}) == {
        2: ((480, 540),)
    }


def intervals_of_a_day() -> st.SearchStrategy[tuple[tuple[int, int], ...]]:
    """Up to three intervals that do not overlap, the last one perhaps over midnight."""
    edges = st.lists(st.integers(0, 2 * DAY - 1), min_size=2, max_size=6, unique=True)
    return edges.map(
        lambda times: tuple(
            pair
            for pair in zip(sorted(times)[::2], sorted(times)[1::2], strict=False)
            if pair[0] < DAY and pair[1] - pair[0] < DAY
        )
    ).filter(bool)


def weeks() -> st.SearchStrategy[Hours]:
    """Opening hours of a week."""
    return st.dictionaries(st.integers(1, 7), intervals_of_a_day(), max_size=7)


@given(weeks())
def test_hours_survive_their_column(hours: Hours) -> None:
    assert hours_of(stored_hours(hours)) == hours


@given(st.text(alphabet="0123456789:-,; h/月", max_size=30))
def test_every_spelling_is_read_or_refused(spelled: str) -> None:
    with suppress(ValueError):
        hours = read_hours(spelled)
        assert hours_of(stored_hours(hours)) == hours


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=6),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from("01789x"), inner, max_size=3)
        ),
    )
)
def test_any_column_is_read(column: object) -> None:
    assert set(hours_of(column)) <= set(range(1, 8))
