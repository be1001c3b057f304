"""Samples: training sees exactly what ranking saw."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from ingest.formats.decode import decode
from ingest.store.history import delivered
from pacc.learn.samples import number, samples
from pacc.pipeline.limits import Limits
from pacc.pipeline.worker import Worker
from prioritizer.features.predictors import NAMES
from tests.support.models import StubModel, with_model
from tests.worlds import CAR, OTHER, Room, Stream, policy, ranker


def intermittent_fault() -> list[tuple[str, int, dict[str, Any]]]:
    """Return code, minute and more of a fault that comes, goes and comes back over days."""
    reports: list[tuple[str, int, dict[str, Any]]] = []
    for day in (0, 1, 3):
        start = day * 1440
        reports += [("dtc:P0562", start + n, {}) for n in range(4)]
        reports += [
            ("dtc:U0100", start + 5, {}),
            ("dtc:P0562", start + 6, {"status": "cleared"}),
            ("dtc:P0562", start + 9, {}),
            ("dtc:P0562", start + 10, {"status": "cleared"}),
            ("dtc:U0100", start + 11, {"status": "cleared"}),
        ]
    return reports


def two_cars() -> Stream:
    """Return a stream of that fault with readings, and of another car between."""
    stream = Stream()
    for code, minute, more in intermittent_fault():
        signals = {"low_voltage_v": 12.5 - minute / 3000, "ambient_c": -3.0}
        stream.says(CAR, code, minute, signals=signals, odometer_km=1000 + minute, **more)
        stream.says(OTHER, "dtc:B1342", minute + 0.5)
    return stream


@pytest.mark.parametrize("cuts", [(), (1, 2, 3, 9, 20), tuple(range(1, 60))])
def test_training_sees_exactly_the_numbers_of_the_pipeline(
    engine: sa.Engine, cuts: Sequence[int]
) -> None:
    """No skew: from the stream and from the database, however the pipeline cut it into batches."""
    records = two_cars().records
    model = StubModel()
    room = Room(engine)
    room.worker = Worker(
        engine, replace(room.policy, ranker=with_model(model)), {}, "test", Limits()
    )
    room.plays(records, cuts)
    from_stream = number(list(samples(decode(records, {}), policy(), {})), ranker())
    with engine.begin() as connection:
        from_past = number(list(samples(delivered(connection), policy(), {})), ranker())
    assert len(from_stream.samples) > 15
    np.testing.assert_array_equal(from_past.values, from_stream.values)
    assert [sample.case_id for sample in from_past.samples] == [
        sample.case_id for sample in from_stream.samples
    ]
    used = {spelled(numbers) for numbers in model.seen}
    assert {spelled(tuple(row)) for row in from_stream.values.tolist()} <= used
    history = from_stream.values[:, NAMES.index("same_30d")]
    assert history.max() == 1


def spelled(numbers: tuple[float, ...]) -> str:
    """Return a text that is equal for equal numbers, NaN among them."""
    return repr(numbers)
