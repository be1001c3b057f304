"""How sure a probability is, in a word that needs no statistics."""

from typing import Final

from models.case import Text

# From this probability of being immobilised within 24 hours on: the word. Bounds are assumed.
WORDS: Final = (
    (0.5, Text("很可能", "likely")),
    (0.2, Text("可能", "possible")),
    (0.05, Text("不太可能", "unlikely")),
    (0.0, Text("极少", "rare")),
)


def confidence(probability: float) -> Text:
    """Return the word for a calibrated probability, 0 to 1."""
    return next((word for least, word in WORDS if probability >= least), WORDS[-1][1])
