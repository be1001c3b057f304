"""The training report: one HTML file that opens anywhere, without network or scripts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, StrictUndefined

from prioritizer.training import plots
from prioritizer.training.evaluate import Evaluation
from prioritizer.training.model_card import NAMES, shown

_PAGE: Final = Environment(autoescape=True, undefined=StrictUndefined).from_string(
    Path(__file__).with_name("report.html").read_text("utf-8")
)


def report_html(manifest: Mapping[str, Any], evaluation: Evaluation) -> str:
    """Write the page; only commands may import this module, its pictures take long to load."""
    document = evaluation.document()
    return _PAGE.render(
        manifest=manifest, names=NAMES, shown=shown, plots=_plots(document), **_parts(document)
    )


def _parts(document: Mapping[str, Any]) -> dict[str, Any]:
    names = ("counts", "figures", "comparisons", "lead_time", "slices")
    return {name: document[name] for name in names}


def _plots(document: Mapping[str, Any]) -> list[dict[str, str]]:
    curves = document["curves"]

    def of(kind: str) -> dict[str, Sequence[Sequence[float]]]:
        return {name: one[kind] for name, one in curves.items() if kind in one}

    hours = {
        {"with model": "model"}.get(name, name): _falling(one["hours"])
        for name, one in document["lead_time"].items()
        if one["hours"]
    }
    return [
        _plot(
            "精确率与召回率",
            "Precision and recall",
            _figure_line(document, "average_precision"),
            plots.lines(of("precision_recall"), "recall", "precision"),
        ),
        _plot(
            "可靠性",
            "Reliability",
            _figure_line(document, "ece"),
            plots.lines(
                of("reliability"), "probability said", "share immobilised", diagonal="as said"
            ),
        ),
        _plot(
            "增益",
            "Gain",
            _figure_line(document, "recall_at_20_percent"),
            plots.lines(of("gain"), "share of cases, highest first", "recall"),
        ),
        _plot(
            "成本",
            "Cost",
            "Mean cost of a case by the probability from which a case is high.",
            plots.lines({"model": document["cost_curve"]}, "threshold", "mean cost of a case"),
        ),
        _plot(
            "提前量",
            "Lead time",
            "Share of alarms at least so many hours before.",
            plots.lines(hours, "hours before immobilisation", "share of alarms"),
        ),
        _plot("优先级构成", "Priority mix", _mix(document["mix"]), plots.bars(document["mix"])),
    ]


def _plot(zh: str, en: str, alt: str, image: str) -> dict[str, str]:
    return {"zh": zh, "en": en, "alt": f"{en}. {alt}", "image": image}


def _falling(hours: Sequence[float]) -> list[list[float]]:
    return [[one, 1 - place / max(len(hours) - 1, 1)] for place, one in enumerate(hours)]


def _figure_line(document: Mapping[str, Any], figure: str) -> str:
    parts = [
        f"{name} {shown(one[figure])}" for name, one in document["figures"].items() if figure in one
    ]
    return f"{NAMES[figure]}: {'; '.join(parts)}."


def _mix(mix: Mapping[str, Mapping[str, float]]) -> str:
    return "; ".join(
        f"{name}: " + ", ".join(f"{level} {share:.1%}" for level, share in shares.items())
        for name, shares in mix.items()
    )
