"""Compiles a rule's `when` into one mask over all faults: a closed set of fields and operators.

A condition is asked of one fault at a time: `all` of severity and tags means the severity and the
tags of the same fault. Readings and counts of the case hold for each of its faults, and `anywhere`
asks whether some fault of the case satisfies what stands below it.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.documents.fields import a_word
from models.documents.yaml import Source
from models.words import Severity
from prioritizer.features.codes import SYSTEM_BIT, TAG_BIT
from prioritizer.features.features import FAULT_FIELDS, FEATURES, Feature, Table

Mask = NDArray[np.bool_]
_WORDS: Final = {
    Severity.INFO: 0,
    Severity.SERVICE: 1,
    Severity.LIMITED: 2,
    Severity.UNKNOWN: 2,
    Severity.STOP: 3,
}
# What a row sums up of its faults; a rule asks the fault itself, or `anywhere`.
_SUMMED_UP: Final = frozenset(
    {"worst", "stop_systems", "limited_systems", "lost_systems", "systems", "grave_tags"}
)
FIELDS: Final[Mapping[str, Feature]] = {
    **{name: feature for name, feature in FEATURES.items() if name not in _SUMMED_UP},
    **FAULT_FIELDS,
}


class Facts:
    """The columns of a table, a value for each fault: what conditions are asked of."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._columns: dict[str, NDArray[Any]] = dict(table.faults)

    def __getitem__(self, field: str) -> NDArray[Any]:
        """Return a field's column; a field of the case is repeated for each of its faults."""
        column = self._columns.get(field)
        if column is None:
            column = self._columns[field] = self.table.rows[field][self.table.owner]
        return column

    def rows(self, mask: Mask) -> Mask:
        """Say of each row whether the mask is true for one of its faults."""
        rows = np.zeros(len(self.table.rows["actives"]), dtype=np.bool_)
        rows[self.table.owner[mask]] = True
        return rows

    def anywhere(self, mask: Mask) -> Mask:
        """Say of each fault whether the mask is true for any fault of its case."""
        return self.rows(mask)[self.table.owner]


Condition = Callable[[Facts], Mask]

OPERATORS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "is": lambda column, value: column == value,
    "is_not": lambda column, value: column != value,
    "at_least": lambda column, value: column >= value,
    "at_most": lambda column, value: column <= value,
    "above": lambda column, value: column > value,
    "below": lambda column, value: column < value,
    "has_any": lambda column, value: (column & value) != 0,
    "has_all": lambda column, value: (column & value) == value,
    "is_known": lambda column, value: np.isnan(column) != value,
}
_FOR: Final = {
    "int": {"is", "is_not", "at_least", "at_most", "above", "below"},
    "float": {"at_least", "at_most", "above", "below", "is_known"},
    "bool": {"is"},
    "systems": {"has_any", "has_all"},
    "tags": {"has_any", "has_all"},
}


def compile_condition(node: Any, source: Source) -> Condition:
    """Compile `{all|any|not|anywhere: …}` or `{field, op, value}`.

    Raises `Mistake`, which says where.
    """
    if not isinstance(node, dict):
        raise source.mistake(f"a condition is a mapping, not {node!r}")
    if node.keys() == {"all"} or node.keys() == {"any"}:
        ((name, parts),) = node.items()
        if not isinstance(parts, list) or not parts:
            raise source.at(name).mistake(f"`{name}` wants a list of conditions")
        compiled = [
            compile_condition(part, source.at(name, place)) for place, part in enumerate(parts)
        ]
        join = np.logical_and if name == "all" else np.logical_or
        return lambda facts: reduce(join, (condition(facts) for condition in compiled))
    if node.keys() == {"not"}:
        inner = compile_condition(node["not"], source.at("not"))
        return lambda facts: np.logical_not(inner(facts))
    if node.keys() == {"anywhere"}:
        inner = compile_condition(node["anywhere"], source.at("anywhere"))
        return lambda facts: facts.anywhere(inner(facts))
    return _compare(node, source)


def _compare(node: Mapping[str, Any], source: Source) -> Condition:
    if node.keys() != {"field", "op", "value"}:
        raise source.mistake(f"a comparison has exactly field, op and value: {dict(node)}")
    field, op = node["field"], node["op"]
    if not isinstance(field, str) or field not in FIELDS:
        raise source.at("field").mistake(f"no field {field!r}; there are {', '.join(FIELDS)}")
    if not isinstance(op, str) or op not in _FOR[FIELDS[field].kind]:
        allowed = ", ".join(sorted(_FOR[FIELDS[field].kind]))
        raise source.at("op").mistake(f"{field} cannot be asked {op!r}; there are {allowed}")
    value = _value(field, op, node["value"], source.at("value"))
    compare = OPERATORS[op]
    return lambda facts: compare(facts[field], value)


def _value(field: str, op: str, bound: Any, source: Source) -> Any:
    kind = FIELDS[field].kind
    if kind in ("systems", "tags"):
        return _bits(field, SYSTEM_BIT if kind == "systems" else TAG_BIT, bound, source)
    if field == "severity" and isinstance(bound, str):
        return _WORDS[a_word(Severity, bound, source)]
    if kind == "bool" or op == "is_known":
        if not isinstance(bound, bool):
            raise source.mistake(f"{field} {op} wants true or false, not {bound!r}")
        return bound
    if isinstance(bound, bool) or not isinstance(bound, (int, float)):
        raise source.mistake(f"{field} {op} wants a number, not {bound!r}")
    least, most = FIELDS[field].bounds
    if not least <= bound <= most:
        raise source.mistake(f"{field} is {least} to {most} in every car, never {bound}")
    return bound


def _bits(field: str, bits: Mapping[str, int], names: Any, source: Source) -> int:
    if not isinstance(names, list) or not names:
        raise source.mistake(f"{field} wants a list of words, not {names!r}")
    for place, name in enumerate(names):
        if not isinstance(name, str) or name not in bits:
            known = ", ".join(bits)
            raise source.at(place).mistake(f"{field} has no {name!r}; there are {known}")
    return sum({bits[name] for name in names})
