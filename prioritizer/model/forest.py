"""Scores rows through small trees as tables of bits: one thread, no branches, any batch alike.

After Lucchese et al. 2015, "QuickScorer": each node that sends a row right strikes out the leaves
to its left; the first leaf that is left over is the one that the row ends in. What all thresholds
below a value strike out is worked out beforehand, so a row costs one look-up for each feature.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MOST_LEAVES: Final = 16  # one bit of 16 for each
_ALL: Final = (1 << MOST_LEAVES) - 1
_EVERY: Final = np.arange(_ALL + 1)
# The place of the lowest bit of every number below 65,536 (of 0 as well: it never happens).
_FIRST: Final = np.log2(np.maximum(_EVERY & -_EVERY, 1)).astype(np.uint8)
_Node = tuple[int, float, bool, int]  # feature, threshold, whether NaN goes left, leaves that stay


class Forest:
    """Trees of at most 16 leaves that ask `value <= threshold`, as scikit-learn's histograms do.

    `trees` are node records with `feature_idx`, `num_threshold`, `missing_go_to_left`, `left`,
    `right`, `is_leaf` and `value`; raises `ValueError` for any other tree.
    """

    def __init__(self, trees: Sequence[NDArray[Any]], start: float) -> None:
        self.start = start
        self.leaves = np.zeros((len(trees), MOST_LEAVES))
        nodes: dict[int, list[tuple[float, bool, int, int]]] = {}
        for place, tree in enumerate(trees):
            values, splits = _walk(tree)
            self.leaves[place, : len(values)] = values
            for feature, threshold, is_left, stay in splits:
                nodes.setdefault(feature, []).append((threshold, is_left, place, stay))
        self.features = [
            (feature, *_struck(sorted(found), len(trees)))
            for feature, found in sorted(nodes.items())
        ]

    def score(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum the trees for each row of (rows, features); NaN is "not known"."""
        left = np.full((len(values), len(self.leaves)), _ALL, dtype=np.uint16)
        stay = np.empty_like(left)
        values = np.asfortranarray(values)  # each column is read in one go
        for feature, thresholds, struck in self.features:
            column = values[:, feature]
            places = np.searchsorted(thresholds, column)
            places[np.isnan(column)] = len(thresholds) + 1
            np.take(struck, places, axis=0, out=stay, mode="clip")  # "clip" alone writes in place
            left &= stay
        scores = np.full(len(values), self.start)
        for tree, leaves in enumerate(self.leaves):
            scores += leaves[_FIRST[left[:, tree]]]
        return scores


def _struck(
    nodes: list[tuple[float, bool, int, int]], trees: int
) -> tuple[NDArray[np.float64], NDArray[np.uint16]]:
    """Return, for a value above the first k thresholds of a feature, which leaves stay.

    Row k of the table is for k thresholds below the value, the last row for NaN.
    """
    table = np.full((len(nodes) + 2, trees), _ALL, dtype=np.uint16)
    for place, (_, is_left, tree, stay) in enumerate(nodes):
        table[place + 1] = table[place]
        table[place + 1, tree] &= stay
        if not is_left:
            table[-1, tree] &= stay
    return np.array([threshold for threshold, *_ in nodes]), table


def _walk(tree: NDArray[Any]) -> tuple[list[float], list[_Node]]:
    """Number a tree's leaves from left to right, and say which stay when a node sends right."""
    values: list[float] = []
    splits: list[_Node] = []

    def visit(place: int) -> None:
        node = tree[place]
        if node["is_leaf"]:
            values.append(float(node["value"]))
            if len(values) > MOST_LEAVES:
                raise ValueError(f"a tree has more than {MOST_LEAVES} leaves")
            return
        if node["is_categorical"]:
            raise ValueError("a tree splits by category")
        first = len(values)
        visit(int(node["left"]))
        gone = (1 << len(values)) - (1 << first)
        visit(int(node["right"]))
        splits.append(
            (
                int(node["feature_idx"]),
                float(node["num_threshold"]),
                bool(node["missing_go_to_left"]),
                _ALL & ~gone,
            )
        )

    visit(0)
    return values, splits
