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

from models.words import Severity
from prioritizer.features.codes import SYSTEM_BIT, TAG_BIT
from prioritizer.features.features import FAULT_FIELDS, FEATURES, Feature, Table

Mask = NDArray[np.bool_]
_WORDS: Final = {Severity.INFO: 0, Severity.SERVICE: 1, Severity.LIMITED: 2, Severity.STOP: 3}
# What a row sums up of its faults; a rule asks the fault itself, or `anywhere`.
_SUMMED_UP: Final = frozenset(
    {"worst", "stop_systems", "limited_systems", "systems", "grave_tags", "stop_in_motion"}
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


def compile_condition(node: Any, where: str) -> Condition:
    """Compile `{all|any|not|anywhere: …}` or `{field, op, value}`.

    Raises `ValueError` or `TypeError` that begins with `where`.
    """
    if not isinstance(node, dict):
        raise TypeError(f"{where}: a condition is a mapping, not {node!r}")
    if node.keys() == {"all"} or node.keys() == {"any"}:
        ((name, parts),) = node.items()
        if not isinstance(parts, list) or not parts:
            raise ValueError(f"{where}: `{name}` wants a list of conditions")
        compiled = [compile_condition(part, where) for part in parts]
        join = np.logical_and if name == "all" else np.logical_or
        return lambda facts: reduce(join, (condition(facts) for condition in compiled))
    if node.keys() == {"not"}:
        inner = compile_condition(node["not"], where)
        return lambda facts: np.logical_not(inner(facts))
    if node.keys() == {"anywhere"}:
        inner = compile_condition(node["anywhere"], where)
        return lambda facts: facts.anywhere(inner(facts))
    return _compare(node, where)


def _compare(node: Mapping[str, Any], where: str) -> Condition:
    if node.keys() != {"field", "op", "value"}:
        raise ValueError(f"{where}: a comparison has exactly field, op and value: {dict(node)}")
    field, op = node["field"], node["op"]
    if field not in FIELDS:
        raise ValueError(f"{where}: no field {field!r}; there are {', '.join(FIELDS)}")
    if op not in _FOR[FIELDS[field].kind]:
        allowed = ", ".join(sorted(_FOR[FIELDS[field].kind]))
        raise ValueError(f"{where}: {field} cannot be asked {op!r}; there are {allowed}")
    value = _value(field, op, node["value"], where)
    compare = OPERATORS[op]
    return lambda facts: compare(facts[field], value)


def _value(field: str, op: str, raw: Any, where: str) -> Any:
    kind = FIELDS[field].kind
    if kind in ("systems", "tags"):
        bits = SYSTEM_BIT if kind == "systems" else TAG_BIT
        unknown = [name for name in raw if name not in bits]
        if unknown:
            raise ValueError(f"{where}: {field} has no {unknown[0]!r}; there are {', '.join(bits)}")
        return sum(bits[name] for name in raw)
    if field == "severity" and isinstance(raw, str):
        return _WORDS[Severity(raw)]
    if kind == "bool" or op == "is_known":
        if not isinstance(raw, bool):
            raise ValueError(f"{where}: {field} {op} wants true or false")
        return raw
    if isinstance(raw, bool) or not isinstance(raw, (int, float)):
        raise TypeError(f"{where}: {field} {op} wants a number, not {raw!r}")
    return raw
