"""The law of clearing, written down once more: what is said of a car and not taken back."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.truth.clearing.answers import ALIASES, GONE, ON, PASSES, Answer

# source, unit, list
Place = tuple[str, str | None, str]
EVERY = "every list"


@dataclass
class Said:
    """Who says which code: a voice per code and place, with the minute and what it says.

    `only_passed` are the codes of which somebody said first that they pass: that is nothing to
    remember, so that what is older and comes later may still open.
    """

    voices: dict[tuple[str, Place], tuple[int, str]] = field(default_factory=dict)
    gone: dict[tuple[str, str, str | None, str], int] = field(default_factory=dict)
    delivered: set[object] = field(default_factory=set)
    only_passed: set[str] = field(default_factory=set)

    def hears(self, answer: Answer) -> None:
        """Take in an answer: first what it says, then what it asked for and did not find."""
        for (code, unit), words in answer.says.items():
            mark = answer.mark[code, unit]
            if self._is_new(answer.source, answer.minute, code, unit, mark, *sorted(words.items())):
                self._hears(answer, code, unit, words)
        for unit, lists in answer.asked.items():
            codes = {code for code, of in answer.says if of == unit}
            scope = (unit, *sorted(lists), "holds", *sorted(codes))
            if self._is_new(answer.source, answer.minute, answer.scheme, *scope):
                self._asks(answer, unit, lists, codes)

    def _asks(
        self, answer: Answer, unit: str | None, lists: frozenset[str], codes: set[str]
    ) -> None:
        self._ends(
            answer,
            lambda code, place: (
                code.startswith(f"{answer.scheme}:")
                and place[1] == unit
                and place[2] in lists
                and code not in codes
            ),
        )

    def _is_new(self, *key: object) -> bool:
        is_new = key not in self.delivered
        self.delivered.add(key)
        return is_new

    def _hears(self, answer: Answer, code: str, unit: str | None, words: dict[str, str]) -> None:
        minute, origin = answer.minute, ALIASES.get(answer.source, answer.source)
        if words == {"": GONE}:
            self._ends(answer, lambda of, place: of == code and place[1] == unit)
            known = self.gone.get((code, origin, unit, EVERY), 0)
            self.gone[code, origin, unit, EVERY] = max(minute, known)
            return
        if minute < self.gone.get((code, origin, unit, EVERY), 0):
            return
        self._ends(
            answer,
            lambda of, place: (
                of == code
                and place[0] == answer.source
                and place[1] == unit
                and words.get(place[2]) == GONE
            ),
        )
        for name, word in words.items():
            if word != GONE and minute >= self.gone.get((code, origin, unit, name), 0):
                place = (code, (answer.source, unit, name))
                if word == PASSES and place not in self.voices:
                    self.only_passed.add(code)
                self.voices[place] = _after(self.voices.get(place), minute, word)

    def _ends(self, answer: Answer, is_asked: Callable[[str, Place], bool]) -> None:
        origin = ALIASES.get(answer.source, answer.source)
        for code, place in list(self.voices):
            is_its = ALIASES.get(place[0], place[0]) == origin
            if is_its and is_asked(code, place) and self.voices[code, place][0] < answer.minute:
                del self.voices[code, place]
                key = (code, origin, place[1], place[2])
                self.gone[key] = max(answer.minute, self.gone.get(key, 0))

    @property
    def on(self) -> set[str]:
        """The codes that some source still says."""
        return {code for (code, _), (_, word) in self.voices.items() if word == ON}


def _after(before: tuple[int, str] | None, minute: int, word: str) -> tuple[int, str]:
    """What a voice says after another word: that it passes counts where it is newer."""
    if before is None:
        return minute, word
    at, said = before
    if PASSES not in (word, said):
        return max(at, minute), ON
    takes_over = minute > at or (minute == at and word == ON)
    return max(at, minute), word if takes_over else said
