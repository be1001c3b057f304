"""The names in a canonical alert: its code and its words in our spelling, and whether it says
that nothing is wrong."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ingest.names.words import is_healthy, word_of
from models.names.fault_code import canonical_code, is_no_fault
from models.words import Lamp, Severity, Status, Word

_VOCABULARIES: Final = ("severity", "status", "lamp", "motion")
# A car that warns without naming a code: by its lamp, else by the word beside it.
_WARNINGS: Final[Mapping[Word, str]] = {
    Lamp.RED: "warning:RED",
    Lamp.AMBER: "warning:AMBER",
    Lamp.MALFUNCTION: "warning:MALFUNCTION",
    Severity.STOP: "warning:STOP",
    Severity.LIMITED: "warning:LIMITED",
}


class Named(NamedTuple):
    """An alert's document in our spelling. `defaulted` names the members whose word was not said
    or not understood, `unknown_words` those of them that hold a word that nobody knows."""

    document: Mapping[str, Any]
    defaulted: tuple[str, ...] = ()
    unknown_words: tuple[str, ...] = ()
    is_quiet: bool = False


def named(document: Mapping[str, Any]) -> Named:
    """Bring code and words into our spelling.

    A code that stands for no fault, or a severity that says OK, is quiet unless a lamp is lit or
    the severity is grave: then the car warns, and `warning:` names how.
    """
    ours, defaulted, unknown = dict(document), [], []
    for name in _VOCABULARIES:
        value = ours.get(name)
        if value is None:
            continue
        said = word_of(name, value)
        ours[name] = said.word
        if said.is_unknown and not (name == "severity" and is_healthy(value)):
            unknown.append(name)
        if said.is_unknown or (said.word is Severity.UNKNOWN and value != "unknown"):
            defaulted.append(name)
    code = ours.get("code")
    if isinstance(code, str):
        ours["code"] = code = canonical_code(code)
        if is_no_fault(code) or is_healthy(document.get("severity")):
            warning = _warning(ours)
            if warning is None:
                return Named(ours, is_quiet=True)
            if is_no_fault(code):
                ours["code"] = warning
    return Named(ours, tuple(defaulted), tuple(unknown))


def _warning(document: Mapping[str, Any]) -> str | None:
    """Return how a car warns that names no fault; None where it does not, or does no more."""
    if document.get("status") is Status.CLEARED:
        return None
    by_lamp = _WARNINGS.get(document.get("lamp", Lamp.UNKNOWN))
    return by_lamp or _WARNINGS.get(document.get("severity", Severity.UNKNOWN))
