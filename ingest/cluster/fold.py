"""Folds symptoms under their cause, with the sentence that says why."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import translate
from functools import lru_cache
from typing import Any, Final

from msgspec.structs import replace

from models.case import Fault, Text
from models.documents.yaml import read_yaml
from models.make import INVENTED, is_makers_own
from models.words import Severity

_KEYS: Final = frozenset({"id", "cause", "symptoms", "window", "sentence"})
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause: which codes it has, which it brings along, and how far apart they may start."""

    cause_id: str
    causes: re.Pattern[str]
    symptoms: re.Pattern[str]
    window: timedelta
    sentence: Text


class CauseGraph:
    """All causes; remembers which of them a code is a cause or a symptom of."""

    def __init__(self, causes: Sequence[Cause]) -> None:
        self.causes = tuple(causes)
        self.as_cause = lru_cache(maxsize=65_536)(self._as_cause)
        self.as_symptom = lru_cache(maxsize=65_536)(self._as_symptom)

    def _as_cause(self, code: str) -> frozenset[int]:
        return frozenset(i for i, one in enumerate(self.causes) if one.causes.fullmatch(code))

    def _as_symptom(self, code: str) -> frozenset[int]:
        return frozenset(i for i, one in enumerate(self.causes) if one.symptoms.fullmatch(code))


def parse_causes(text: str) -> CauseGraph:
    """Read the cause graph's YAML. Raises `ValueError` that names the entry that is wrong."""
    causes = [_parse(document) for document in read_yaml(text)]
    ids = [one.cause_id for one in causes]
    if len(set(ids)) != len(ids):
        raise ValueError("causes: an id stands twice")
    return CauseGraph(causes)


def fold(
    faults: Mapping[str, Fault], graph: CauseGraph, make: str | None = None
) -> dict[str, Fault]:
    """Return the faults with every active symptom folded under the root of its active cause.

    A `stop` fault is never folded, nor is a maker's own code: the graph knows the standard's and
    those of invented cars. Faults that do not change are returned as they are.
    """
    active = sorted(
        (
            fault
            for fault in faults.values()
            if fault.is_active and (make == INVENTED or not is_makers_own(fault.code))
        ),
        key=lambda fault: (fault.first_seen, fault.code),
    )
    under: dict[str, tuple[str, Cause]] = {}
    if len(active) > 1:
        for fault in active:
            cause = _cause_of(fault, active, graph, under)
            if cause is not None:
                under[fault.code] = cause
    return {code: _folded(fault, under) for code, fault in faults.items()}


def _cause_of(
    fault: Fault,
    active: Sequence[Fault],
    graph: CauseGraph,
    under: Mapping[str, tuple[str, Cause]],
) -> tuple[str, Cause] | None:
    """Find the first active cause of a fault that is not, directly or not, its own symptom."""
    if fault.severity is Severity.STOP:
        return None
    for place in sorted(graph.as_symptom(fault.code)):
        cause = graph.causes[place]
        for other in active:
            if (
                other.code != fault.code
                and place in graph.as_cause(other.code)
                and abs(fault.first_seen - other.first_seen) <= cause.window
                and _root(other.code, under) != fault.code
            ):
                return other.code, cause
    return None


def _root(code: str, under: Mapping[str, tuple[str, Cause]]) -> str:
    while code in under:
        code = under[code][0]
    return code


def _folded(fault: Fault, under: Mapping[str, tuple[str, Cause]]) -> Fault:
    above = under.get(fault.code)
    if above is None:
        if fault.folded_under is None:
            return fault
        return replace(fault, folded_under=None, fold_reason=None)
    direct, cause = above
    root = _root(direct, under)
    reason = Text(
        cause.sentence.zh.format(cause=direct, symptom=fault.code),
        cause.sentence.en.format(cause=direct, symptom=fault.code),
    )
    if fault.folded_under == root and fault.fold_reason == reason:
        return fault
    return replace(fault, folded_under=root, fold_reason=reason)


def _parse(document: Mapping[str, Any]) -> Cause:
    name = document.get("id", "(without id)")
    if document.keys() != _KEYS:
        raise ValueError(f"causes: {name}: has exactly {', '.join(sorted(_KEYS))}")
    window = re.fullmatch(r"(\d+)([mhd])", document["window"])
    if window is None:
        raise ValueError(f"causes: {name}: window is a number with m, h or d, such as 30m")
    return Cause(
        cause_id=name,
        causes=_patterns(document["cause"]),
        symptoms=_patterns(document["symptoms"]),
        window=timedelta(**{_UNITS[window[2]]: int(window[1])}),
        sentence=Text(**document["sentence"]),
    )


def _patterns(globs: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(translate(one) for one in globs))
