"""The predictors: each is explained, and the numbers of a case are its own."""

import numpy as np

from models.case import Standing, VehicleInfo
from prioritizer.features.predictors import NAMES, PREDICTORS, matrix
from prioritizer.ranking.attribution import drivers_of
from prioritizer.ranking.rank import rank
from tests.support.faults import active_fault
from tests.worlds import START, ranker


def test_every_predictor_has_a_name_a_unit_a_sentence_and_a_driver_that_is_said() -> None:
    assert len(set(NAMES)) == len(NAMES) > 30
    for name, predictor in PREDICTORS.items():
        assert predictor.unit, name
        assert predictor.sentence.endswith("."), name
        assert NAMES.index(name) in drivers_of([predictor.driver]), name


def test_the_matrix_of_a_row_does_not_depend_on_its_neighbours() -> None:
    standings = [
        Standing(
            START,
            (active_fault("dtc:P0562"),),
            VehicleInfo(powertrain="bev"),
            {"low_voltage_v": volts},
        )
        for volts in (10.0, 12.0)
    ]
    together = rank(standings, ranker()).values
    alone = [rank([standing], ranker()).values[0] for standing in standings]
    np.testing.assert_array_equal(together, np.array(alone))
    assert matrix(rank([], ranker())._columns).shape == (0, len(NAMES))
