"""Reads the alerts that were delivered, in the order in which they were decided."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from models import tables as t
from models.alert import Alert
from models.batch import (
    NO_RECORD_TIME,
    ONE_LIST,
    UNTIMED,
    Decoded,
    Item,
    Partition,
    Record,
    Report,
    Snapshot,
)
from models.canary import CANARY_VIN
from models.words import Feed, Status


def delivered(connection: sa.Connection, since: datetime | None = None) -> Iterator[Decoded]:
    """Yield every first delivery again, oldest first; of a record of several, in no fixed order.

    Partitions are merged by their stream time, the newest timestamp so far, as it was for the
    vehicle that is reported on more than one of them.
    """
    a = t.alert.c
    partition = (a.feed, a.topic, a.part)
    stream = sa.func.max(a.received_at).over(partition_by=partition, order_by=a.record_offset)
    query = sa.select(t.alert).where(a.vin != CANARY_VIN)
    query = query.order_by(stream, *partition, a.record_offset, a.fingerprint)
    if since is not None:
        query = query.where(a.received_at >= since)
    result = connection.execution_options(yield_per=2000).execute(query)
    for row in result.mappings():
        columns = dict(row)
        yield Decoded(_record(columns), (_item(columns),))


def _record(row: Mapping[str, Any]) -> Record:
    where = Partition(Feed(row["feed"]), row["topic"], row["part"])
    at = int(row["received_at"].timestamp() * 1000)
    if NO_RECORD_TIME in row["detail"].get("defaulted", ()):
        at = UNTIMED  # the alert's own time stands in its place, and moves no stream on
    return Record(where, row["record_offset"], at, None, None)


def _item(row: Mapping[str, Any]) -> Item:
    detail = dict(row["detail"])
    times = {"observed_at": row["observed_at"], "received_at": row["received_at"]}
    if row["status"] == "snapshot":
        return Snapshot(
            row["fingerprint"],
            row["vin"],
            detail["source"],
            row["code"].rstrip(":"),
            codes=frozenset(detail["codes"]),
            defaulted=tuple(detail.get("defaulted", ())),
            unit=detail.get("unit"),
            lists=frozenset(detail.get("lists", ONE_LIST)),
            **times,
        )
    defaulted = tuple(detail.pop("defaulted"))
    lists = tuple((listed, Status(status)) for listed, status in detail.pop("lists", ()))
    fields = {name: row[name] for name in ("vin", "code", "status", "severity", "observed_at")}
    return Report(
        row["fingerprint"],
        Alert(**fields, **detail),
        defaulted=defaulted,
        clock_suspect=row["is_clock_suspect"],
        lists=lists,
        **times,
    )
