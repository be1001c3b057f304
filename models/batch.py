"""What one poll brings: records, and what decoding made of them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from msgspec import Struct

from models.alert import Alert
from models.words import Feed, Reject, Status

# The years 2010 and 3000, ms since 1970: no date that anybody means lies outside.
BEGIN_OF_TIME: Final = 1_262_304_000_000
END_OF_TIME: Final = 32_503_680_000_000
# Kafka's unit, and those that writers of records mistake for it: how many of it are a second.
_PER_SECOND: Final = (1_000, 1, 1_000_000, 1_000_000_000)
# Kafka's own for a record without a timestamp.
UNTIMED: Final = -1
# What is marked where a record has no time of its own, or one that is not in milliseconds.
NO_RECORD_TIME: Final = "received_at"
OTHER_RECORD_UNIT: Final = "received_at.unit"
# In place of Kafka's leader epoch where it is not known, as in Kafka's own protocol.
NO_EPOCH: Final = -1
# The name of a list whose document holds but one.
ONE_LIST: Final = frozenset({""})


class Partition(NamedTuple):
    """One ordered stream of records."""

    feed: Feed
    topic: str
    number: int


@lru_cache(maxsize=8192)
def moment_of(timestamp: int) -> datetime | None:
    """Return the time of a record's timestamp; None for one that is no date (Kafka's -1, 0).

    Kafka's unit is ms; seconds, microseconds and nanoseconds are known by their size. Cached: a
    batch needs each of its own several times.
    """
    for per_second in _PER_SECOND:
        milliseconds = timestamp * 1000 // per_second
        if BEGIN_OF_TIME <= milliseconds < END_OF_TIME:
            return datetime.fromtimestamp(milliseconds / 1000, UTC)
    return None


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
    not know and the members that could not be believed; `received_at` among them where the record
    had no time, so that the alert's own stands in for it, and `received_at.unit` where the record's
    time was not in milliseconds. `unknown_words` names those that hold a word that no vocabulary
    has. `lists` are those of its document that were asked for the code, and what each says of it
    (`cleared` where it does not hold it); none where there is but one.
    """

    fingerprint: str
    alert: Alert
    observed_at: datetime
    received_at: datetime
    defaulted: tuple[str, ...] = ()
    clock_suspect: bool = False
    vin_check_failed: bool = False
    unknown_words: tuple[str, ...] = ()
    lists: tuple[tuple[str, Status], ...] = ()

    @property
    def vin(self) -> str:
        """The vehicle, as a snapshot has it."""
        return self.alert.vin


class Snapshot(Struct, frozen=True):
    """What an answer asked for and found: what it asked for and did not find may be cleared.

    It asked one control unit of a source (None: one that it does not name) for all codes of a
    scheme, in these of its lists; `codes` are those that it found in any of them.
    """

    fingerprint: str
    vin: str
    source: str
    scheme: str
    observed_at: datetime
    received_at: datetime
    codes: frozenset[str]
    defaulted: tuple[str, ...] = ()
    unit: str | None = None
    lists: frozenset[str] = ONE_LIST


class Content(NamedTuple):
    """What a delivery says, by which a second one is known; a snapshot's status is `snapshot`.

    `at` is the sender's own time, None where it has none that is to be believed.
    """

    vin: str
    code: str
    status: str
    severity: str
    at: datetime | None = None


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
