"""Judges rankings on rows that no training saw: figures, curves, slices, each with its interval.

Alarms are counted per case and recall per immobilised case: a case has the highest score of its
rows, and is immobilised when one of its rows is. Calibration (ECE, Brier, reliability) is of rows,
because a probability is said at each of them. Intervals come from drawing whole vehicles again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.errors import Unusable
from prioritizer.ranking.bands import Bands, raised
from prioritizer.training.cases import Cases, cases_of
from prioritizer.training.figures import (
    Calibration,
    Floats,
    Ranking,
    interval,
    mean_cost,
    rule_order,
)
from prioritizer.training.table import Table

BUDGETS: Final = {"recall_at_5_percent": 0.05, "recall_at_20_percent": 0.20}
SHARES: Final = tuple(np.linspace(0, 1, 51).tolist())
THRESHOLDS: Final = tuple(np.linspace(0, 1, 41).round(3).tolist())
ARE_PROBABILITIES: Final = frozenset({"model", "logistic", "champion"})
LEVELS: Final = ("normal", "high", "urgent")
_Figure = Callable[[Floats, Floats], float]  # weights of cases, weights of rows


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Plain numbers, lists and mappings throughout; a figure is {"value", "low", "high"}."""

    counts: Mapping[str, int]  # rows, cases, vehicles, immobilised cases, rounds
    bands: Mapping[str, float]
    costs: Mapping[str, float]
    figures: Mapping[str, Mapping[str, Any]]  # ranking → figure
    comparisons: Mapping[str, Any]  # model minus champion and the like → figure
    curves: Mapping[str, Mapping[str, Any]]  # ranking → precision_recall, gain, reliability
    cost_curve: Sequence[Sequence[float]]  # (threshold of high, mean cost of a case)
    mix: Mapping[str, Mapping[str, float]]  # "rules", "with model" → share of each priority
    lead_time: Mapping[str, Any]  # "rules", "with model" → median hours, and all of them sorted
    slices: Mapping[str, Mapping[str, Any]]  # slice → value → counts and figures

    def document(self) -> dict[str, Any]:
        """Return all figures as JSON takes them."""
        return asdict(self)


def evaluate(
    table: Table,
    scores: Mapping[str, Floats],
    *,
    bands: Bands,
    tow_cost: float,
    breakdown_cost: float,
    seed: int,
    rounds: int = 200,
    hours_to_event: Floats | None = None,
) -> Evaluation:
    """Judge "model" and whatever else is given ("logistic", "champion", "oracle"); rules are added.

    Scores have one entry per row of the table. `hours_to_event` is NaN where nothing happened.
    The same seed gives the same intervals. Raises `Unusable` for scores that do not fit.
    """
    _require(table, scores)
    by_ranking = dict(scores) | {"rules": rule_order(table.floor, table.rule_score)}
    cases = cases_of(table)
    draws = _draws(cases.vehicle_of_row, seed, rounds)
    floor = cases.highest(table.floor)
    act = cases.highest(np.maximum(table.floor, raised(by_ranking["model"], bands)))
    highest = {name: cases.highest(one) for name, one in by_ranking.items()}
    ranked = {name: Ranking(one, cases.label) for name, one in highest.items()}
    calibrations = {
        name: Calibration(by_ranking[name], table.is_immobilised)
        for name in by_ranking
        if name in ARE_PROBABILITIES
    }
    figures_of = _figures_of_rankings(
        ranked, calibrations, floor, act, cases.label, tow_cost, breakdown_cost
    )
    estimates = {
        name: _with_intervals(one, cases, table, draws) for name, one in figures_of.items()
    }
    return Evaluation(
        counts=_counts(table, cases, rounds),
        bands=asdict(bands),
        costs={"tow": tow_cost, "breakdown": breakdown_cost},
        figures={name: dict(figures) for name, (figures, _) in estimates.items()},
        comparisons=_comparisons(estimates),
        curves=_curves(ranked, calibrations, cases.weight, table.weight),
        cost_curve=_cost_curve(cases, floor, highest["model"], tow_cost, breakdown_cost),
        mix={"rules": _mix(floor, cases.weight), "with model": _mix(act, cases.weight)},
        lead_time=_lead_times(table, cases, by_ranking["model"], bands, hours_to_event),
        slices=_slices(table, cases, {name: highest[name] for name in ("model", "rules")}, draws),
    )


