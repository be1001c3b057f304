"""Ranks standings: the floors of the rules, what the model raises, the score, the reasons."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache, cached_property, partial

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from models.case import Fault, Ranking, Standing, Text
from models.words import ACTION_RANK, PRIORITY_RANK, Action, Priority
from prioritizer.features.catalogue import Catalogue, load_catalogue
from prioritizer.features.codes import Codes, gravity
from prioritizer.features.features import Columns, tabulate
from prioritizer.features.predictors import Numbers, matrix
from prioritizer.ranking.attribution import Model, falls, model_line, rows_of
from prioritizer.ranking.bands import Bands, raised
from prioritizer.ranking.conditions import Facts
from prioritizer.ranking.explain import Fired, reasons
from prioritizer.ranking.rules import RuleSet, load_rules
from prioritizer.ranking.score import score
from prioritizer.ranking.sentences import Numbers as RowNumbers

BY_RULES = "rules"
EXPLORED = "explored"
# Stands before the id of a rule that is tried: it fired, and did nothing.
EXPERIMENTAL = "experimental:"
_PICKED = Text(
    "随机抽查：为改进判断，请致电了解车辆实际情况",
    "Picked at random: call and find out, so that the ranking learns",
)
_PRIORITY = {rank: word for word, rank in PRIORITY_RANK.items()}
_ACTION = {rank: word for word, rank in ACTION_RANK.items()}
_NO_FLOOR = -1
_HIGH, _URGENT = PRIORITY_RANK[Priority.HIGH], PRIORITY_RANK[Priority.URGENT]
# Cases nearer than a hundredth are equally urgent: the older one stands first, and a queue does not
# move under a person's hand with every kilometre that a car reports.
_SCORE_DIGITS = 2
# A case that the model raised: the driver is to come in, at least.
_RAISED_ACTION = ACTION_RANK[Action.DRIVE_TO_DEALER]


class Ranker(Struct, frozen=True):
    """What standings are ranked by. `fallback` says why no model takes part; `explore_share` of the
    normal cases (0 to 1) is called as if it were high, so that normal cases get labels too."""

    catalogue: Catalogue
    rules: RuleSet
    model: Model | None = None
    bands: Bands = Bands(1.0, 1.0)
    challenger: Model | None = None
    fallback: str | None = None
    explore_share: float = 0.0

    @property
    def version(self) -> str:
        """Return the version of the rule set."""
        return self.rules.version


class Ranked:
    """The ranks of a sequence of standings; a row is explained only when asked for."""

    def __init__(self, standings: Sequence[Standing], ranker: Ranker) -> None:
        self._standings = standings
        self._ranker = ranker
        self._codes = Codes(ranker.catalogue)
        table = tabulate(standings, self._codes)
        facts = Facts(table)
        self._columns: Columns = table.rows
        self._first_fault = np.searchsorted(table.owner, np.arange(len(standings)))
        self._fired_for = ranker.rules.fired(facts)
        self._fired = np.stack([facts.rows(mask) for mask in self._fired_for.T], axis=1)
        self._folded_dangers = self._find_folded_dangers()
        floor = self._highest(
            [_NO_FLOOR if rule.rank is None else rule.rank for rule in ranker.rules.rules],
            _NO_FLOOR,
        )
        self._raised = self._raise(len(standings))
        self.priority: NDArray[np.int8] = np.maximum(np.maximum(floor, 0), self._raised).astype(
            np.int8
        )
        self.needs_task: NDArray[np.bool_] = (floor > _NO_FLOOR) | (self._raised > 0)
        lots = np.array([standing.lot for standing in standings], dtype=np.float64)
        self._explored: NDArray[np.bool_] = (
            (lots < ranker.explore_share) & self.needs_task & (self.priority < _HIGH)
        )
        self.priority[self._explored] = _HIGH

    @property
    def floor(self) -> NDArray[np.int8]:
        """Return the rules' own priority, whatever the model says."""
        return np.maximum(
            self._highest(
                [rule.rank or 0 for rule in self._ranker.rules.rules],
                0,
            ),
            0,
        ).astype(np.int8)

    @cached_property
    def rule_score(self) -> NDArray[np.float64]:
        """Return the rules' own order inside a priority."""
        return score(self._columns)

    @cached_property
    def values(self) -> Numbers:
        """Return what the model sees."""
        return matrix(self._columns)

    @cached_property
    def probability(self) -> Numbers | None:
        """Return the model's probability of each row; None without a model."""
        model = self._ranker.model
        return model.probability(self.values) if model and len(self._standings) else None

    def root(self, row: int) -> str:
        """Return the code of a row's worst fault: by severity, then age, then code."""
        faults = self._standings[row].faults
        if len(faults) < 2:  # noqa: PLR2004 - nothing to compare, as nearly always
            return faults[0].code if faults else ""
        return min(faults, key=self._worst_first(self._standings[row].make)).code

    def _worst_first(self, make: str | None) -> Callable[[Fault], tuple[int, datetime, str]]:
        def key(fault: Fault) -> tuple[int, datetime, str]:
            usual = self._codes[fault.code, make].usual
            return -gravity(fault.severity, fault.lamp, usual), fault.first_seen, fault.code

        return key

    def _find_folded_dangers(self) -> dict[int, dict[int, list[Fault]]]:
        """Let a folded fault count where it is a danger now; return by row and rule which ones.

        A symptom follows from its cause, and raises nothing. Without steering at speed nobody cares
        what it follows from.
        """
        rows = [row for row, standing in enumerate(self._standings) if standing.folded_faults]
        dangers: dict[int, dict[int, list[Fault]]] = {row: {} for row in rows}
        if not rows:
            return dangers
        folded = [
            replace(self._standings[row], faults=self._standings[row].folded_faults) for row in rows
        ]
        table = tabulate(folded, self._codes)
        mask = self._ranker.rules.fired(Facts(table))
        faults = [fault for standing in folded for fault in standing.faults]
        for number, rule in enumerate(self._ranker.rules.rules):
            if rule.rank != _URGENT:
                continue
            for place in np.flatnonzero(mask[:, number]):
                row = rows[int(table.owner[place])]
                self._fired[row, number] = True
                dangers[row].setdefault(number, []).append(faults[place])
        return dangers

    def _fired_of(self, row: int) -> list[Fired]:
        """Return the rules that fired for a row, each with its faults, the worst first."""
        faults = self._standings[row].faults
        first = self._first_fault[row]
        worst_first = self._worst_first(self._standings[row].make)
        order = sorted(range(len(faults)), key=lambda place: worst_first(faults[place]))
        folded = self._folded_dangers.get(row, {})
        rules = self._ranker.rules.rules
        return [
            Fired(
                rules[number],
                [
                    *(faults[place] for place in order if self._fired_for[first + place, number]),
                    *sorted(folded.get(int(number), ()), key=worst_first),
                ],
            )
            for number in np.flatnonzero(self._fired[row])
        ]

    def explain(self, row: int) -> Ranking:
        """Say what a row's rank is and why."""
        matching = self._fired_of(row)
        fired = [one for one in matching if not one.rule.is_experimental]
        action = max((ACTION_RANK[rule.action] for rule, _ in fired), default=0)
        if self._raised[row] > 0:
            action = max(action, _RAISED_ACTION)
        root = self.root(row)
        probability = self._finite(self.probability, row)
        order = float(self.rule_score[row]) if probability is None else probability
        model, challenger = self._ranker.model, self._ranker.challenger
        return Ranking(
            priority=_PRIORITY[int(self.priority[row])],
            action=_ACTION[action],
            score=round(order, _SCORE_DIGITS),
            reasons=reasons(
                fired, self._row(row), partial(self._name_of, row), self._line(row, root)
            ),
            rules=(
                *(rule.rule_id for rule, _ in fired),
                *(EXPERIMENTAL + one.rule.rule_id for one in matching if one.rule.is_experimental),
                *([EXPLORED] if self._explored[row] else ()),
            ),
            root=root,
            needs_task=bool(self.needs_task[row]),
            ranked_by=BY_RULES if model is None or probability is None else model.version,
            probability=probability,
            fallback=self._ranker.fallback,
            challenger=challenger.version if challenger else None,
            challenger_probability=self._finite(self._challenged, row),
        )

    def _raise(self, rows: int) -> NDArray[np.int8]:
        if self.probability is None:
            return np.zeros(rows, dtype=np.int8)
        return raised(self.probability, self._ranker.bands)

    @cached_property
    def _challenged(self) -> Numbers | None:
        challenger = self._ranker.challenger
        return challenger.probability(self.values) if challenger else None

    @cached_property
    def _weights(self) -> tuple[dict[int, int], dict[str, Numbers]]:
        """Return the drivers of all rows that the model would raise, computed at once."""
        model = self._ranker.model
        if model is None or self.probability is None:
            return {}, {}
        rows = self._raised >= _HIGH
        values, places = rows_of(self.values, rows)
        return places, falls(values, self.probability[rows], model) if places else {}

    def _name_of(self, row: int, code: str) -> Text:
        return self._ranker.catalogue.name_of(code, self._standings[row].make)

    def _row(self, row: int) -> RowNumbers:
        return lambda name: float(self._columns[name][row])

    def _line(self, row: int, root: str) -> Text | None:
        if self._explored[row]:
            return _PICKED
        places, weights = self._weights
        model = self._ranker.model
        if row not in places or model is None or self.probability is None:
            return None
        own = {driver: float(fall[places[row]]) for driver, fall in weights.items()}
        name = self._name_of(row, root)
        probability = float(self.probability[row])
        line, _ = model_line(own, probability, model.base_rate, self._row(row), name)
        return line

    @staticmethod
    def _finite(probability: Numbers | None, row: int) -> float | None:
        """Return a row's probability if it is one."""
        if probability is None:
            return None
        value = float(probability[row])
        return value if 0 <= value <= 1 else None

    def _highest(self, ranks: list[int], least: int) -> NDArray[np.int64]:
        highest = np.full(len(self._standings), least, dtype=np.int64)
        for place, rank in enumerate(ranks):
            highest = np.where(self._fired[:, place], np.maximum(highest, rank), highest)
        return highest


def rank(standings: Sequence[Standing], ranker: Ranker) -> Ranked:
    """Rank all rows at once; each row by itself."""
    return Ranked(standings, ranker)


@cache
def load_ranker() -> Ranker:
    """Load the catalogue and the rules that come with the package, once."""
    return Ranker(load_catalogue(), load_rules())
