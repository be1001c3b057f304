"""Kafka: the group that the pipeline reads with."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, LogTruncationError, OffsetOutOfRangeError
from kafka.structs import OffsetAndMetadata

from ingest.kafka.client import consumer_of
from ingest.kafka.offsets import topic_id
from ingest.source import StreamPosition, Take
from models.batch import NO_EPOCH, UNTIMED, Partition, Record
from models.errors import OffsetLost, Unreachable
from models.words import Feed

_CALL_MS: Final = 15_000
_COMMIT_MS: Final = 3_000
_CLOSE_MS: Final = 4_000
# How long a topic that is created again may go unseen; the library's own would be 5 minutes.
_METADATA_MAX_AGE_MS: Final = 60_000
_log = logging.getLogger(__name__)


class KafkaSource:
    """A member of a consumer group whose positions are the database's, never Kafka's."""

    def __init__(
        self,
        bootstrap: str,
        group_id: str,
        topics: Sequence[str],
        *,
        take: Take,
        accept_gaps: bool = False,
        poll_ms: int = 500,
        session_timeout_ms: int = 10_000,
    ) -> None:
        self._take = take
        self._accept_gaps = accept_gaps
        self._poll_ms = poll_ms
        self._adopted = _Assignment()
        self._ends: dict[TopicPartition, int] = {}
        self._has_polled = False
        self._topic_ids: dict[TopicPartition, str | None] = {}
        self._consumer = consumer_of(
            bootstrap,
            group_id=group_id,
            session_timeout_ms=session_timeout_ms,
            heartbeat_interval_ms=session_timeout_ms // 4,
            metadata_max_age_ms=_METADATA_MAX_AGE_MS,
        )
        self._adopted.consumer = self._consumer
        self._require(topics)
        self._consumer.subscribe(topics=sorted(topics), listener=self._adopted)

    def poll(self, limit: int) -> list[Record]:
        """Return the next records; adopt partitions that were assigned meanwhile.

        Raises `OffsetLost` where records are lost, `Unreachable` where Kafka does not answer.
        """
        try:
            self._finish_joining()
            self._has_polled = True
            polled = self._consumer.poll(timeout_ms=self._poll_ms, max_records=limit)
            for part in self._recreated():
                polled.pop(part, None)
                self._adopted.adopt_again(part)
            self._adopt()
        except OffsetOutOfRangeError as error:
            raise OffsetLost(f"The topic no longer holds our position: {error}. {_HINT}") from error
        except LogTruncationError as error:
            self._go_back(error.divergent_offsets)
            return []
        except KafkaError as error:
            raise Unreachable(f"Kafka does not answer: {error}") from error
        return [
            record_of(Feed.KAFKA, message) for messages in polled.values() for message in messages
        ]

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Commit our positions to Kafka, so that lag tools work; a failure is only logged."""
        mine = self._consumer.assignment()
        offsets = {
            part: OffsetAndMetadata(offset, "", -1)
            for partition, offset in positions.items()
            if (part := TopicPartition(partition.topic, partition.number)) in mine
        }
        try:
            self._consumer.commit(offsets, timeout_ms=_COMMIT_MS)
        except KafkaError as error:
            _log.warning("offsets not told to Kafka: %s", error)

    def is_at_end(self) -> bool:
        """Return whether every assigned partition is read to the end that it had when we got it.

        A poll must have come since, in which Kafka could say that our position is not of this log.
        """
        try:
            return self._has_polled and bool(self._ends) and all(map(self._is_read, self._ends))
        except LogTruncationError as error:
            self._go_back(error.divergent_offsets)
            return False

    def _is_read(self, part: TopicPartition) -> bool:
        position: int = self._consumer.position(part, timeout_ms=_CALL_MS)
        return position >= self._ends[part]

    def lag(self, positions: Mapping[Partition, int]) -> Mapping[Partition, int]:
        """Count the records from our position to the newest known end of each partition of ours."""
        lags = {}
        for part in self._consumer.assignment():
            partition = _partition(part)
            end = self._consumer.highwater(part)
            if end is not None and partition in positions:
                lags[partition] = max(0, end - positions[partition])
        return lags

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close(autocommit=False, timeout_ms=_CLOSE_MS)

    def _finish_joining(self) -> None:
        """Go on with a join that the last poll did not wait for.

        kafka-python 3.0 forgets one that changed metadata began and that ended between two polls:
        no heartbeat, no assignment, nothing read. Seen under load; the watchdog noticed it.
        """
        coordinator = self._consumer._coordinator
        if coordinator.rejoining:
            coordinator.request_rejoin()

    def _require(self, topics: Iterable[str]) -> None:
        """Raise `Unreachable` for a topic that is not there, rather than wait for it for ever."""
        there = self._consumer.topics()
        gone = sorted(set(topics) - set(there))
        if gone:
            self.close()
            raise Unreachable(
                f"Kafka has no topic {', '.join(gone)}. Create it, or name another in PACC_TOPICS."
            )

    def _adopt(self) -> None:
        """Seek each new partition to its stored position, and check that the topic holds it."""
        fresh = self._adopted.pop_fresh()
        if not fresh:
            return
        self._has_polled = False
        first = self._consumer.beginning_offsets(fresh, timeout_ms=_CALL_MS)
        ends = self._consumer.end_offsets(fresh, timeout_ms=_CALL_MS)
        for part in sorted(fresh):
            self._topic_ids[part] = topic_id(self._consumer, part.topic)
            stored = self._take(_partition(part), first[part], self._topic_ids[part])
            if _is_another(self._topic_ids[part], stored.topic_id):
                stored = self._restart(part, stored, first[part])
            elif stored.next_offset < first[part] or _is_beyond(stored, ends[part]):
                stored = self._accept_gap(part, stored, first[part], ends[part])
            self._seek(part, stored.next_offset, stored.leader_epoch)
            self._consumer.resume(part)
        mine = self._consumer.assignment()
        self._ends = {part: end for part, end in self._ends.items() if part in mine}
        self._ends.update({part: ends[part] for part in fresh})
        self._topic_ids = {part: id_ for part, id_ in self._topic_ids.items() if part in mine}

    def _seek(self, part: TopicPartition, offset: int, leader_epoch: int) -> None:
        """Seek in the log of one leader: then Kafka itself refuses to read on from another.

        `KafkaConsumer.seek` takes no epoch; what it calls does.
        """
        target = OffsetAndMetadata(offset, "", leader_epoch)
        self._consumer._subscription.seek(part, target)

    def _recreated(self) -> list[TopicPartition]:
        """Return the partitions whose topic was deleted and created again since we took them."""
        return [
            part
            for part in self._topic_ids.keys() & self._consumer.assignment()
            if _is_another(topic_id(self._consumer, part.topic), self._topic_ids[part])
        ]

    def _restart(self, part: TopicPartition, stored: StreamPosition, first: int) -> StreamPosition:
        if not self._accept_gaps:
            raise OffsetLost(
                f"{part.topic} was deleted and made anew: our position {stored.next_offset} in "
                f"partition {part.partition} is one of the old topic. {_HINT}"
            )
        _log.warning(
            "begun anew: %s at %s, the old one was read to %s", part, first, stored.next_offset
        )
        return self._take(_partition(part), first, self._topic_ids[part], rewind=True)

    def _go_back(self, cut: Mapping[TopicPartition, OffsetAndMetadata | None]) -> None:
        """Go on from where a log was cut; raise `OffsetLost` unless gaps are accepted."""
        for part in sorted(cut):
            position = self._consumer._subscription.assignment[part].position.offset
            there = cut[part]
            end = there.offset if there else self._first(part)
            if not self._accept_gaps:
                raise OffsetLost(
                    f"{part.topic}/{part.partition} was cut at {end}, and we had read to "
                    f"{position}: Kafka lost records, and others stand in their place. {_HINT}"
                )
            _log.warning("gone back: %s from %s to %s", part, position, end)
            self._take(_partition(part), end, self._topic_ids.get(part), rewind=True)
            self._seek(part, end, there.leader_epoch if there else NO_EPOCH)

    def _first(self, part: TopicPartition) -> int:
        return int(self._consumer.beginning_offsets([part], timeout_ms=_CALL_MS)[part])

    def _accept_gap(
        self, part: TopicPartition, stored: StreamPosition, first: int, end: int
    ) -> StreamPosition:
        position = stored.next_offset
        if not self._accept_gaps:
            raise OffsetLost(
                f"{part.topic}/{part.partition} holds offsets {first} to {end}, our position is "
                f"{position}: records were lost upstream. {_HINT}",
            )
        _log.warning("gap accepted: %s from %s to %s", part, position, first)
        if position < first:  # the stored position stays: what the next batch leaves out is the gap
            return StreamPosition(first, stored.epoch, stored.topic_id)
        return self._take(_partition(part), first, self._topic_ids[part], rewind=True)


