"""The call script and the workshop's hints, for the systems that a case concerns."""

from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from models.documents.yaml import read_yaml


@cache
def _script() -> Mapping[str, Any]:
    text = files("dispatch.console.show").joinpath("call_script.yaml").read_text("utf-8")
    loaded: Mapping[str, Any] = read_yaml(text)
    return loaded


def questions(systems: Collection[str]) -> list[Mapping[str, Any]]:
    """Return what to ask, in order; questions for other systems are left out."""
    return [
        one for one in _script()["questions"] if "for" not in one or set(one["for"]) & set(systems)
    ]


def answers_in(fields: Mapping[str, str]) -> dict[str, str]:
    """Pick the answers out of a form's fields."""
    known = {one["id"] for one in _script()["questions"]}
    named = {
        name.removeprefix("answer_"): value
        for name, value in fields.items()
        if name.startswith("answer_")
    }
    return {name: value[:500] for name, value in named.items() if name in known and value}


def hints(system: str) -> Mapping[str, Any]:
    """Return what a workshop should have ready, and how many hours to plan."""
    workshop = _script()["workshop"]
    plan: Mapping[str, Any] = workshop.get(system, workshop["unknown"])
    return plan
