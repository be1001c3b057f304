"""The closed vocabularies: code compares with their members, never with bare strings."""

import ast
from collections.abc import Iterator
from pathlib import Path

from models.alert import Alert
from models.batch import Report, Snapshot
from models.words import (
    CaseState,
    Disposition,
    IssueState,
    Outcome,
    Priority,
    Queue,
    Role,
    Severity,
    Status,
    TaskState,
)
from tests.worlds import CAR, START

ROOT = Path(__file__).parents[2]
# attributes, columns and keys that hold a word, and of which vocabularies
HOLDERS = {
    "disposition": (Disposition,),
    "kind": (Queue,),
    "outcome": (Outcome,),
    "priority": (Priority,),
    "queue": (Queue,),
    "role": (Role,),
    "severity": (Severity,),
    "state": (CaseState, IssueState, TaskState),
    "status": (Status,),
}


def test_nothing_is_compared_with_a_bare_word() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{line}"
        for package in ("dispatch", "pacc", "ingest", "prioritizer", "models")
        for path in sorted((ROOT / package).rglob("*.py"))
        for line in _bare(ast.parse(path.read_text("utf-8")))
    ]
    assert bare == [], "take the member of its vocabulary in models/words.py"


def test_a_bare_word_is_found_however_it_is_compared() -> None:
    for code in (
        'k.state != "done"',
        'row["disposition"] in ("healed", "superseded")',
        '"cleared" in (row["status"], row["outcome"])',
        'f.status.in_(("active",))',
    ):
        assert list(_bare(ast.parse(code))) == [1], code
    assert list(_bare(ast.parse('k.state != TaskState.DONE.value and name == "done"'))) == []


def _bare(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            is_membership = node.func.attr in ("in_", "not_in")
            sides = [node.func.value, *node.args] if is_membership else []
        else:
            continue
        parts = [part for side in sides for part in getattr(side, "elts", [side])]
        texts = {part.value for part in parts if isinstance(part, ast.Constant)}
        words = {
            word.value
            for part in parts
            for vocabulary in HOLDERS.get(_name(part), ())
            for word in vocabulary
        }
        if texts & words:
            yield node.lineno


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    return node.id if isinstance(node, ast.Name) else ""


def test_a_report_and_a_snapshot_name_their_vehicle_alike() -> None:
    alert = Alert(id="a", source="s", vin=CAR, observed_at=START, code="dtc:P0A80")
    report = Report("f", alert, START, START)
    snapshot = Snapshot("f", CAR, "s", "dtc", START, START, frozenset())
    assert report.vin == snapshot.vin == CAR
