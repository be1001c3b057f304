"""Explains a rank in at most three lines in Chinese and English, the most pressing first.

Each fault is introduced once, by the most pressing rule that fired for it, and by the one that
knows more of it where two press equally. What else is wrong with the car has lines of its own. The
model's line is the last.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from models.case import Fault, Text
from models.names.fault_code import spell_code
from models.words import ACTION_RANK, PRIORITY_RANK
from prioritizer.ranking.rules import Rule
from prioritizer.ranking.sentences import Numbers, fill, names_a_fault, of_fault

MOST_REASONS: Final = 3
_WORST_FAULT, _CIRCUMSTANCE, _OTHER_FAULT = range(3)


class Fired(NamedTuple):
    """A rule and the faults of one case that it fired for, the worst first."""

    rule: Rule
    faults: Sequence[Fault]


def reasons(
    fired: Sequence[Fired],
    row: Numbers,
    name_of: Callable[[str], Text],
    model: Text | None = None,
) -> tuple[Text, ...]:
    """Return the reasons of the rules that fired, filled in; no fault and no line stands twice.

    `name_of` says how the fault of a code is called. The model's line, where there is one, has the
    last of the three places.
    """
    ordered = sorted(_lines(fired, row, name_of), key=lambda ranked: ranked[0])
    lines = list(dict.fromkeys(line for _, line in ordered))
    if model is None:
        return tuple(lines[:MOST_REASONS])
    return (*lines[: MOST_REASONS - 1], model)


def _lines(
    fired: Sequence[Fired], row: Numbers, name_of: Callable[[str], Text]
) -> Iterator[tuple[tuple[int, int, int], Text]]:
    """Yield each line with its rank: by floor, by action, by what it is about."""
    introduced: set[str] = set()
    for rule, faults in sorted(fired, key=_most_pressing_first):
        pressing = _most_pressing_first(Fired(rule, faults))[:2]
        if not names_a_fault(rule.reason):
            numbers = of_fault(faults[0], row, is_named=False)
            yield (
                (*pressing, _CIRCUMSTANCE),
                fill(rule.reason, numbers, code=spell_code(faults[0].code)),
            )
            continue
        for fault in faults:
            if fault.code not in introduced:
                about = _OTHER_FAULT if introduced else _WORST_FAULT
                introduced.add(fault.code)
                numbers = of_fault(fault, row, is_named=True)
                yield (*pressing, about), fill(rule.reason, numbers, name_of(fault.code))


def _most_pressing_first(fired: Fired) -> tuple[int, int, bool]:
    rule = fired.rule
    floor = PRIORITY_RANK[rule.floor] if rule.floor else -1
    return -floor, -ACTION_RANK[rule.action], rule.is_general
