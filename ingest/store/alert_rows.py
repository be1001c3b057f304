"""What is stored of every record: the ledger's counts, the alerts, and the quarantine."""

import base64
from collections import Counter
from typing import Any

from models.batch import ONE_LIST, Partition, Record, Report, Snapshot
from models.decision import Decision
from models.ids import digest
from models.rows import partition_key, without_nul
from models.tables import LEDGER_PAGE
from models.words import Outcome


def ledger_rows(decision: Decision) -> list[dict[str, Any]]:
    """Count per partition, page and outcome the records that ended and the alerts that are filed.

    A gap counts on the page of the last record beside it. Sorted, so that locks have one order.
    """
    records: Counter[tuple[Partition, int, Outcome]] = Counter()
    last: dict[Partition, int] = {}
    for ended in decision.ended:
        record = ended.decoded.record
        last[record.partition] = record.offset // LEDGER_PAGE
        records[record.partition, last[record.partition], ended.outcome] += 1
    for partition, gap in decision.gaps.items():
        if gap:
            records[partition, last[partition], Outcome.GAP] += gap
    alerts = Counter(
        (partition, offset // LEDGER_PAGE, outcome)
        for partition, offset, outcome, _ in decision.reports
    )
    return [
        {
            **partition_key(partition),
            "page": page,
            "outcome": outcome.value,
            "records": records[partition, page, outcome],
            "alerts": alerts[partition, page, outcome],
        }
        for partition, page, outcome in sorted(records.keys() | alerts.keys())
    ]


def quarantine_rows(decision: Decision) -> list[dict[str, Any]]:
    """Return a row for every unusable part, with the untouched record.

    In a topic that was made anew, another record may stand at the same offset.
    """
    return [
        {
            **_record_columns(ended.decoded.record),
            "quarantine_id": digest(
                "quarantine",
                *map(str, partition_key(record.partition).values()),
                str(record.offset),
                str(record.timestamp),
                part.pointer,
                part.reason.value,
                str(number),
            ),
            "reason": part.reason.value,
            "detail": without_nul(part.detail),
            "pointer": without_nul(part.pointer),
        }
        for ended in decision.ended
        for record in (ended.decoded.record,)
        for number, part in enumerate(ended.decoded.rejected)
    ]


def _record_columns(record: Record) -> dict[str, Any]:
    return {
        **partition_key(record.partition),
        "record_offset": record.offset,
        "record_timestamp": record.timestamp,
        "record_key": record.key,
        "value": record.value,
        "headers": [
            [without_nul(name), base64.b64encode(value).decode("ascii")]
            for name, value in record.headers
        ],
    }


def alert_rows(decision: Decision) -> list[dict[str, Any]]:
    """Return a row for every first delivery; a snapshot's has no code."""
    return [
        {
            **partition_key(partition),
            "record_offset": offset,
            "outcome": outcome.value,
            **(_report_columns(item) if isinstance(item, Report) else _snapshot_columns(item)),
        }
        for partition, offset, outcome, item in decision.reports
    ]


def _report_columns(report: Report) -> dict[str, Any]:
    alert = report.alert
    detail = alert.model_dump(
        mode="json",
        exclude_unset=True,
        exclude={"vin", "code", "status", "severity", "observed_at"},
    )
    return {
        "fingerprint": report.fingerprint,
        "vin": alert.vin,
        "code": alert.code,
        "status": alert.status.value,
        "severity": alert.severity.value,
        "observed_at": report.observed_at,
        "received_at": report.received_at,
        "is_clock_suspect": report.clock_suspect,
        "detail": without_nul({**detail, "defaulted": list(report.defaulted), **_lists_of(report)}),
    }


def _lists_of(report: Report) -> dict[str, Any]:
    if not report.lists:
        return {}
    return {"lists": [[listed, status.value] for listed, status in report.lists]}


def _snapshot_columns(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "fingerprint": snapshot.fingerprint,
        "vin": snapshot.vin,
        "code": f"{snapshot.scheme}:",
        "status": "snapshot",
        "severity": "",
        "observed_at": snapshot.observed_at,
        "received_at": snapshot.received_at,
        "is_clock_suspect": False,
        "detail": without_nul(
            {
                "source": snapshot.source,
                "codes": sorted(snapshot.codes),
                "defaulted": list(snapshot.defaulted),
                **({} if snapshot.unit is None else {"unit": snapshot.unit}),
                **({} if snapshot.lists == ONE_LIST else {"lists": sorted(snapshot.lists)}),
            }
        ),
    }
