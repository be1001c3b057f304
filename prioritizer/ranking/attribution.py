"""Which of what the model saw drives a case's probability, in words.

The method is occlusion: the numbers of one driver are set to what is usual (the medians of
training), and the model is asked again. A driver counts as one only if the probability falls
without it; how far it falls is its weight. So a reason that is shown is always one whose removal
lowers the score.
"""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from models.case import Text
from models.documents.yaml import read_yaml
from prioritizer.features.predictors import NAMES, PREDICTORS, Numbers
from prioritizer.ranking.sentences import Numbers as RowNumbers
from prioritizer.ranking.sentences import fill

MOST_DRIVERS: Final = 2
# A driver is named if without it at least this share of the probability is gone. Assumed.
LEAST_SHARE: Final = 0.1


class Model(Protocol):
    """What ranks: a version, the usual numbers, and a probability per row."""

    version: str
    neutral: Mapping[str, float | None]  # what is usual of each number; None: never known
    base_rate: float | None  # the share of cases whose car stood within 24 h; None: not known

    def probability(self, values: Numbers) -> Numbers:
        """Return per row the probability of immobilisation within 24 h, 0 to 1."""


class Saying(NamedTuple):
    """A sentence of a driver, and the least values of fields under which it is not said."""

    sentence: Text
    least: Mapping[str, float]

    def holds(self, row: RowNumbers) -> bool:
        """Say whether every field reaches its bound; one that is not known does not."""
        return all(row(name) >= bound for name, bound in self.least.items())


_SAYINGS: Final[Mapping[str, list[Saying]]] = {
    driver: [Saying(Text(line["zh"], line["en"]), line.get("least", {})) for line in lines]
    for driver, lines in read_yaml(
        files("prioritizer.ranking").joinpath("attribution.yaml").read_text("utf-8")
    ).items()
}
_PLACES: Final[Mapping[str, list[int]]] = {
    driver: [place for place, name in enumerate(NAMES) if PREDICTORS[name].driver == driver]
    for driver in _SAYINGS
}


def falls(values: Numbers, probability: Numbers, model: Model) -> dict[str, Numbers]:
    """Return for each driver how far each row's probability falls without it (never below 0)."""
    usual = np.array([_number(model.neutral.get(name)) for name in NAMES])
    without = np.repeat(values[np.newaxis], len(_PLACES), axis=0)
    for number, places in enumerate(_PLACES.values()):
        without[number][:, places] = usual[places]
    occluded = model.probability(without.reshape(-1, values.shape[1])).reshape(len(_PLACES), -1)
    return {
        driver: np.maximum(probability - occluded[number], 0)
        for number, driver in enumerate(_PLACES)
    }


def model_line(
    weights: Mapping[str, float],
    probability: float,
    base_rate: float | None,
    row: RowNumbers,
    fault: Text,
) -> tuple[Text, tuple[str, ...]]:
    """Return the model's line of a case, and which drivers it names, the weightiest first.

    It says of how many such cars one stands within a day, and how many that usually are. A driver
    whose sentence has a number that is not known is left out.
    """
    sentences = {
        driver: _said(driver, row, fault)
        for driver, fall in sorted(weights.items(), key=lambda weight: (-weight[1], weight[0]))
        if fall >= LEAST_SHARE * probability
    }
    named = [driver for driver, line in sentences.items() if line][:MOST_DRIVERS]
    why = [line for driver in named if (line := sentences[driver])]
    usual = _usual(base_rate)
    zh = "：" + "；".join(sentence.zh for sentence in why) if why else ""
    en = ": " + "; ".join(sentence.en for sentence in why) if why else ""
    line = Text(
        zh=f"模型：每 100 辆这样的车有 {_of_100(probability)} 辆在 24 小时内抛锚{usual.zh}{zh}",
        en=f"Model: {_of_100(probability)} of 100 such cars stand within a day{usual.en}{en}",
    )
    return line, tuple(named)


def _said(driver: str, row: RowNumbers, fault: Text) -> Text | None:
    """Fill in the driver's first sentence that holds and whose numbers are known."""
    for saying in _SAYINGS[driver]:
        if saying.holds(row):
            line = fill(saying.sentence, row, fault)
            if "?" not in line.en:
                return line
    return None


def _usual(base_rate: float | None) -> Text:
    if base_rate is None:
        return Text("", "")
    return Text(f"（通常 {_of_100(base_rate)} 辆）", f" (usual: {_of_100(base_rate)})")


def _of_100(share: float) -> str:
    return f"{100 * share:.0f}"


def _number(usual: float | None) -> float:
    return np.nan if usual is None else usual


def drivers_of(named: Sequence[str]) -> list[int]:
    """Return the places of the numbers that belong to these drivers."""
    return [place for driver in named for place in _PLACES[driver]]


def rows_of(values: Numbers, rows: NDArray[np.bool_]) -> tuple[Numbers, dict[int, int]]:
    """Return the picked rows, and the new place of each."""
    return values[rows], {int(row): place for place, row in enumerate(np.flatnonzero(rows))}
