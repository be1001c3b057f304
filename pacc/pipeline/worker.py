"""The worker: decodes, decides and saves batches, one after the other, each in one transaction."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import replace
from typing import Final

import sqlalchemy as sa
from msgspec import Struct

from ingest.formats.decode import decode
from ingest.source import StreamPosition
from ingest.store import batches, position
from models.batch import Batch, Decoded, Partition, Record, Span
from models.decision import Decision, joined
from models.errors import Fenced
from models.sql import count_rows
from models.words import Feed
from pacc.decide.decide import in_parts, watermark_after
from pacc.decide.policy import Policy
from pacc.pipeline.limits import Limits, RejectWindow
from pacc.pipeline.writer_thread import InlineWriter, WriterThread

# Looks between batches whether the policy has changed: another model, say.
Refresh = Callable[[sa.Connection, Policy], Policy]


def as_it_is(_connection: sa.Connection, policy: Policy) -> Policy:
    """Keep the policy."""
    return policy


# Takes of a decoded record what this worker is for.
Keep = Callable[[Decoded], Decoded]


def everything(decoded: Decoded) -> Decoded:
    """Keep all of a record."""
    return decoded


_OVERTAKEN: Final = (
    "Another worker has delivered an alert of this batch at the same moment; nothing was written."
)
_FIRST_COUNT: Final = 1000


class Saving(Struct, frozen=True):
    """A batch that was decided and is on its way into the database."""

    decision: Decision
    places: Mapping[Partition, StreamPosition]
    committed: Future[float]


class Worker:
    """One pipeline: owns the places of its partitions, and moves them batch by batch.

    A batch is `prepare`, `begin`, `settle`; `process` is all three. While the database works on one
    that was begun, the next may be prepared, and no more than that: to decide it, the worker
    must know what the last one left.
    """

    def __init__(
        self,
        engine: sa.Engine,
        policy: Policy,
        formats: Mapping[str, str],
        owner: str,
        limits: Limits,
        refresh: Refresh = as_it_is,
        keep: Keep = everything,
    ) -> None:
        self._engine = engine
        self._keep = keep
        self._refresh = refresh
        self._policy = policy
        self._formats = formats
        self._owner = owner
        self._places: dict[Partition, StreamPosition] = {}
        self._window = RejectWindow(limits)
        self._saving: Saving | None = None
        self._filed, self._counts_at = 0, _FIRST_COUNT
        self._beside = WriterThread() if engine.dialect.name == "postgresql" else InlineWriter()

    @property
    def policy(self) -> Policy:
        """What the last batch was decided by."""
        return self._policy

    @property
    def rejected_share(self) -> float:
        """The unusable share of the last records."""
        return self._window.share

    def refresh(self, connection: sa.Connection) -> Policy:
        """Look whether another policy is in force now, and give it."""
        self._policy = self._refresh(connection, self._policy)
        return self._policy

    def close(self) -> None:
        """Let the database's connections go."""
        self._engine.dispose()

    def take(
        self,
        partition: Partition,
        start: int | None,
        topic_id: str | None = None,
        *,
        rewind: bool = False,
    ) -> StreamPosition:
        """Take a partition over; give the place to go on from. A tape begins where it begins."""
        self.settle()
        rewind = rewind or partition.feed is Feed.TAPE
        with self._engine.begin() as connection:
            place = position.take(
                connection, partition, self._owner, start or 0, topic_id, rewind=rewind
            )
        self._places[partition] = place
        return place

    def positions(self) -> dict[Partition, int]:
        """Give the stored position of every partition that was taken."""
        return {partition: place.next_offset for partition, place in self._places.items()}

    def process(self, records: Sequence[Record]) -> Decision:
        """Decide one batch and write it in one transaction; come back when it is committed."""
        saving = self.begin(self.prepare(records))
        self.settle()
        return saving.decision

    def prepare(self, records: Sequence[Record]) -> tuple[Decoded, ...]:
        """Decode records, or refuse to go on (`TooManyRejected`). The database is not asked."""
        decoded = tuple(map(self._keep, decode(records, self._formats)))
        self._window.admit(decoded)
        return decoded

    def begin(self, decoded: Sequence[Decoded]) -> Saving:
        """Decide a batch and send it; it is durable when `settle` has come back.

        What is under way is waited for first. Raises `Fenced` where another worker has taken over.
        """
        self.settle()
        self._count_rows()
        batch = Batch(tuple(decoded), self._spans(decoded))
        with ExitStack() as transaction:
            connection = transaction.enter_context(self._engine.begin())
            position.move(connection, batch.spans, self._places)
            self.refresh(connection)
            before = position.watermarks(connection, tuple(batch.spans))
            known = batches.known(connection, batch, before, watermark_after(batch, before))
            writer = transaction.enter_context(self._beside.writer(connection))
            parts = []
            for part in in_parts(batch, known, self._policy):
                batches.save(writer, part, self._policy.ranker.version)
                parts.append(part)
            end = transaction.pop_all().close
        places = {
            one: replace(self._places[one], next_offset=span.end, leader_epoch=span.leader_epoch)
            for one, span in batch.spans.items()
        }
        self._saving = Saving(joined(parts), places, self._beside.end(end))
        return self._saving

    def settle(self) -> None:
        """Wait until what was begun is committed, and remember it only then.

        Raises what the database had against it, `Fenced` where another worker has just filed one of
        its alerts: then nothing was written. If the commit itself went unanswered nobody knows, and
        the stored place says it when the partition is taken again.
        """
        saving, self._saving = self._saving, None
        if saving is not None:
            try:
                saving.committed.result()
            except sa.exc.IntegrityError as error:
                if not batches.is_overtaken(error):
                    raise
                raise Fenced(_OVERTAKEN) from error
            self._places.update(saving.places)
            self._filed += len(saving.decision.reports)

    def _count_rows(self) -> None:
        """Have the tables counted after the first thousand alerts, ten thousand, and so on.

        PostgreSQL does it by itself within a minute or two. A flood into a new database is planned
        as for empty tables until then, and every row compared with every vehicle of a batch.
        """
        if self._filed >= self._counts_at:
            with self._engine.begin() as connection:
                count_rows(connection, batches.LOOKUP_COLUMNS)
            self._counts_at *= 10

    def _spans(self, decoded: Sequence[Decoded]) -> dict[Partition, Span]:
        spans: dict[Partition, Span] = {}
        for record in (one.record for one in decoded):
            held = spans.get(record.partition)
            first = held.first if held else self._places[record.partition].next_offset
            spans[record.partition] = Span(first, record.offset + 1, record.leader_epoch)
        return spans
