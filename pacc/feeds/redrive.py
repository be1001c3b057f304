"""Redrive: records of the quarantine processed again, through a feed of their own."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from msgspec.structs import replace

from ingest.formats.decode import decode
from ingest.formats.repair import Steps, repaired
from ingest.store import batches, position, quarantine
from models import tables as t
from models.batch import Batch, Partition, Record
from models.ids import digest
from models.words import Feed
from pacc.decide.decide import decide, watermark_after
from pacc.pipeline.worker import Worker


@dataclass(frozen=True, slots=True)
class Plan:
    """What a redrive would do: the records that are usable now, each with its quarantine ids.

    `refused` counts the ids of the others by reason.
    """

    usable: tuple[tuple[Record, tuple[str, ...]], ...]
    refused: Mapping[str, int]

    @property
    def ids(self) -> list[str]:
        """The ids that would leave the quarantine."""
        return sorted(key for _, ids in self.usable for key in ids)


def make_plan(
    engine: sa.Engine, quarantine_ids: Sequence[str], formats: Mapping[str, str], steps: Steps = ()
) -> Plan:
    """Repair copies of the records and decode them; those without a mistake are usable."""
    with engine.begin() as connection:
        ids_by_record = quarantine.records(connection, quarantine_ids)
    records = [repaired(record, steps) if steps else record for record in ids_by_record]
    usable: list[tuple[Record, tuple[str, ...]]] = []
    refused: Counter[str] = Counter()
    for decoded, ids in zip(decode(records, formats), ids_by_record.values(), strict=True):
        if decoded.rejected:
            refused[decoded.rejected[0].reason.value] += len(ids)
        else:
            usable.append((decoded.record, tuple(ids)))
    return Plan(tuple(usable), dict(sorted(refused.items())))


def preview(
    engine: sa.Engine, worker: Worker, plan: Plan, formats: Mapping[str, str]
) -> dict[str, int]:
    """Decide the usable records and write nothing; return how many would end how."""
    records = [replace(record, partition=_redrive_partition(record)) for record, _ in plan.usable]
    batch = Batch(decode(records, formats), {})
    with engine.connect() as connection:
        policy = worker.refresh(connection)
        before = position.watermarks(connection, sorted({record.partition for record in records}))
        known = batches.known(connection, batch, before, watermark_after(batch, before))
        decision = decide(batch, known, policy)
        connection.rollback()
    return dict(sorted(Counter(ended.outcome.value for ended in decision.ended).items()))


def redrive_all(
    engine: sa.Engine, worker: Worker, plan: Plan, batch: int, at: datetime, steps: Steps = ()
) -> tuple[str | None, int]:
    """Process the usable records and mark them as redriven; return the batch's id and their number.

    The id is None when none is usable. Bytes (repaired ones apart), keys, headers and times stay;
    only partition and offset are new. If the process dies in between, a second redrive finds
    duplicates.
    """
    if not plan.usable:
        return None, 0
    batch_id = digest("redrive", at.isoformat(), *plan.ids)
    with engine.begin() as connection:
        connection.execute(
            sa.insert(t.redrive).values(
                batch=batch_id, at=at, records=len(plan.ids), repair=list(steps)
            )
        )
    done = 0
    for partition, chosen in _by_partition(plan).items():
        start = worker.take(partition, None).next_offset
        for first in range(0, len(chosen), batch):
            part = chosen[first : first + batch]
            renumbered = [
                replace(record, partition=partition, offset=start + first + number)
                for number, (record, _) in enumerate(part)
            ]
            worker.process(renumbered)
            offsets = {
                key: record.offset
                for record, (_, ids) in zip(renumbered, part, strict=True)
                for key in ids
            }
            with engine.begin() as connection:
                done += quarantine.mark_redriven(connection, batch_id, offsets)
    return batch_id, done


def _redrive_partition(record: Record) -> Partition:
    return Partition(Feed.REDRIVE, record.partition.topic, record.partition.number)


def _by_partition(plan: Plan) -> dict[Partition, list[tuple[Record, tuple[str, ...]]]]:
    grouped: dict[Partition, list[tuple[Record, tuple[str, ...]]]] = {}
    for record, ids in plan.usable:
        grouped.setdefault(_redrive_partition(record), []).append((record, ids))
    return grouped
