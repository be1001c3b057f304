"""Ranks standings: the floors of the rules that fired, the action, the score, the reasons."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.case import Ranking, Standing
from models.words import ACTION_RANK, PRIORITY_RANK, Action
from prioritizer.catalogue import Catalogue, load_catalogue
from prioritizer.explain import reasons
from prioritizer.features import Columns, columns, effective_severity, facts_of
from prioritizer.rules import RuleSet, load_rules
from prioritizer.score import score

_PRIORITY = {rank: word for word, rank in PRIORITY_RANK.items()}
_ACTION = {rank: word for word, rank in ACTION_RANK.items()}
_NO_FLOOR = -1


@dataclass(frozen=True, slots=True)
class Ranker:
    """What standings are ranked by."""

    catalogue: Catalogue
    rules: RuleSet

    @property
    def version(self) -> str:
        """Name the rule set."""
        return self.rules.version


class Ranked:
    """The ranks of a sequence of standings. Explaining one is left until somebody asks."""

    def __init__(self, standings: Sequence[Standing], ranker: Ranker) -> None:
        self._standings = standings
        self._ranker = ranker
        self._columns: Columns = columns(standings, ranker.catalogue)
        self._fired = ranker.rules.fired(self._columns, len(standings))
        self._score = score(self._columns)
        floor = self._highest([PRIORITY_RANK[rule.floor] if rule.floor else _NO_FLOOR
                               for rule in ranker.rules.rules], _NO_FLOOR)  # fmt: skip
        self.needs_task: NDArray[np.bool_] = floor > _NO_FLOOR
        self.priority: NDArray[np.int8] = np.maximum(floor, 0).astype(np.int8)

    def root(self, row: int) -> str:
        """Name the worst fault of a row: by severity, then the longest there, then by code."""
        catalogue = self._ranker.catalogue
        return min(
            (
                (-effective_severity(one, facts_of(catalogue, one.code).usual), one.first_seen,
                 one.code)
                for one in self._standings[row].faults
            ),
            default=(0, self._standings[row].at, ""),
        )[2]  # fmt: skip

    def explain(self, row: int) -> Ranking:
        """Say what a row's rank is and why."""
        rules = self._ranker.rules.rules
        fired = [rule for place, rule in enumerate(rules) if self._fired[row, place]]
        action = max((ACTION_RANK[rule.action] for rule in fired), default=0)
        root = self.root(row)
        values = {name: column[row].item() for name, column in self._columns.items()}
        return Ranking(
            priority=_PRIORITY[int(self.priority[row])],
            action=_ACTION[action] if fired else Action.CARRY_ON,
            score=round(float(self._score[row]), 4),
            reasons=reasons(fired, root, values, self._ranker.catalogue),
            rules=tuple(rule.rule_id for rule in fired),
            root=root,
            needs_task=bool(self.needs_task[row]),
        )

    def _highest(self, ranks: list[int], least: int) -> NDArray[np.int64]:
        held = np.full(len(self._standings), least, dtype=np.int64)
        for place, rank in enumerate(ranks):
            held = np.where(self._fired[:, place], np.maximum(held, rank), held)
        return held


def rank(standings: Sequence[Standing], ranker: Ranker) -> Ranked:
    """Rank all rows at once; each row by itself."""
    return Ranked(standings, ranker)


def load_ranker() -> Ranker:
    """Load the catalogue and the rules that come with the package."""
    return Ranker(load_catalogue(), load_rules())
