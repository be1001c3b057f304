"""The failures that are expected, each with its exit code or HTTP status."""

from typing import Any


class PaccError(Exception):
    """Something went wrong that a person can do something about. The message says what to do."""

    status = 500
    exit_code = 1

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.facts = facts


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
    """Another worker has taken the partition: nothing was written."""


class OffsetLost(PaccError):
    """The topic no longer holds the records at our position: data was lost upstream."""


class TooManyRejected(PaccError):
    """More than the bearable share of records is unusable: the worker stops instead of filling
    the quarantine with a whole topic."""


class ImportRefused(PaccError):
    """The file has mistakes; nothing was changed. `facts['lines']` says where."""