_HINT: Final = "Find out why; `pacc run --accept-gaps` goes on with what is there."


class _Assignment(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes new partitions on the library's thread and pauses them until they are adopted."""

    consumer: KafkaConsumer | None = None

    def __init__(self) -> None:
        self._fresh: set[TopicPartition] = set()

    def pop_fresh(self) -> list[TopicPartition]:
        """Return the partitions that wait to be adopted, and forget them."""
        fresh, self._fresh = self._fresh, set()
        return sorted(fresh)

    def adopt_again(self, part: TopicPartition) -> None:
        """Pause a partition until it is adopted once more."""
        if self.consumer is not None:
            self.consumer.pause(part)
            self._fresh.add(part)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Forget what is no longer ours."""
        self._fresh -= set(revoked)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Pause the partitions: nothing is fetched before their stored position is known."""
        if self.consumer is None:
            return
        for part in assigned:
            self.consumer.seek(part, 0)
            self.consumer.pause(part)
            self._fresh.add(part)


def topics_at(bootstrap: str) -> set[str]:
    """Return the topics of a broker. Raises `Unreachable` where it does not answer."""
    consumer = consumer_of(bootstrap, group_id=None)
    try:
        return set(consumer.topics())
    except KafkaError as error:
        raise Unreachable(f"Kafka at {bootstrap} does not answer: {error}") from error
    finally:
        consumer.close(autocommit=False, timeout_ms=_CLOSE_MS)


def record_of(feed: Feed, message: Any) -> Record:
    """Return a message of the library as a record of a feed."""
    return Record(
        partition=Partition(feed, message.topic, message.partition),
        offset=message.offset,
        timestamp=UNTIMED if message.timestamp is None else message.timestamp,
        key=message.key,
        value=message.value,
        headers=tuple((name, value or b"") for name, value in message.headers or ()),
        leader_epoch=message.leader_epoch if feed is Feed.KAFKA else NO_EPOCH,
    )


def _is_beyond(stored: StreamPosition, end: int) -> bool:
    """Return whether a log ends before our position, and Kafka cannot say whose log that is.

    A broker that has just come up may for a moment name an end that is too low.
    """
    return stored.next_offset > end and stored.leader_epoch == NO_EPOCH


def _is_another(now: str | None, taken: str | None) -> bool:
    return None not in (now, taken) and now != taken


def _partition(part: TopicPartition) -> Partition:
    return Partition(Feed.KAFKA, part.topic, part.partition)
