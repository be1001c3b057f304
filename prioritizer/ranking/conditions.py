"""Compiles a rule's `when` into one mask over all rows: a closed set of fields and operators."""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.words import Severity
from prioritizer.features.codes import SYSTEM_BIT, TAG_BIT
from prioritizer.features.features import FEATURES, Columns

Mask = NDArray[np.bool_]
Condition = Callable[[Columns], Mask]
_WORDS: Final = {Severity.INFO: 0, Severity.SERVICE: 1, Severity.LIMITED: 2, Severity.STOP: 3}

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
    """Compile `{all|any|not: …}` or `{field, op, value}`; a mistake says where it is."""
    if not isinstance(node, dict):
        raise TypeError(f"{where}: a condition is a mapping, not {node!r}")
    if node.keys() == {"all"} or node.keys() == {"any"}:
        ((name, parts),) = node.items()
        if not isinstance(parts, list) or not parts:
            raise ValueError(f"{where}: `{name}` wants a list of conditions")
        compiled = [compile_condition(part, where) for part in parts]
        join = np.logical_and if name == "all" else np.logical_or
        return lambda columns: reduce(join, (condition(columns) for condition in compiled))
    if node.keys() == {"not"}:
        inner = compile_condition(node["not"], where)
        return lambda columns: np.logical_not(inner(columns))
    return _compare(node, where)


def _compare(node: Mapping[str, Any], where: str) -> Condition:
    if node.keys() != {"field", "op", "value"}:
        raise ValueError(f"{where}: a comparison has exactly field, op and value: {dict(node)}")
    field, op = node["field"], node["op"]
    if field not in FEATURES:
        raise ValueError(f"{where}: no field {field!r}; there are {', '.join(FEATURES)}")
    if op not in _FOR[FEATURES[field].kind]:
        allowed = ", ".join(sorted(_FOR[FEATURES[field].kind]))
        raise ValueError(f"{where}: {field} cannot be asked {op!r}; there are {allowed}")
    value = _value(field, op, node["value"], where)
    compare = OPERATORS[op]
    return lambda columns: compare(columns[field], value)


def _value(field: str, op: str, operand: Any, where: str) -> Any:
    kind = FEATURES[field].kind
    if kind in ("systems", "tags"):
        bits = SYSTEM_BIT if kind == "systems" else TAG_BIT
        unknown = [name for name in operand if name not in bits]
        if unknown:
            raise ValueError(f"{where}: {field} has no {unknown[0]!r}; there are {', '.join(bits)}")
        return sum(bits[name] for name in operand)
    if field == "worst" and isinstance(operand, str):
        return _WORDS[Severity(operand)]
    if kind == "bool" or op == "is_known":
        if not isinstance(operand, bool):
            raise ValueError(f"{where}: {field} {op} wants true or false")
        return operand
    if isinstance(operand, bool) or not isinstance(operand, (int, float)):
        raise TypeError(f"{where}: {field} {op} wants a number, not {operand!r}")
    return operand