def _require(table: Table, scores: Mapping[str, Floats]) -> None:
    if "model" not in scores:
        raise Unusable("There are no scores of the model to evaluate.")
    if not table.is_immobilised.any() or table.is_immobilised.all():
        raise Unusable(f"The {len(table)} rows held back have one label only: hold back more.")
    for name, scored in scores.items():
        if len(scored) != len(table) or not np.isfinite(scored).all():
            raise Unusable(f"The scores of {name} are not one finite number for each row.")


def _counts(table: Table, cases: Cases, rounds: int) -> dict[str, int]:
    return {
        "rows": len(table),
        "cases": len(cases.first),
        "vehicles": int(cases.vehicle_of_row.max()) + 1,
        "immobilised_cases": int(cases.label.sum()),
        "rounds": rounds,
    }


def _draws(vehicle: NDArray[np.intp], seed: int, rounds: int) -> list[Floats]:
    """Draw vehicles with replacement; each draw says how often each vehicle came."""
    count = int(vehicle.max()) + 1
    chance = np.random.default_rng(seed)
    return [
        np.bincount(chance.integers(0, count, count), minlength=count).astype(np.float64)
        for _ in range(rounds)
    ]


def _figures_of_rankings(
    ranked: Mapping[str, Ranking],
    calibrations: Mapping[str, Calibration],
    floor: Floats,
    act: Floats,
    label: NDArray[np.bool_],
    tow: float,
    missed: float,
) -> dict[str, dict[str, _Figure]]:
    """Return the figures of each ranking, and what the alarms of the rules and the model cost."""
    figures_of = {
        name: _figures(one, floor, calibrations.get(name)) for name, one in ranked.items()
    }
    for name, level in (("rules", floor), ("model", act)):
        figures_of[name]["mean_cost"] = _cost(level >= 1, label, tow, missed)
    return figures_of


def _figures(
    ranking: Ranking, floor: Floats, calibration: Calibration | None
) -> dict[str, _Figure]:
    figures: dict[str, _Figure] = {
        "average_precision": lambda cases, _rows: ranking.average_precision(cases),
        "recall_at_rules_alarms": lambda cases, _rows: ranking.recall_at(
            float(cases[floor >= 1].sum() / cases.sum()) if cases.sum() else 0.0, cases
        ),
    }
    for name, share in BUDGETS.items():
        figures[name] = lambda cases, _rows, share=share: ranking.recall_at(share, cases)  # type: ignore[misc]
    if calibration is not None:
        figures["ece"] = lambda _cases, rows: calibration.error(rows)
        figures["brier"] = lambda _cases, rows: calibration.brier(rows)
    return figures


def _cost(
    is_alarm: NDArray[np.bool_], label: NDArray[np.bool_], tow: float, missed: float
) -> _Figure:
    return lambda cases, _rows: mean_cost(is_alarm, label, cases, tow, missed)


def _cost_curve(
    cases: Cases, floor: Floats, highest: Floats, tow: float, missed: float
) -> list[list[float]]:
    """Return what a case costs on the mean for each threshold from which on it is an alarm."""
    curve = []
    for at in THRESHOLDS:
        is_alarm = (floor >= 1) | (highest >= at)
        curve.append([at, round(mean_cost(is_alarm, cases.label, cases.weight, tow, missed), 4)])
    return curve


def _with_intervals(
    figures: Mapping[str, _Figure], cases: Cases, table: Table, draws: Sequence[Floats]
) -> tuple[dict[str, Any], Mapping[str, tuple[float, Floats]]]:
    weights = [
        (cases.weight * draw[cases.vehicle], table.weight * draw[cases.vehicle_of_row])
        for draw in draws
    ]
    estimates, raw = {}, {}
    for name, figure in figures.items():
        value = figure(cases.weight, table.weight)
        drawn = np.array([figure(*weight) for weight in weights])
        estimates[name], raw[name] = interval(value, drawn), (value, drawn)
    return estimates, raw


