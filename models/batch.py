"""What one poll brings: records, and what decoding made of them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from msgspec import Struct

from models.alert import Alert
from models.words import Feed, Reject

# The year 3000, ms since 1970: a timestamp from here on is no date that anybody means.
END_OF_TIME: Final = 32_503_680_000_000
# In place of Kafka's leader epoch where it is not known, as in Kafka's own protocol.
NO_EPOCH: Final = -1


class Partition(NamedTuple):
    """One ordered stream of records."""

    feed: Feed
    topic: str
    number: int


@lru_cache(maxsize=8192)
def moment_of(timestamp: int) -> datetime:
    """Return the time of a timestamp in ms, cached: a batch needs each of its own several times."""
    return datetime.fromtimestamp(timestamp / 1000, UTC)


class Record(Struct, frozen=True):
    """One record as it came. `timestamp` is ms since 1970, `value` None for a tombstone.

    `leader_epoch` numbers the leader of the partition that took it in, in Kafka.
    """

    partition: Partition
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    leader_epoch: int = NO_EPOCH


class Message(Struct, frozen=True):
    """One message on its way out to Kafka. Messages of one key stay in order."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp: int | None = None


class Report(Struct, frozen=True):
    """One alert in its place in the stream.

    `observed_at` is the time to decide by: the alert's own, or `received_at` where the vehicle's
    clock is not to be believed (`clock_suspect`). `defaulted` names the fields whose word we did
    not know.
    """

    fingerprint: str
    alert: Alert
    observed_at: datetime
    received_at: datetime
    defaulted: tuple[str, ...] = ()
    clock_suspect: bool = False
    vin_check_failed: bool = False

    @property
    def vin(self) -> str:
        """The vehicle, as a snapshot has it."""
        return self.alert.vin


class Snapshot(Struct, frozen=True):
    """All codes of one scheme that are on now: the others of that scheme and source are cleared."""

    fingerprint: str
    vin: str
    source: str
    scheme: str
    observed_at: datetime
    received_at: datetime
    codes: frozenset[str]


class Rejected(Struct, frozen=True):
    """Something that could not be used. `pointer` is the JSON pointer of the part, '' for all."""

    reason: Reject
    detail: str
    pointer: str = ""


Item = Report | Snapshot


class Decoded(Struct, frozen=True):
    """What became of one record: its usable parts in document order, and its unusable ones.

    A record without either is quiet: valid, and nothing is wrong. `ignored_fields` counts what the
    document had beyond what we read.
    """

    record: Record
    items: tuple[Item, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    ignored_fields: int = 0


class Span(Struct, frozen=True):
    """The part of a partition that a batch covers: offsets `first` to `end` - 1.

    `leader_epoch` is that of its last record.
    """

    first: int
    end: int
    leader_epoch: int = NO_EPOCH


class Extent(Struct, frozen=True):
    """What a partition of Kafka holds: offsets `first` to `end` - 1, of the topic of this id."""

    first: int
    end: int
    topic_id: str | None = None


class Batch(Struct, frozen=True):
    """Decoded records in the order in which they are to be decided, and the spans they cover."""

    decoded: tuple[Decoded, ...]
    spans: Mapping[Partition, Span]
