"""Which of what the model saw drives a case's probability, in words.

The method is occlusion: the numbers of one driver are set to what is usual (the medians of
training), and the model is asked again. A driver counts as one only if the probability falls
without it; how far it falls is its weight. So the reason that is given is always one whose removal
lowers the score.
"""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from models.case import Text
from models.confidence import confidence
from models.yaml import read_yaml
from prioritizer.features.predictors import NAMES, PREDICTORS, Numbers
from prioritizer.ranking.sentences import Row, fill

MOST_DRIVERS: Final = 2
# A driver is told if without it at least this share of the probability is gone. Assumed.
LEAST_SHARE: Final = 0.1


class Model(Protocol):
    """What ranks: a version, the usual numbers, and a probability per row."""

    version: str
    neutral: Mapping[str, float | None]  # what is usual of each number; None: never known

    def probability(self, values: Numbers) -> Numbers:
        """Give per row the probability of immobilisation within 24 h, 0 to 1."""


_SENTENCES: Final[Mapping[str, Text]] = {
    name: Text(*pair)
    for name, pair in read_yaml(
        files("prioritizer.ranking").joinpath("attribution.yaml").read_text("utf-8")
    ).items()
}
_PLACES: Final[Mapping[str, list[int]]] = {
    driver: [place for place, name in enumerate(NAMES) if PREDICTORS[name].driver == driver]
    for driver in _SENTENCES
}


def falls(values: Numbers, probability: Numbers, model: Model) -> dict[str, Numbers]:
    """Say for each driver how far each row's probability falls without it (never below 0)."""
    usual = np.array([_number(model.neutral.get(name)) for name in NAMES])
    without = np.repeat(values[np.newaxis], len(_PLACES), axis=0)
    for number, places in enumerate(_PLACES.values()):
        without[number][:, places] = usual[places]
    again = model.probability(without.reshape(-1, values.shape[1])).reshape(len(_PLACES), -1)
    return {
        driver: np.maximum(probability - again[number], 0) for number, driver in enumerate(_PLACES)
    }


def told(
    weights: Mapping[str, float], probability: float, row: Row, title: Text
) -> tuple[Text, tuple[str, ...]]:
    """Say the model's line of a case, and which drivers it names, the weightiest first.

    A driver whose sentence would speak of a number that is not known is left out.
    """
    said = {
        driver: fill(_SENTENCES[driver], row, title)
        for driver, fall in sorted(weights.items(), key=lambda one: (-one[1], one[0]))
        if fall >= LEAST_SHARE * probability
    }
    named = [driver for driver, line in said.items() if "?" not in line.en][:MOST_DRIVERS]
    word = confidence(probability)
    why = [said[driver] for driver in named]
    zh = "：" + "；".join(one.zh for one in why) if why else ""
    en = ": " + "; ".join(one.en for one in why) if why else ""
    line = Text(
        zh=f"模型：24 小时内{word.zh}抛锚（{_percent(probability)}）{zh}",
        en=f"Model: breakdown within 24 h {word.en} ({_percent(probability)}){en}",
    )
    return line, tuple(named)


def _percent(probability: float) -> str:
    return f"{100 * probability:.0f} %"


def _number(usual: float | None) -> float:
    return np.nan if usual is None else usual


def drivers_of(named: Sequence[str]) -> list[int]:
    """Give the places of the numbers that these drivers speak of."""
    return [place for driver in named for place in _PLACES[driver]]


def rows_of(values: Numbers, rows: NDArray[np.bool_]) -> tuple[Numbers, dict[int, int]]:
    """Pick rows, and say where each of them went."""
    return values[rows], {int(row): place for place, row in enumerate(np.flatnonzero(rows))}
