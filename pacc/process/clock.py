"""The clock: for what people and time do, never for what `decide` does."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Read the clock."""
    return datetime.now(UTC)
