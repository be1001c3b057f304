"""What one origin says of a code: a code that several report is shown as one fault."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from msgspec import Struct

from models.words import Status


class Origin(NamedTuple):
    """Who says a code: a source, the control unit that it read, and in which of its lists.

    `unit` is None where it names none, `listed` empty where its documents hold one list alone.
    """

    source: str
    unit: str | None = None
    listed: str = ""


class Voice(Struct, frozen=True):
    """What an origin says of a code, and when it last did, by the vehicle's time."""

    status: Status
    last_seen: datetime


Voices = Mapping[Origin, Voice]


def voices_column(voices: Voices) -> list[list[Any]]:
    """Return voices as JSON: source, unit, list, status and time of each."""
    return [
        [*origin, voice.status.value, voice.last_seen.isoformat()]
        for origin, voice in voices.items()
    ]


def voices_from(column: Sequence[Sequence[Any]]) -> dict[Origin, Voice]:
    """Return the voices of a column."""
    return {
        Origin(source, unit, listed): Voice(Status(status), datetime.fromisoformat(at))
        for source, unit, listed, status, at in column
    }
