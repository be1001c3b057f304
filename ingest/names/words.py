"""The closed vocabularies in any usual spelling: case, blanks, hyphens and underscores aside."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple
from unicodedata import normalize

from ingest.names.synonyms import HEALTHY, NOT_SAID, SYNONYMS, TRUTHS
from models.words import Lamp, Motion, Severity, Status, Word

_LONGEST: Final = 40  # signs; nothing longer is a word, and the cache stays small
_BETWEEN: Final = re.compile(r"[\s_.!\-‐‑‒–—/]+")
_UNKNOWN: Final[Mapping[str, Word]] = {
    "severity": Severity.UNKNOWN,
    "status": Status.ACTIVE,  # what is reported and not said to be over is on
    "lamp": Lamp.UNKNOWN,
    "motion": Motion.UNKNOWN,
}
_NAMES: Final = {
    "severity": Severity,
    "status": Status,
    "lamp": Lamp,
    "motion": Motion,
}


class Said(NamedTuple):
    """What a word means. `is_unknown`: it is none that we know, and should be counted."""

    word: Word
    is_unknown: bool = False


def plain(text: str) -> str:
    """Return a word without its dress: capitals of ordinary width, no blanks and hyphens."""
    return _BETWEEN.sub("", normalize("NFKC", text)).upper()


def word_of(vocabulary: str, value: Any) -> Said:
    """Read a value where a word of `severity`, `status`, `lamp` or `motion` is wanted."""
    if isinstance(value, str):
        if len(value) > _LONGEST:
            return Said(_UNKNOWN[vocabulary], is_unknown=True)
        return _word(vocabulary, value)
    if isinstance(value, (bool, int, float)):
        truth = TRUTHS.get(vocabulary, {}).get(bool(value)) if value in (0, 1) else None
        if truth is not None and (isinstance(value, bool) or vocabulary != "status"):
            return Said(truth)
    return Said(_UNKNOWN[vocabulary], is_unknown=True)


def is_healthy(value: Any) -> bool:
    """Whether a word of severity or state says that nothing is wrong, as OK."""
    return isinstance(value, str) and len(value) <= _LONGEST and _is_healthy(value)


@lru_cache(maxsize=4096)
def _is_healthy(text: str) -> bool:
    return plain(text) in HEALTHY


@lru_cache(maxsize=16_384)
def _word(vocabulary: str, text: str) -> Said:
    key = plain(text)
    if not key or key in NOT_SAID:
        return Said(_UNKNOWN[vocabulary])
    word = _TABLES[vocabulary].get(key)
    return Said(_UNKNOWN[vocabulary], is_unknown=True) if word is None else Said(word)


_TABLES: Final[Mapping[str, Mapping[str, Word]]] = {
    name: {
        **{
            plain(spelling): word
            for word, spellings in SYNONYMS[name].items()
            for spelling in spellings
        },
        **{plain(word.value): word for word in words},
    }
    for name, words in _NAMES.items()
}