def _comparisons(
    estimates: Mapping[str, tuple[Any, Mapping[str, tuple[float, Floats]]]],
) -> dict[str, Any]:
    """Compare average precisions draw by draw, so that what both share falls out."""
    precision = {name: raw["average_precision"] for name, (_, raw) in estimates.items()}
    value, drawn = precision["model"]
    differences = {
        f"model_minus_{other}": interval(value - precision[other][0], drawn - precision[other][1])
        for other in ("rules", "logistic", "champion")
        if other in precision
    }
    if "oracle" in precision:
        rules, oracle = precision["rules"], precision["oracle"]
        with np.errstate(divide="ignore", invalid="ignore"):
            differences["share_of_oracle_gain"] = interval(
                float(np.float64(value - rules[0]) / np.float64(oracle[0] - rules[0])),
                (drawn - rules[1]) / (oracle[1] - rules[1]),
            )
    return differences


def _curves(
    ranked: Mapping[str, Ranking],
    calibrations: Mapping[str, Calibration],
    weight: Floats,
    row_weight: Floats,
) -> dict[str, dict[str, Any]]:
    curves: dict[str, dict[str, Any]] = {
        name: {
            "precision_recall": ranking.precision_recall(weight),
            "gain": ranking.gain(weight, SHARES),
        }
        for name, ranking in ranked.items()
    }
    for name, calibration in calibrations.items():
        curves[name]["reliability"] = calibration.points(row_weight)
    return curves


def _mix(level: Floats, weight: Floats) -> dict[str, float]:
    mass = np.bincount(level.astype(np.int64), weight, len(LEVELS))
    return {name: round(float(one / mass.sum()), 6) for name, one in zip(LEVELS, mass, strict=True)}


def _lead_times(
    table: Table, cases: Cases, probability: Floats, bands: Bands, hours: Floats | None
) -> dict[str, Any]:
    """Return the hours from a case's first alarm (high or urgent) to its immobilisation."""
    if hours is None:
        return {}
    order = np.argsort(table.at, kind="stable")
    acts = {"rules": table.floor, "with model": np.maximum(table.floor, raised(probability, bands))}
    lead_times: dict[str, Any] = {}
    for name, act in acts.items():
        alarms = order[(act >= 1)[order]]
        first = alarms[np.unique(cases.group[alarms], return_index=True)[1]]
        known = np.sort(hours[first][np.isfinite(hours[first])])
        median = round(float(np.median(known)), 3) if len(known) else None
        lead_times[name] = {"median_hours": median, "cases": len(known), "hours": _spread(known)}
    return lead_times


def _spread(ordered: Floats, points: int = 101) -> list[float]:
    if not len(ordered):
        return []
    return [round(one, 3) for one in np.quantile(ordered, np.linspace(0, 1, points)).tolist()]


def _slices(
    table: Table, cases: Cases, highest: Mapping[str, Floats], draws: Sequence[Floats]
) -> dict[str, Any]:
    return {
        name: {
            str(value): _slice(column[cases.first] == value, cases, highest, draws)
            for value in np.unique(column[cases.first])
        }
        for name, column in table.slices.items()
    }


def _slice(
    mask: NDArray[np.bool_], cases: Cases, scores: Mapping[str, Floats], draws: Sequence[Floats]
) -> dict[str, Any]:
    label, weight, vehicle = cases.label[mask], cases.weight[mask], cases.vehicle[mask]
    summary: dict[str, Any] = {"cases": int(mask.sum()), "immobilised_cases": int(label.sum())}
    for name, scored in scores.items():
        ranking = Ranking(scored[mask], label)
        drawn = np.array([ranking.average_precision(weight * draw[vehicle]) for draw in draws])
        summary[name] = {"average_precision": interval(ranking.average_precision(weight), drawn)}
    return summary
