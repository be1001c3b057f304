"""Explains a rank in at most three lines, the gravest rule first, the model last."""

from collections.abc import Sequence
from typing import Final

from models.case import Text
from models.words import ACTION_RANK, PRIORITY_RANK
from prioritizer.ranking.rules import Rule
from prioritizer.ranking.sentences import Row, fill

MOST_REASONS: Final = 3


def reasons(
    fired: Sequence[Rule],
    root: str,
    row: Row,
    title: Text,
    model: Text | None = None,
) -> tuple[Text, ...]:
    """Return the reasons of the rules that fired, filled in; no line stands twice.

    The model's line, where there is one, has the last of the three places.
    """
    ordered = sorted(
        fired,
        key=lambda rule: (
            -PRIORITY_RANK[rule.floor] if rule.floor else 1,
            -ACTION_RANK[rule.action],
        ),
    )
    lines: list[Text] = []
    for rule in ordered:
        line = fill(rule.reason, row, title, root)
        if line not in lines:
            lines.append(line)
    if model is None:
        return tuple(lines[:MOST_REASONS])
    return (*lines[: MOST_REASONS - 1], model)
