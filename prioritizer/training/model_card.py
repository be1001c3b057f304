"""The model card: what a trained model is, what it can do and cannot, written from its manifest."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

NAMES: Final = {
    "average_precision": "average precision",
    "recall_at_rules_alarms": "recall at as many alarms as the rules raise",
    "recall_at_5_percent": "recall at an alarm budget of 5 %",
    "recall_at_20_percent": "recall at an alarm budget of 20 %",
    "ece": "expected calibration error",
    "brier": "Brier score",
    "mean_cost": "mean cost of a case",
}
_LIMITS: Final = """\
- It may raise a case, never lower it below the floor of the rules; without it the rules rank alone.
- Its figures hold for vehicles, faults and desks like those of the data above. A new model line, a
  new code or a new software release makes it less sure than it says.
- The labels are what people found. Cases that nobody followed teach it nothing.
- It tells of immobilisation within 24 hours, not of danger: `stop` faults are for the rules.
"""


def card(manifest: Mapping[str, Any]) -> str:
    """Write the card in Markdown; figures that the manifest lacks are left out."""
    return "\n".join(_lines(manifest)) + "\n"


def _lines(manifest: Mapping[str, Any]) -> Iterator[str]:
    facts = manifest["facts"]
    yield f"# Model {manifest['version']}\n"
    yield f"Purpose: {manifest['purpose']}, so that a case is raised before the driver calls.\n"
    yield "## Data\n"
    yield (
        f"{facts['rows']} rows of {facts['cases']} cases on {facts['vehicles']} vehicles, "
        f"{facts['immobilisations']} rows immobilised, from {_day(facts['first_at'])} to "
        f"{_day(facts['last_at'])}. {len(manifest['names'])} features of version "
        f"{manifest['feature_version']}. SHA-256 of the table: `{manifest['data_sha256']}`.\n"
    )
    yield "## How it was made\n"
    yield (
        f"On {manifest['made_at']} at revision `{manifest['revision']}`, seed {facts['seed']}. "
        f"Gradient-boosted trees, {_pairs(manifest['parameters'])}; calibration "
        f"{manifest['calibration']}, on {facts['rows_for_calibration']} rows of vehicles that "
        f"fitting did not see. Libraries: {_pairs(manifest['libraries'])}.\n"
    )
    yield "## Figures\n"
    yield from _figures(manifest["metrics"])
    yield "## Limits\n"
    yield _LIMITS
    yield "## Rolling back\n"
    yield (
        "Activate the version that was active before; the change holds from the next batch on. "
        "With no version active, or one that is refused, the rules rank alone and cases say so."
    )


def _figures(metrics: Mapping[str, Any]) -> Iterator[str]:
    figures = metrics.get("figures", {})
    if not figures:
        yield "It was not evaluated.\n"
        return
    counts = metrics["counts"]
    yield (
        f"On {counts['cases']} later cases of {counts['vehicles']} other vehicles, "
        f"{counts['immobilised_cases']} immobilised; in brackets 95 % intervals by vehicle.\n"
    )
    yield "| figure | " + " | ".join(figures) + " |"
    yield "|---" * (len(figures) + 1) + "|"
    for name, title in NAMES.items():
        cells = [shown(one.get(name)) for one in figures.values()]
        yield f"| {title} | " + " | ".join(cells) + " |"
    yield ""


def shown(figure: Mapping[str, Any] | None) -> str:
    """Write a figure with its interval; a dash where there is none."""
    if figure is None or figure["value"] is None:
        return "–"
    if figure["low"] is None:
        return f"{figure['value']:.3f}"
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _pairs(mapping: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in mapping.items())
