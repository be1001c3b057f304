"""Why something was refused, in the language of who asked, and beside which field it is said.

Babel finds the sentences where they are raised (`locale/babel.cfg`, `make words`): the first
argument of `Conflict`, `NotAllowed`, `NotThere`, `Unusable` is a literal with named values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from dispatch.console.show import languages
from dispatch.console.show.languages import N_
from dispatch.console.show.templates import translate
from models.case import Text
from models.errors import PaccError


@dataclass(frozen=True, slots=True)
class Refused:
    """What could not be accepted: the form (the end of its address), its field if one is to
    blame, and the sentence."""

    form: str
    field: str | None
    says: str


def refused(language: str, error: PaccError, path: str) -> Refused:
    """Return a form's refusal for the page that shows the form again."""
    return Refused(path.rsplit("/", 1)[-1], error.facts.get("field"), explain(language, error))


def explain(language: str, error: PaccError) -> str:
    """Explain in the reader's language why something was refused."""
    if error.facts.get("holder"):
        return translate(
            language, N_("%(name)s has this case in hand."), name=error.facts["holder"]
        )
    values = {name: _named(language, name, value) for name, value in error.values.items()}
    return translate(language, error.sentence, **values)


def _named(language: str, name: str, value: Any) -> Any:
    """Spell a value as the pages do: a state by its label, a list of steps by theirs."""
    if isinstance(value, Text):
        return languages.chosen(value, language)
    if isinstance(value, list):
        named = [_named(language, name, one) for one in value]
        return ("、" if language == "zh" else ", ").join(named)
    table = _LABELS.get(name, {})
    return translate(language, table[value]) if value in table else value


_LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    "queue": languages.QUEUES,
    "state": languages.STATES,
    "step": languages.STEPS,
    "disposition": languages.DISPOSITIONS,
    "possible": languages.DISPOSITIONS,
    "role": languages.ROLES,
    "roles": languages.ROLES,
}
