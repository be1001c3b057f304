"""Records out of quarantine, through the pipeline again: a feed of its own, under the same laws."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from ingest import quarantine
from ingest.decode import decode
from models.batch import Partition, Record
from models.words import Feed
from pacc.pipeline import Worker


def redrive_all(
    engine: sa.Engine,
    worker: Worker,
    quarantine_ids: Sequence[str],
    batch: int,
    formats: Mapping[str, str],
) -> int:
    """Play the records that have become usable as a whole, and let them go; count the ids.

    Bytes, keys, headers and times stay; only the place in the stream is new. If we die between
    playing and letting go, a second redrive finds duplicates and changes nothing.
    """
    with engine.begin() as connection:
        held = quarantine.records(connection, quarantine_ids)
    usable = [
        one.record for one in decode(list(held), formats) if not one.rejected
    ]  # fmt: skip
    done = 0
    for partition, records in _by_partition(usable).items():
        start = worker.take(partition, None)
        for first in range(0, len(records), batch):
            part = records[first : first + batch]
            worker.process(
                [
                    replace(record, partition=partition, offset=start + first + place)
                    for place, record in enumerate(part)
                ]
            )
            ids = [one for record in part for one in held[record]]
            with engine.begin() as connection:
                done += quarantine.mark(connection, ids, quarantine.REDRIVEN)
    return done


def _by_partition(records: Sequence[Record]) -> dict[Partition, list[Record]]:
    grouped: dict[Partition, list[Record]] = {}
    for record in records:
        place = Partition(Feed.REDRIVE, record.partition.topic, record.partition.number)
        grouped.setdefault(place, []).append(record)
    return grouped
