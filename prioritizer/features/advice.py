"""What a driver is told: the action first, then what the catalogue adds where it agrees with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from models.case import Text
from models.documents.yaml import read_yaml
from models.words import Action


@dataclass(frozen=True, slots=True)
class OwnAdvice:
    """What is said of some codes beside the action, and with which actions it agrees."""

    text: Text
    agrees_with: frozenset[Action]


def _text(line: Mapping[str, str]) -> Text:
    return Text(line["zh"], line["en"])


_DOCUMENT: Final = read_yaml(
    files("prioritizer.features").joinpath("advice.yaml").read_text("utf-8")
)
BY_ACTION: Final = {Action(action): _text(line) for action, line in _DOCUMENT["actions"].items()}
OWN_ADVICE: Final = {
    name: OwnAdvice(_text(line), frozenset(Action(action) for action in line["with"]))
    for name, line in _DOCUMENT["own"].items()
}


def advice_for(action: Action, own: str | None) -> Text:
    """Return what the driver is told of a case with this action.

    `own` is the name of what the catalogue adds for the code, of `OWN_ADVICE`; None adds nothing.
    """
    first = BY_ACTION[action]
    added = OWN_ADVICE[own] if own is not None else None
    if added is None or action not in added.agrees_with:
        return first
    return Text(f"{first.zh}；{added.text.zh}", f"{first.en}; {added.text.en}")
