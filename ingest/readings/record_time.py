"""When a record came: by its timestamp in whatever unit, else by its document's own time."""

from datetime import UTC, datetime
from typing import Final

from models.batch import (
    BEGIN_OF_TIME,
    END_OF_TIME,
    NO_RECORD_TIME,
    OTHER_RECORD_UNIT,
    Record,
    moment_of,
)

OLDEST: Final = datetime.fromtimestamp(BEGIN_OF_TIME / 1000, UTC)


def arrival(record: Record, own: datetime | None) -> datetime | None:
    """Return when a record came; None where neither it nor its document has a date."""
    at = moment_of(record.timestamp)
    return own if at is None and own is not None and own >= OLDEST else at


def marks_of(record: Record) -> tuple[str, ...]:
    """Return what is to be marked of a record's timestamp: that there is none, or another unit."""
    if BEGIN_OF_TIME <= record.timestamp < END_OF_TIME:
        return ()
    return (NO_RECORD_TIME if moment_of(record.timestamp) is None else OTHER_RECORD_UNIT,)
