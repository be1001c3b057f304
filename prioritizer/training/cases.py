"""Rows of a table grouped by case: a case has the highest score of its rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prioritizer.training.figures import Floats
from prioritizer.training.table import Table


@dataclass(frozen=True, slots=True)
class Cases:
    """One entry per case, in the order of case ids; vehicles are numbered from 0."""

    first: NDArray[np.intp]  # its earliest row
    group: NDArray[np.intp]  # row → case
    label: NDArray[np.bool_]  # immobilised when one of its rows is
    weight: Floats
    vehicle: NDArray[np.intp]
    vehicle_of_row: NDArray[np.intp]

    def highest(self, scores: NDArray[Any]) -> NDArray[Any]:
        """Return the highest score of each case."""
        highest = np.full(len(self.first), -np.inf)
        np.maximum.at(highest, self.group, scores)
        return highest


def cases_of(table: Table) -> Cases:
    """Group the rows of a table by case."""
    order = np.argsort(table.at, kind="stable")
    _, first, inverse = np.unique(table.case[order], return_index=True, return_inverse=True)
    group = np.empty(len(table), dtype=np.intp)
    group[order] = inverse.reshape(-1)
    first = order[first]
    label = np.zeros(len(first), dtype=np.bool_)
    np.logical_or.at(label, group, table.is_immobilised)
    vehicle = np.unique(table.vehicle, return_inverse=True)[1].reshape(-1)
    return Cases(first, group, label, table.weight[first], vehicle[first], vehicle)
