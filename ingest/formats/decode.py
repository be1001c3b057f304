"""From records to alerts: chooses the format of each record and keeps what cannot be used."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from ingest.formats import bmw, canonical, obd, uds
from ingest.formats.parts import Bad, refuse
from models.alert import MAX_VALUE_BYTES
from models.batch import Decoded, Record
from models.words import Reject

DEFAULT_FORMAT: Final = "cloudevents"
FORMAT_HEADER: Final = "pacc-format"
MAX_ITEMS: Final = 500
MAX_KEPT_BYTES: Final = 4 * 1024 * 1024

FORMATS: Final[Mapping[str, Callable[[Record, bytes], Decoded]]] = {
    "cloudevents": canonical.decode,
    "canonical": canonical.decode,
    "bmw": bmw.decode,
    "uds": uds.decode,
    "obd": obd.decode,
}


def decode(records: Sequence[Record], formats: Mapping[str, str]) -> tuple[Decoded, ...]:
    """Decode each record by itself; what cannot be used is a value with a reason.

    The format is the record's header `pacc-format`, else the topic's in `formats`, else CloudEvents
    or the bare canonical alert.
    """
    return tuple(_decode_record(record, formats) for record in records)


def _decode_record(record: Record, formats: Mapping[str, str]) -> Decoded:
    value = record.value
    if value is None:
        return refuse(record, Bad(Reject.NULL_VALUE, "the record has no value"))
    if len(value) > MAX_VALUE_BYTES:
        detail = f"{len(value)} bytes; at most {MAX_VALUE_BYTES} are read"
        return refuse(record, Bad(Reject.TOO_LARGE, detail))
    name = _format_of(record, formats)
    reader = FORMATS.get(name)
    if reader is None:
        detail = f"no format is called {name[:40]!r}; there are {', '.join(sorted(FORMATS))}"
        return refuse(record, Bad(Reject.UNKNOWN_FORMAT, detail))
    try:
        return _bounded(reader(record, value), len(value))
    except Bad as bad:
        return refuse(record, bad)


def _bounded(decoded: Decoded, size: int) -> Decoded:
    """Keep one record from filling the store: what is made of it stays in proportion.

    Each unusable part is kept with the whole record, so that 256 KiB of them would be gigabytes.
    """
    if len(decoded.items) > MAX_ITEMS:
        detail = f"{len(decoded.items)} alerts in one record; at most {MAX_ITEMS} are read"
        raise Bad(Reject.OUT_OF_BOUNDS, detail)
    most = max(1, MAX_KEPT_BYTES // max(1, size))
    beyond = len(decoded.rejected) - most
    if beyond <= 0:
        return decoded
    *kept, last = decoded.rejected[:most]
    last_counted = replace(
        last, detail=f"{last.detail[:400]} (and {beyond} more parts after this one)"
    )
    return replace(decoded, rejected=(*kept, last_counted))


def _format_of(record: Record, formats: Mapping[str, str]) -> str:
    for name, value in record.headers:
        if name == FORMAT_HEADER:
            return value.decode("utf-8", "replace")
    return formats.get(record.partition.topic, DEFAULT_FORMAT)
