"""Says why: at most three lines in Chinese and English, the gravest rule first, the model last.

A fault is introduced once, by the gravest rule that fired for it, and by the one that knows more of
it where two are equally grave; what else is wrong with the car is a line of its own.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from models.case import Fault, Text
from models.words import ACTION_RANK, PRIORITY_RANK
from prioritizer.ranking.rules import Rule
from prioritizer.ranking.sentences import Numbers, fill, names_a_fault, of_fault

MOST_REASONS: Final = 3


class Fired(NamedTuple):
    """A rule and the faults of one case that it fired for, the gravest first."""

    rule: Rule
    faults: Sequence[Fault]


def reasons(
    fired: Sequence[Fired],
    row: Numbers,
    name_of: Callable[[str], Text],
    model: Text | None = None,
) -> tuple[Text, ...]:
    """Fill in the reasons of the rules that fired; no fault and no line stands twice.

    `name_of` says how the fault of a code is called. The model's line, where there is one, has the
    last of the three places.
    """
    introduced: set[str] = set()
    lines: list[Text] = []
    for rule, faults in sorted(fired, key=_most_pressing_first):
        is_named = names_a_fault(rule.reason)
        speakers = [one for one in faults if not (is_named and one.code in introduced)]
        if not speakers:
            continue
        fault = speakers[0]
        if is_named:
            introduced.add(fault.code)
        line = fill(rule.reason, of_fault(fault, row, is_named=is_named), name_of(fault.code))
        if line not in lines:
            lines.append(line)
    if model is None:
        return tuple(lines[:MOST_REASONS])
    return (*lines[: MOST_REASONS - 1], model)


def _most_pressing_first(fired: Fired) -> tuple[int, int, bool]:
    rule = fired.rule
    floor = PRIORITY_RANK[rule.floor] if rule.floor else -1
    return -floor, -ACTION_RANK[rule.action], rule.is_general
