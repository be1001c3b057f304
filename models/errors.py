"""The failures that are expected, each with its exit code or HTTP status."""

from collections.abc import Mapping
from typing import Any

from models.words import ModelRefusal


class PaccError(Exception):
    """Something went wrong that a person can do something about. The message says what to do.

    `sentence` is the message before its named `values` (`%(name)s`) are put in, so that it can be
    said in another language; `facts` are for programs.
    """

    status = 500
    exit_code = 1

    def __init__(
        self, sentence: str, values: Mapping[str, Any] | None = None, /, **facts: Any
    ) -> None:
        self.sentence = sentence
        self.values: Mapping[str, Any] = values or {}
        plain = {name: _plain(value) for name, value in self.values.items()}
        super().__init__(sentence % plain if plain else sentence)
        self.facts = facts


def _plain(value: Any) -> Any:
    """Return a value in English, as programs and logs read it."""
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return getattr(value, "en", value)


class Mistake(PaccError, ValueError):
    """A file of rules or codes says something that cannot be; the message names file and line."""


class NotThere(PaccError):
    """There is no such thing, or it belongs to another desk: both look the same."""

    status = 404


class Unknown(PaccError):
    """Nobody is known by this key."""

    status = 401


class Conflict(PaccError):
    """What you asked for was possible a moment ago. Read again and retry."""

    status = 409


class NotAllowed(PaccError):
    """Your role may not do this."""

    status = 403


class Unusable(PaccError):
    """The request was understood, and cannot be carried out as it stands."""

    status = 422


class SettingsInvalid(PaccError):
    """A setting is missing, mistyped or out of bounds."""

    exit_code = 4


class WrongSchema(SettingsInvalid):
    """The database has another schema version than this program."""

    status = 503


class Unreachable(PaccError):
    """A dependency does not answer."""

    status = 503
    exit_code = 5


class Fenced(PaccError):
    """Another worker has the partition now, or has filed an alert of it: nothing was written."""


class OffsetLost(PaccError):
    """The topic no longer holds the records at our position: data was lost upstream."""


class Stalled(PaccError):
    """The consumer stands still although records wait, and making it anew did not help."""

    exit_code = 6


class TooManyRejected(PaccError):
    """More than the bearable share of records is unusable: the worker stops instead of filling
    the quarantine with a whole topic."""


class ImportRefused(PaccError):
    """The file has mistakes; nothing was changed. `facts['lines']` says where."""


class ModelRefused(PaccError):
    """The trained model is not used, `why` says for what reason; the rules rank alone."""

    def __init__(self, why: ModelRefusal, message: str) -> None:
        super().__init__(message, why=why.value)
        self.why = why
