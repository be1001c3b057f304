"""Looks that take longer the more there is to see."""

from datetime import UTC, datetime, timedelta

import pytest

from pacc.process import pace
from pacc.process.pace import Pace

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(("took", "waits"), [(0.1, 30), (2.9, 30), (3.5, 35), (60, 600)])
def test_a_look_that_took_long_makes_the_next_one_wait(
    monkeypatch: pytest.MonkeyPatch, took: float, waits: float
) -> None:
    spent = iter([1000.0, 1000.0 + took])
    monkeypatch.setattr(pace, "monotonic", lambda: next(spent))
    looks = Pace(timedelta(seconds=30))
    assert looks.is_due(NOON)
    with looks.timed(NOON):
        pass
    assert not looks.is_due(NOON + timedelta(seconds=waits - 0.01))
    assert looks.is_due(NOON + timedelta(seconds=waits + 0.01))
