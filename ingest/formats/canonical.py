"""CloudEvents 1.0, structured or binary, and the bare canonical alert."""

import base64
import binascii
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from msgspec.structs import replace

from ingest.formats.parts import Bad, alert_from, kind, read_object, report_of
from ingest.names.alert import named
from ingest.names.vehicles import vehicle_of
from ingest.readings.numbers import spelled_name
from models.batch import Decoded, Record
from models.words import Reject

_REQUIRED: Final = ("id", "source", "specversion", "type")
_STRUCTURED: Final = "application/cloudevents+json"
_BATCH: Final = "application/cloudevents-batch"


def decode(record: Record, value: bytes) -> Decoded:
    """Read one alert; the envelope's id, source and time stand in where the data have none.

    Raises `Bad` where the envelope or the alert is not legal.
    """
    attributes = {
        name.lower()[3:]: text.decode("utf-8", "replace")
        for name, text in record.headers
        if name.lower().startswith("ce_")
    }
    media = _content_type(record)
    if media.startswith(_BATCH):
        raise Bad(Reject.NOT_CLOUDEVENT, "batched CloudEvents are not read; send one a record")
    document = read_object(value)
    if media.startswith(_STRUCTURED) or "specversion" in document:
        return _report(record, _data_of(document), document)
    if attributes:
        _require(attributes)
        return _report(record, document, attributes)
    return _report(record, document, {})


def _content_type(record: Record) -> str:
    for name, text in record.headers:
        if name.lower() == "content-type":
            return text.decode("ascii", "replace").strip().lower()
    return ""


def _report(record: Record, data: Mapping[str, Any], envelope: Mapping[str, Any]) -> Decoded:
    document = dict(data)
    for name, stands_in in (("id", "id"), ("source", "source"), ("observed_at", "time")):
        if document.get(name) is None and envelope.get(stands_in) is not None:
            document[name] = envelope[stands_in]
    pointer = "/data" if "data" in envelope else ""
    vehicle = vehicle_of(document.get("vin"), record.key)
    if vehicle.vin is not None:
        document["vin"] = vehicle.vin
    elif "vin" in document:
        raise Bad(Reject.BAD_VIN, vehicle.mistake, f"{pointer}/vin")
    names = named(document)
    if names.is_quiet:
        return Decoded(record)
    noted = (*names.defaulted, "vin") if vehicle.is_doubted else names.defaulted
    alert, defaulted, ignored = alert_from(names.document, pointer, noted)
    report = report_of(record, alert, defaulted)
    if names.unknown_words:
        report = replace(report, unknown_words=names.unknown_words)
    return Decoded(record, items=(report,), ignored_fields=ignored)


def _data_of(envelope: Mapping[str, Any]) -> dict[str, Any]:
    _require(envelope)
    data, encoded = envelope.get("data"), envelope.get("data_base64")
    if data is not None and encoded is not None:
        raise Bad(Reject.NOT_CLOUDEVENT, "data or data_base64, not both", "/data_base64")
    if encoded is not None:
        data = read_object(_unpacked(encoded))
    if not isinstance(data, dict):
        raise Bad(Reject.NOT_AN_OBJECT, f"data must be an object, not {kind(data)}", "/data")
    return data


def _unpacked(encoded: Any) -> bytes:
    if isinstance(encoded, str) and encoded.isascii():
        with suppress(binascii.Error):
            return base64.b64decode(encoded, validate=True)
    raise Bad(Reject.NOT_CLOUDEVENT, "data_base64 is not base64", "/data_base64")


def _require(attributes: Mapping[str, Any]) -> None:
    for name in _REQUIRED:
        value = spelled_name(attributes.get(name))
        if not isinstance(value, str) or not value:
            raise Bad(
                Reject.NOT_CLOUDEVENT, f"the attribute {name} is missing or empty", f"/{name}"
            )
    if attributes["specversion"] != "1.0":
        raise Bad(Reject.NOT_CLOUDEVENT, "only CloudEvents 1.0 is read", "/specversion")
