"""Records out of quarantine, through the pipeline again: a feed of its own, under the same laws."""

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
    """What a redrive would do: the records that have become usable, each with its ids.

    `refused` counts, by reason, the ids of the others.
    """

    usable: tuple[tuple[Record, tuple[str, ...]], ...]
    refused: Mapping[str, int]

    @property
    def ids(self) -> list[str]:
        """The ids that would leave the quarantine."""
        return sorted(one for _, ids in self.usable for one in ids)


def plan_of(
    engine: sa.Engine, quarantine_ids: Sequence[str], formats: Mapping[str, str], steps: Steps = ()
) -> Plan:
    """Repair copies of the held records and read them; only whole ones are usable."""
    with engine.begin() as connection:
        held = quarantine.records(connection, quarantine_ids)
    records = [repaired(record, steps) if steps else record for record in held]
    usable: list[tuple[Record, tuple[str, ...]]] = []
    refused: Counter[str] = Counter()
    for one, ids in zip(decode(records, formats), held.values(), strict=True):
        if one.rejected:
            refused[one.rejected[0].reason.value] += len(ids)
        else:
            usable.append((one.record, tuple(ids)))
    return Plan(tuple(usable), dict(sorted(refused.items())))


def preview(
    engine: sa.Engine, worker: Worker, plan: Plan, formats: Mapping[str, str]
) -> dict[str, int]:
    """Decide the usable records and write nothing: how each of them would end."""
    records = [replace(one, partition=_place(one)) for one, _ in plan.usable]
    batch = Batch(decode(records, formats), {})
    with engine.connect() as connection:
        policy = worker.refresh(connection)
        before = position.watermarks(connection, sorted({one.partition for one in records}))
        known = batches.known(connection, batch, before, watermark_after(batch, before))
        decision = decide(batch, known, policy)
        connection.rollback()
    return dict(sorted(Counter(ended.outcome.value for ended in decision.ended).items()))


def redrive_all(
    engine: sa.Engine, worker: Worker, plan: Plan, batch: int, at: datetime, steps: Steps = ()
) -> tuple[str | None, int]:
    """Play the usable records and let them go; give the batch's id (None: nothing was played).

    Bytes (repaired ones apart), keys, headers and times stay; only the place in the stream is new.
    If we die between playing and letting go, a second redrive finds duplicates.
    """
    if not plan.usable:
        return None, 0
    name = digest("redrive", at.isoformat(), *plan.ids)
    with engine.begin() as connection:
        connection.execute(
            sa.insert(t.redrive).values(
                batch=name, at=at, records=len(plan.ids), repair=list(steps)
            )
        )
    done = 0
    for partition, chosen in _by_partition(plan).items():
        start = worker.take(partition, None).next_offset
        for first in range(0, len(chosen), batch):
            part = chosen[first : first + batch]
            placed = [
                replace(record, partition=partition, offset=start + first + number)
                for number, (record, _) in enumerate(part)
            ]
            worker.process(placed)
            offsets = {
                one: record.offset
                for record, (_, ids) in zip(placed, part, strict=True)
                for one in ids
            }
            with engine.begin() as connection:
                done += quarantine.mark_redriven(connection, name, offsets)
    return name, done


def _place(record: Record) -> Partition:
    return Partition(Feed.REDRIVE, record.partition.topic, record.partition.number)


def _by_partition(plan: Plan) -> dict[Partition, list[tuple[Record, tuple[str, ...]]]]:
    grouped: dict[Partition, list[tuple[Record, tuple[str, ...]]]] = {}
    for record, ids in plan.usable:
        grouped.setdefault(_place(record), []).append((record, ids))
    return grouped
