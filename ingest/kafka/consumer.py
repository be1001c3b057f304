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
from models.batch import NO_EPOCH, Partition, Record
from models.errors import OffsetLost, Unreachable
from models.words import Feed

_CALL_MS: Final = 15_000
_COMMIT_MS: Final = 3_000
_CLOSE_MS: Final = 4_000
# How long a topic that is made anew under us may go unseen; the library's own would be 5 minutes.
_LOOK_MS: Final = 60_000
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
        self._has_looked = False
        self._topic_ids: dict[TopicPartition, str | None] = {}
        self._consumer = consumer_of(
            bootstrap,
            group_id=group_id,
            session_timeout_ms=session_timeout_ms,
            heartbeat_interval_ms=session_timeout_ms // 4,
            metadata_max_age_ms=_LOOK_MS,
        )
        self._adopted.consumer = self._consumer
        self._require(topics)
        self._consumer.subscribe(topics=sorted(topics), listener=self._adopted)

    def poll(self, limit: int) -> list[Record]:
        """Give the next records; adopt partitions that were assigned meanwhile."""
        try:
            self._finish_joining()
            self._has_looked = True
            polled = self._consumer.poll(timeout_ms=self._poll_ms, max_records=limit)
            for one in self._made_anew():
                polled.pop(one, None)
                self._adopted.hold(one)
            self._adopt()
        except OffsetOutOfRangeError as error:
            raise OffsetLost(f"The topic no longer holds our position: {error}. {_TOLD}") from error
        except LogTruncationError as error:
            self._go_back(error.divergent_offsets)
            return []
        except KafkaError as error:
            raise Unreachable(f"Kafka does not answer: {error}") from error
        return [
            record_of(Feed.KAFKA, message) for messages in polled.values() for message in messages
        ]

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Tell Kafka where we are, so that lag tools work; a failure is only logged."""
        mine = self._consumer.assignment()
        offsets = {
            TopicPartition(one.topic, one.number): OffsetAndMetadata(offset, "", -1)
            for one, offset in positions.items()
            if TopicPartition(one.topic, one.number) in mine
        }
        try:
            self._consumer.commit(offsets, timeout_ms=_COMMIT_MS)
        except KafkaError as error:
            _log.warning("offsets not told to Kafka: %s", error)

    def is_at_end(self) -> bool:
        """Whether every assigned partition is where its end was when we got it.

        A poll must have come since, in which Kafka could say that our place is not of this log.
        """
        try:
            return self._has_looked and bool(self._ends) and all(map(self._is_there, self._ends))
        except LogTruncationError as error:
            self._go_back(error.divergent_offsets)
            return False

    def _is_there(self, one: TopicPartition) -> bool:
        position: int = self._consumer.position(one, timeout_ms=_CALL_MS)
        return position >= self._ends[one]

    def lag(self, positions: Mapping[Partition, int]) -> Mapping[Partition, int]:
        """Count the records from our position to the newest known end of each partition of ours."""
        lags = {}
        for one in self._consumer.assignment():
            partition = _partition(one)
            end = self._consumer.highwater(one)
            if end is not None and partition in positions:
                lags[partition] = max(0, end - positions[partition])
        return lags

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close(autocommit=False, timeout_ms=_CLOSE_MS)

    def _finish_joining(self) -> None:
        """Go on with a join that the last poll did not wait for.

        kafka-python 3.0 forgets one that changed metadata began and that ended between two polls:
        no heartbeat, no assignment told, nothing read. Seen under load; found by the watchdog.
        """
        coordinator = self._consumer._coordinator
        if coordinator.rejoining:
            coordinator.request_rejoin()

    def _require(self, topics: Iterable[str]) -> None:
        """Refuse to wait for ever on a topic that is not there."""
        there = self._consumer.topics()
        gone = sorted(set(topics) - set(there))
        if gone:
            self.close()
            raise Unreachable(
                f"Kafka has no topic {', '.join(gone)}. Create it, or name another in PACC_TOPICS."
            )

    def _adopt(self) -> None:
        """Go to the stored place of each new partition, and check that the topic holds it."""
        fresh = self._adopted.fresh()
        if not fresh:
            return
        self._has_looked = False
        first = self._consumer.beginning_offsets(fresh, timeout_ms=_CALL_MS)
        ends = self._consumer.end_offsets(fresh, timeout_ms=_CALL_MS)
        for one in sorted(fresh):
            self._topic_ids[one] = topic_id(self._consumer, one.topic)
            place = self._take(_partition(one), first[one], self._topic_ids[one])
            if _is_another(self._topic_ids[one], place.topic_id):
                place = self._begin_anew(one, place, first[one])
            elif place.next_offset < first[one] or _is_beyond(place, ends[one]):
                place = self._lost(one, place, first[one], ends[one])
            self._go_to(one, place.next_offset, place.leader_epoch)
            self._consumer.resume(one)
        mine = self._consumer.assignment()
        self._ends = {one: end for one, end in self._ends.items() if one in mine}
        self._ends.update({one: ends[one] for one in fresh})
        self._topic_ids = {one: held for one, held in self._topic_ids.items() if one in mine}

    def _go_to(self, one: TopicPartition, offset: int, leader_epoch: int) -> None:
        """Seek, and say of which leader's log: then Kafka itself refuses to read on from another.

        `KafkaConsumer.seek` takes no epoch; what it calls does.
        """
        there = OffsetAndMetadata(offset, "", leader_epoch)
        self._consumer._subscription.seek(one, there)

    def _made_anew(self) -> list[TopicPartition]:
        """Find the partitions whose topic is another by now than the one that we took."""
        return [
            one
            for one in self._topic_ids.keys() & self._consumer.assignment()
            if _is_another(topic_id(self._consumer, one.topic), self._topic_ids[one])
        ]

    def _begin_anew(self, one: TopicPartition, place: StreamPosition, first: int) -> StreamPosition:
        if not self._accept_gaps:
            raise OffsetLost(
                f"{one.topic} was deleted and made anew: our position {place.next_offset} in "
                f"partition {one.partition} is one of the old topic. {_TOLD}"
            )
        _log.warning(
            "begun anew: %s at %s, the old one was read to %s", one, first, place.next_offset
        )
        return self._take(_partition(one), first, self._topic_ids[one], rewind=True)

    def _go_back(self, cut: Mapping[TopicPartition, OffsetAndMetadata | None]) -> None:
        """Go on from where a log was cut, if we may; else say where that was."""
        for one in sorted(cut):
            position = self._consumer._subscription.assignment[one].position.offset
            there = cut[one]
            end = there.offset if there else self._first(one)
            if not self._accept_gaps:
                raise OffsetLost(
                    f"{one.topic}/{one.partition} was cut at {end}, and we had read to {position}: "
                    f"Kafka lost records, and others stand in their place. {_TOLD}"
                )
            _log.warning("gone back: %s from %s to %s", one, position, end)
            self._take(_partition(one), end, self._topic_ids.get(one), rewind=True)
            self._go_to(one, end, there.leader_epoch if there else NO_EPOCH)

    def _first(self, one: TopicPartition) -> int:
        return int(self._consumer.beginning_offsets([one], timeout_ms=_CALL_MS)[one])

    def _lost(
        self, one: TopicPartition, place: StreamPosition, first: int, end: int
    ) -> StreamPosition:
        position = place.next_offset
        if not self._accept_gaps:
            raise OffsetLost(
                f"{one.topic}/{one.partition} holds offsets {first} to {end}, our position is "
                f"{position}: records were lost upstream. {_TOLD}",
            )
        _log.warning("gap accepted: %s from %s to %s", one, position, first)
        if position < first:  # the stored place stays: what the next batch leaves out is the gap
            return StreamPosition(first, place.epoch, place.topic_id)
        return self._take(_partition(one), first, self._topic_ids[one], rewind=True)


_TOLD: Final = "Find out why; `pacc run --accept-gaps` goes on with what is there."


class _Assignment(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes new partitions on the library's thread and holds them until they are adopted."""

    consumer: KafkaConsumer | None = None

    def __init__(self) -> None:
        self._fresh: set[TopicPartition] = set()

    def fresh(self) -> list[TopicPartition]:
        """Give the partitions that wait to be adopted, once."""
        given, self._fresh = self._fresh, set()
        return sorted(given)

    def hold(self, one: TopicPartition) -> None:
        """Have a partition adopted once more; nothing of it is fetched until then."""
        if self.consumer is not None:
            self.consumer.pause(one)
            self._fresh.add(one)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Forget what is no longer ours."""
        self._fresh -= set(revoked)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Hold the partitions: nothing is fetched before their stored position is known."""
        if self.consumer is None:
            return
        for one in assigned:
            self.consumer.seek(one, 0)
            self.consumer.pause(one)
            self._fresh.add(one)


