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
from models.sql import analyze
from models.words import Feed
from pacc.decide.decide import in_parts, watermark_after
from pacc.decide.policy import Policy
from pacc.pipeline.limits import Limits, RejectWindow
from pacc.pipeline.writer_thread import InlineWriter, WriterThread

# Returns the policy in force, between two batches: another model may have been promoted.
Refresh = Callable[[sa.Connection, Policy], Policy]


def same_policy(_connection: sa.Connection, policy: Policy) -> Policy:
    """Return the policy that is in force already."""
    return policy


# Returns the part of a decoded record that a worker processes.
Keep = Callable[[Decoded], Decoded]


def keep_all(decoded: Decoded) -> Decoded:
    """Return the whole record."""
    return decoded


_OVERTAKEN: Final = (
    "Another worker has delivered an alert of this batch at the same moment; nothing was written."
)
_FIRST_ANALYZE: Final = 1000


class Saving(Struct, frozen=True):
    """A batch that was decided and is being saved."""

    decision: Decision
    positions: Mapping[Partition, StreamPosition]
    committed: Future[float]


class Worker:
    """Owns the positions of its partitions, and moves them batch by batch.

    A batch is `prepare`, `begin`, `settle`; `process` is all three. While the database saves one
    that was begun, the next may be prepared, but not begun: to decide it, the worker must know what
    the last one left.
    """

    def __init__(
        self,
        engine: sa.Engine,
        policy: Policy,
        formats: Mapping[str, str],
        owner: str,
        limits: Limits,
        refresh: Refresh = same_policy,
        keep: Keep = keep_all,
    ) -> None:
        self._engine = engine
        self._keep = keep
        self._refresh = refresh
        self._policy = policy
        self._formats = formats
        self._owner = owner
        self._positions: dict[Partition, StreamPosition] = {}
        self._window = RejectWindow(limits)
        self._saving: Saving | None = None
        self._alerts_saved, self._analyze_at = 0, _FIRST_ANALYZE
        self._writer = WriterThread() if engine.dialect.name == "postgresql" else InlineWriter()

    @property
    def policy(self) -> Policy:
        """What the last batch was decided by."""
        return self._policy

    @property
    def rejected_share(self) -> float:
        """The unusable share of the last records."""
        return self._window.share

    def refresh(self, connection: sa.Connection) -> Policy:
        """Return the policy that is in force now, and decide by it from here on."""
        self._policy = self._refresh(connection, self._policy)
        return self._policy

    def close(self) -> None:
        """Close the connections to the database."""
        self._engine.dispose()

    def take(
        self,
        partition: Partition,
        start: int | None,
        topic_id: str | None = None,
        *,
        rewind: bool = False,
    ) -> StreamPosition:
        """Take a partition over; return the position to go on from. A tape starts anew."""
        self.settle()
        rewind = rewind or partition.feed is Feed.TAPE
        with self._engine.begin() as connection:
            taken = position.take(
                connection, partition, self._owner, start or 0, topic_id, rewind=rewind
            )
        self._positions[partition] = taken
        return taken

    def positions(self) -> dict[Partition, int]:
        """Return the next offset of every partition that was taken."""
        return {partition: stored.next_offset for partition, stored in self._positions.items()}

    def process(self, records: Sequence[Record]) -> Decision:
        """Decide one batch and save it in one transaction; return when it is committed.

        Raises what `prepare`, `begin` and `settle` raise.
        """
        saving = self.begin(self.prepare(records))
        self.settle()
        return saving.decision

    def prepare(self, records: Sequence[Record]) -> tuple[Decoded, ...]:
        """Decode records, without the database. Raises `TooManyRejected` beyond the limit."""
        decoded = tuple(map(self._keep, decode(records, self._formats)))
        self._window.admit(decoded)
        return decoded

    def begin(self, decoded: Sequence[Decoded]) -> Saving:
        """Settle the last batch, decide this one and start saving it; `settle` makes it durable.

        Raises `Fenced` where another worker has taken a partition over.
        """
        self.settle()
        self._analyze()
        batch = Batch(tuple(decoded), self._spans(decoded))
        with ExitStack() as transaction:
            connection = transaction.enter_context(self._engine.begin())
            position.move(connection, batch.spans, self._positions)
            self.refresh(connection)
            before = position.watermarks(connection, tuple(batch.spans))
            known = batches.known(connection, batch, before, watermark_after(batch, before))
            writer = transaction.enter_context(self._writer.writer(connection))
            parts = []
            for part in in_parts(batch, known, self._policy):
                batches.save(writer, part, self._policy.ranker.version)
                parts.append(part)
            end = transaction.pop_all().close
        positions = {
            partition: replace(
                self._positions[partition],
                next_offset=span.end,
                leader_epoch=span.leader_epoch,
            )
            for partition, span in batch.spans.items()
        }
        self._saving = Saving(joined(parts), positions, self._writer.end(end))
        return self._saving

    def settle(self) -> None:
        """Wait until the batch that was begun is committed, and move the positions only then.

        Raises the database's error, or `Fenced` where another worker has just saved one of its
        alerts: then nothing was written. Whether a commit without an answer was done, the stored
        position says when the partition is taken again.
        """
        saving, self._saving = self._saving, None
        if saving is not None:
            try:
                saving.committed.result()
            except sa.exc.IntegrityError as error:
                if not batches.is_overtaken(error):
                    raise
                raise Fenced(_OVERTAKEN) from error
            self._positions.update(saving.positions)
            self._alerts_saved += len(saving.decision.reports)

    def _analyze(self) -> None:
        """Update the planner's statistics after the first thousand alerts, ten thousand, and so on.

        PostgreSQL does it by itself within a minute or two; until then it plans a flood into a new
        database as for empty tables, and compares every row with every vehicle of a batch.
        """
        if self._alerts_saved >= self._analyze_at:
            with self._engine.begin() as connection:
                analyze(connection, batches.LOOKUP_COLUMNS)
            self._analyze_at *= 10

    def _spans(self, decoded: Sequence[Decoded]) -> dict[Partition, Span]:
        spans: dict[Partition, Span] = {}
        for record in (item.record for item in decoded):
            span = spans.get(record.partition)
            first = span.first if span else self._positions[record.partition].next_offset
            spans[record.partition] = Span(first, record.offset + 1, record.leader_epoch)
        return spans
