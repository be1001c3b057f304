"""The documents name every setting, reason code, command, metric and route."""

import re
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from typer.testing import CliRunner

from dispatch.api import reading
from models.words import Outcome, Reject
from pacc.cli import app
from pacc.process.settings import Settings
from pacc.watch.metrics import Metrics

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("settings.md", [f"PACC_{name.upper()}" for name in Settings.model_fields]),
        ("reason-codes.md", [*Outcome, *Reject]),
    ],
)
def test_every_word_has_its_line_in_the_documents(document: str, words: list[str]) -> None:
    text = (DOCS / document).read_text("utf-8")
    assert [word for word in words if f"| `{word}` |" not in text] == []


def test_every_command_stands_in_the_documents() -> None:
    text = (DOCS / "commands.md").read_text("utf-8")
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).stdout
    names = re.findall(r"^│ (\w+) ", shown, re.MULTILINE)
    assert len(names) > 15
    for command in names:
        assert f"`pacc {command}" in text, command


def test_every_metric_stands_in_the_documents() -> None:
    text = (DOCS / "metrics.md").read_text("utf-8")
    for metric in Metrics().registry.collect():
        assert f"`{metric.name}" in text


def test_every_route_stands_in_the_documents() -> None:
    text = (DOCS / "api.md").read_text("utf-8")
    paths = {
        re.sub(r"{\w+}", "ID", route.path)
        for route in (*reading.router.routes,)
        if isinstance(route, APIRoute)
    }
    assert {path for path in paths if f"{path}`" not in text} == set()
