"""Where a model is made and judged: slow to import, so only the commands that teach load it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from models.errors import Conflict
from models.words import PRIORITY_RANK, Priority
from pacc.learn.champion import Costs
from pacc.learn.training_table import TrainingTable
from prioritizer.features import predictors
from prioritizer.model import registry
from prioritizer.model.artifact import Artifact
from prioritizer.model.model import Model
from prioritizer.ranking.bands import Bands, bands, raised
from prioritizer.training.artifact import pack
from prioritizer.training.candidates import ReportProgress
from prioritizer.training.evaluate import Evaluation, evaluate
from prioritizer.training.report import report_html
from prioritizer.training.table import require_usable, split_by_vehicle_and_time
from prioritizer.training.train import Trained, train

TEST_SHARE = 0.3
Scores = NDArray[np.float64]
# What a version must hold to be promoted without force.
WORST_CALIBRATION = 0.05
MOST_OVER_BUDGET = 1.5


@dataclass(frozen=True, slots=True)
class Taught:
    """A signed model, and how it did on vehicles and days that it had not seen."""

    artifact: Artifact
    manifest: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    report: str

    @property
    def version(self) -> str:
        """Return the model's name."""
        named: str = self.manifest["version"]
        return named


def teach(
    lesson: TrainingTable,
    costs: Costs,
    *,
    seed: int,
    sign: Ed25519PrivateKey,
    made_at: datetime,
    revision: str,
    report_progress: ReportProgress,
    champion: Model | None = None,
) -> Taught:
    """Train on earlier days of some vehicles, judge on later days of others, and sign.

    Raises `Unusable` for a table that nothing can be learnt from; then nothing was made.
    """
    require_usable(lesson.table)
    split = split_by_vehicle_and_time(lesson.table, TEST_SHARE)
    trained = train(
        split.train, monotone=predictors.MONOTONE, seed=seed, report_progress=report_progress
    )
    is_test = np.isin(lesson.table.vehicle, split.test.vehicle) & (lesson.table.at >= split.cut)
    test = TrainingTable(split.test, lesson.hours[is_test], lesson.unknown, lesson.codes, ())
    scores = {
        "model": trained.probability(test.table.values),
        "logistic": trained.baseline_probability(test.table.values),
    }
    evaluation, judged = _judged(test, scores, costs, _bands(trained, costs), seed, champion)
    metrics = {
        **judged,
        "unknown_labels": dict(lesson.unknown),
        "left_out": split.left_out,
        "codes": sorted(lesson.codes),
    }
    artifact = pack(trained, metrics, sign=sign, made_at=made_at, revision=revision)
    manifest = json.loads(artifact.manifest)
    return Taught(artifact, manifest, judged, report_html(manifest, evaluation))


def judge(
    lesson: TrainingTable,
    model: Model,
    costs: Costs,
    seed: int,
    champion: Model | None,
    oracle: Scores | None = None,
) -> tuple[Mapping[str, Any], str]:
    """Judge a model on a lesson that it was not trained on; return figures and report."""
    scores = {"model": model.probability(lesson.table.values)}
    if oracle is not None:
        scores["oracle"] = oracle
    evaluation, judged = _judged(lesson, scores, costs, costs.bands_of(model), seed, champion)
    return judged, report_html(model.manifest, evaluation)


def guard(
    manifest: Mapping[str, Any], evaluation: Mapping[str, Any] | None, champion: str | None
) -> list[str]:
    """Return what speaks against promoting a version; nothing for one that may be."""
    if evaluation is None:
        return ["it was never evaluated: run `pacc model evaluate` first"]
    against = []
    error = evaluation["figures"]["model"]["ece"]["value"]
    if error > WORST_CALIBRATION:
        against.append(f"its calibration error is {error:.3f}, above {WORST_CALIBRATION}")
    if evaluation["stop_in_motion_urgent"] < 1:
        against.append("it leaves a stop fault in motion below urgent")
    for word, (share, allowed) in evaluation["budget"].items():
        if share > MOST_OVER_BUDGET * allowed:
            against.append(f"it raises {share:.1%} of cases to {word}, {allowed:.1%} are allowed")
    if champion is not None and champion != manifest["version"]:
        against += _worse(evaluation, champion)
    return against


def _worse(evaluation: Mapping[str, Any], champion: str) -> list[str]:
    if evaluation["compared_with"] != champion:
        return [f"it was not compared with the champion {champion}: run `pacc model evaluate`"]
    high = evaluation["comparisons"]["model_minus_champion"]["high"]
    if high is not None and high < 0:
        return [f"it is worse than the champion beyond the interval (at best {high:+.3f})"]
    return []


def promote(
    connection: sa.Connection, version: str, at: datetime, actor: str, forced: str | None
) -> list[str]:
    """Promote a version to rank from the next batch on; return what was overruled.

    Raises `Conflict` with what speaks against it, unless forced with a reason.
    """
    champion = registry.aliases(connection).get(registry.CHAMPION)
    row = next(one for one in registry.versions(connection) if one["version"] == version)
    against = guard(json.loads(row["manifest"]), row["evaluation"], champion)
    if against and not forced:
        raise Conflict(f"{version} is not promoted: " + "; ".join(against) + ".")
    why = {"forced": forced, "overruled": against} if forced else {}
    registry.point(connection, registry.CHAMPION, version, at, actor, why)
    return against


def _judged(
    lesson: TrainingTable,
    scores: dict[str, Scores],
    costs: Costs,
    limits: Bands,
    seed: int,
    champion: Model | None,
) -> tuple[Evaluation, dict[str, Any]]:
    if champion is not None:
        scores = {**scores, "champion": champion.probability(lesson.table.values)}
    evaluation = evaluate(
        lesson.table,
        scores,
        bands=limits,
        tow_cost=costs.tow,
        breakdown_cost=costs.breakdown,
        seed=seed,
        hours_to_event=lesson.hours,
    )
    document = {
        **evaluation.document(),
        "compared_with": champion.version if champion else None,
        "stop_in_motion_urgent": _urgent_stops(lesson),
        "budget": _budget(lesson, scores["model"], limits, costs),
    }
    plain: dict[str, Any] = json.loads(json.dumps(document))  # no number of NumPy's own is left
    return evaluation, plain


def _urgent_stops(lesson: TrainingTable) -> float:
    """Return the share of stop faults in motion that the floor makes urgent; 1 without any."""
    table = lesson.table
    stops = table.values[:, predictors.NAMES.index("stop_in_motion")] > 0
    is_urgent = table.floor[stops] == PRIORITY_RANK[Priority.URGENT]
    return float(is_urgent.mean()) if stops.any() else 1.0


def _budget(
    lesson: TrainingTable, probability: Scores, limits: Bands, costs: Costs
) -> dict[str, tuple[float, float]]:
    """Return of each band the share of cases that the model raises to it, and the share it may."""
    _, group = np.unique(lesson.table.case, return_inverse=True)
    level = np.zeros(int(group.max()) + 1, dtype=np.int8)
    np.maximum.at(level, group, raised(probability, limits))
    return {
        "urgent": (float((level == PRIORITY_RANK[Priority.URGENT]).mean()), costs.urgent_share),
        "high": (
            float((level >= PRIORITY_RANK[Priority.HIGH]).mean()),
            costs.urgent_share + costs.high_share,
        ),
    }


def _bands(trained: Trained, costs: Costs) -> Bands:
    return bands(
        trained.quantiles,
        tow_cost=costs.tow,
        breakdown_cost=costs.breakdown,
        urgent_share=costs.urgent_share,
        high_share=costs.high_share,
    )
