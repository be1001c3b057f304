"""The corpus of bad records, by rules, each with what must become of it."""

from collections.abc import Iterator

from tests.ingest.formats.poison.envelopes import in_envelopes
from tests.ingest.formats.poison.expected import Poison
from tests.ingest.formats.poison.fields import in_fields
from tests.ingest.formats.poison.foreign import in_foreign
from tests.ingest.formats.poison.records import around
from tests.ingest.formats.poison.text import in_texts


def corpus() -> Iterator[Poison]:
    """Return every kind for every form that can have it, always in the same order."""
    for part in (in_texts, around, in_fields, in_envelopes, in_foreign):
        yield from part()
