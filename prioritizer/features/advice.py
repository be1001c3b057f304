"""What a driver is told: the action first, then what the catalogue adds where it agrees with it."""

from collections.abc import Iterable, Mapping
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
    stands_alone: bool


def _text(line: Mapping[str, str]) -> Text:
    return Text(line["zh"], line["en"])


_DOCUMENT: Final = read_yaml(
    files("prioritizer.features").joinpath("advice.yaml").read_text("utf-8")
)
BY_ACTION: Final = {Action(action): _text(line) for action, line in _DOCUMENT["actions"].items()}
OWN_ADVICE: Final = {
    name: OwnAdvice(
        _text(line),
        frozenset(Action(action) for action in line["with"]),
        line.get("alone", False),
    )
    for name, line in _DOCUMENT["own"].items()
}


def advice_for(action: Action, own: Iterable[str]) -> Text:
    """Return what the driver is told of a case with this action.

    `own` names what the catalogue adds for the case's faults (keys of `OWN_ADVICE`), the worst
    fault's first; what does not agree with the action is left out.
    """
    added = [OWN_ADVICE[name] for name in dict.fromkeys(own)]
    agreeing = [advice for advice in added if action in advice.agrees_with]
    for advice in agreeing:
        if advice.stands_alone:
            return advice.text
    texts = [BY_ACTION[action], *(advice.text for advice in agreeing)]
    return Text("；".join(text.zh for text in texts), "; ".join(text.en for text in texts))
