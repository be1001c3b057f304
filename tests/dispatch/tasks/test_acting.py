"""Who acts, when, by which policy and in which transaction travels as one value."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILES = sorted([*(ROOT / "dispatch/tasks").glob("*.py"), *(ROOT / "dispatch/fleet").glob("*.py")])


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_change_takes_the_parts_of_acting_apart(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in node.args.args]
            assert not {"connection", "policy"} <= set(names), f"{node.name}{names}: pass `acting`"
            assert len(names) <= 5, f"{node.name}{names}"
