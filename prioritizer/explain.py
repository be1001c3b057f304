"""Says why: at most three lines in Chinese and English, the gravest rule first."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from models.case import Text
from models.words import ACTION_RANK, PRIORITY_RANK
from prioritizer.catalogue import Catalogue
from prioritizer.rules import Rule

MOST_REASONS: Final = 3


def reasons(
    fired: Sequence[Rule], root: str, values: Mapping[str, Any], catalogue: Catalogue
) -> tuple[Text, ...]:
    """Fill in the reasons of the rules that fired; the same line never stands twice."""
    title = catalogue.entry(root).title
    filled = _spelled(values)
    ordered = sorted(
        fired,
        key=lambda rule: (
            -PRIORITY_RANK[rule.floor] if rule.floor else 1,
            -ACTION_RANK[rule.action],
        ),
    )
    lines: list[Text] = []
    for rule in ordered:
        line = Text(
            zh=rule.reason.zh.format(code=root, title=title.zh, **filled),
            en=rule.reason.en.format(code=root, title=title.en, **filled),
        )
        if line not in lines:
            lines.append(line)
    return tuple(lines[:MOST_REASONS])


def _spelled(values: Mapping[str, Any]) -> dict[str, str]:
    def number(name: str, digits: int, factor: float = 1) -> str:
        value = values[name]
        return "?" if math.isnan(value) else f"{value * factor:.{digits}f}"

    return {
        "actives": number("actives", 0),
        "limiteds": number("limiteds", 0),
        "reports": number("reports", 0),
        "age_hours": number("age_hours", 0),
        "soc_percent": number("state_of_charge", 0, 100),
        "low_voltage_v": number("low_voltage_v", 1),
        "ambient_c": number("ambient_c", 0),
        "range_km": number("range_km", 0),
    }