def topics_at(bootstrap: str) -> set[str]:
    """Name the topics of a broker."""
    consumer = consumer_of(bootstrap, group_id=None)
    try:
        return set(consumer.topics())
    except KafkaError as error:
        raise Unreachable(f"Kafka at {bootstrap} does not answer: {error}") from error
    finally:
        consumer.close(autocommit=False, timeout_ms=_CLOSE_MS)


def record_of(feed: Feed, message: Any) -> Record:
    """Take a message of the library as a record of a feed."""
    return Record(
        partition=Partition(feed, message.topic, message.partition),
        offset=message.offset,
        timestamp=message.timestamp,
        key=message.key,
        value=message.value,
        headers=tuple((name, value or b"") for name, value in message.headers or ()),
        leader_epoch=message.leader_epoch if feed is Feed.KAFKA else NO_EPOCH,
    )


def _is_beyond(place: StreamPosition, end: int) -> bool:
    """Whether a log ends before our place, and Kafka cannot be asked whether it is that log's.

    A broker that has just come up may for a moment name an end that is too low.
    """
    return place.next_offset > end and place.leader_epoch == NO_EPOCH


def _is_another(now: str | None, taken: str | None) -> bool:
    return None not in (now, taken) and now != taken


def _partition(one: TopicPartition) -> Partition:
    return Partition(Feed.KAFKA, one.topic, one.partition)
