"""Why something was refused, in the language of who asked."""

from collections.abc import Mapping
from typing import Final

from dispatch.console.page import translate
from dispatch.console.words import N_
from models.errors import Conflict, NotAllowed, PaccError, Unusable


def said(language: str, error: PaccError) -> str:
    """Say in the reader's language why something was refused."""
    if error.facts.get("holder"):
        return translate(language, N_("%(name)s has this case in hand."),
                         name=error.facts["holder"])  # fmt: skip
    sentence = _REFUSALS.get(type(error))
    told = str(error)
    if language == "zh" and sentence is not None:
        return f"{translate(language, sentence)}（{told}）"
    return told


_REFUSALS: Final[Mapping[type[PaccError], str]] = {
    Conflict: N_("The case has changed meanwhile; here is how it stands now."),
    Unusable: N_("This cannot be done as it stands."),
    NotAllowed: N_("Your role may not do this."),
}
