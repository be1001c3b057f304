"""What was filed in public, with cars that we invented, as records that are decided."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from ingest.formats.decode import decode
from models.batch import Batch, Partition, Record, Report, Span
from models.decision import Decision, Known
from models.words import Feed, Outcome
from pacc.decide.decide import decide
from tests.worlds import CAR, START, policy

CASES: Final = Partition(Feed.TAPE, "cases", 0)
_MINUTE_MS: Final = 60_000


def alert(minute: int = 0, vin: str = CAR, **members: Any) -> Record:
    """Return a canonical alert of a fault that limits the car, received when it was observed."""
    document = {
        "id": f"at minute {minute}",
        "source": "test",
        "vin": vin,
        "observed_at": f"2026-01-15T02:{minute:02d}:00Z",
        "code": "dtc:P0A80",
        "severity": "limited",
        **members,
    }
    return foreign("cloudevents", document, minute)


def foreign(format_name: str, document: Mapping[str, Any], minute: int = 0) -> Record:
    """Return a document of any format, received so many minutes after the start."""
    at = int(START.timestamp() * 1000) + minute * _MINUTE_MS
    value = json.dumps(document).encode()
    key = str(document.get("vin", CAR)).encode()
    return Record(CASES, 0, at, key, value, (("pacc-format", format_name.encode()),))


def placed(records: Sequence[Record]) -> list[Record]:
    """Return records at offsets in their order."""
    return [replace(record, offset=place) for place, record in enumerate(records)]


def decided(*records: Record) -> Decision:
    """Decide records, one after the other, of vehicles that nobody knows."""
    batch = Batch(decode(placed(records), {}), {CASES: Span(0, len(records))})
    return decide(batch, Known({}, {}, {}), policy())


def outcomes(decision: Decision) -> list[Outcome]:
    """Return how the records ended, in their order."""
    return [ended.outcome for ended in decision.ended]


def codes(decision: Decision) -> set[str]:
    """Return the codes of all faults."""
    return {fault.code for _, _, fault in decision.faults}


def reports(decision: Decision) -> list[Report]:
    """Return the reports of all records, in their order."""
    items = (item for ended in decision.ended for item in ended.decoded.items)
    return [item for item in items if isinstance(item, Report)]
