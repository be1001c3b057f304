"""BMW vehicle states of three API generations, and CarData: the shape of a document decides."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ingest.formats import cardata
from ingest.formats.foreign import Foreign, begin
from ingest.formats.messages import add_messages, add_services
from ingest.formats.parts import (
    Bad,
    kind,
    legal_vin,
    number,
    read_json,
    received_at,
    time_of,
)
from ingest.readings.numbers import fraction, spelled_number
from ingest.readings.units import distance_in
from models.batch import Decoded, Record
from models.words import Motion, Reject

SOURCE: Final = "bmw.state"
_NO_STATE: Final = (
    {"chargeAndClimateSettings", "chargeAndClimateTimerDetail", "servicePack"},  # charging profile
    {"mappingInfo", "vin"},  # who owns the vehicle
)


def decode(record: Record, value: bytes) -> Decoded:
    """Read a state, or a list of them; a document without a state decodes to nothing (quiet).

    Raises `Bad` for a document that is neither.
    """
    document = read_json(value)
    documents = list(_unwrapped(document))
    if not documents:
        return Decoded(record)
    decoded = [_decode_state(record, state, pointer) for pointer, state in documents]
    return Decoded(
        record,
        items=tuple(item for part in decoded for item in part.items),
        rejected=tuple(bad for part in decoded for bad in part.rejected),
    )


def _unwrapped(document: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Go through lists and envelopes without recursion: JSON may be deeper than Python's stack."""
    stack: list[tuple[str, Any]] = [("", document)]
    while stack:
        pointer, node = stack.pop()
        if isinstance(node, list):
            stack.extend(
                (f"{pointer}/{place}", node[place]) for place in reversed(range(len(node)))
            )
        elif not isinstance(node, dict):
            what = f"a vehicle state is an object, not {kind(node)}"
            raise Bad(Reject.NOT_AN_OBJECT, what, pointer)
        elif isinstance(node.get("data"), dict) and not _is_stream(node):
            stack.append((f"{pointer}/data", node["data"]))
        else:
            yield pointer, node


def _decode_state(record: Record, document: dict[str, Any], pointer: str) -> Decoded:
    try:
        return _by_shape(record, document, pointer)
    except Bad as bad:
        return Decoded(record, rejected=(bad.rejected,))


def _by_shape(record: Record, document: dict[str, Any], pointer: str) -> Decoded:
    vin = legal_vin(record.key, document.get("vin"))
    if "telematicData" in document or _is_stream(document):
        return cardata.decode(record, document, _need(vin), pointer)
    if "attributesMap" in document:
        return _attributes(record, document, _need(vin), pointer)
    if isinstance(document.get("vehicleStatus"), dict):
        return _status(record, document["vehicleStatus"], _need(vin), f"{pointer}/vehicleStatus")
    if isinstance(document.get("state"), dict):
        return _state(record, document["state"], _need(vin), f"{pointer}/state")
    if isinstance(document.get("properties"), dict):
        return _properties(record, document, _need(vin), pointer)
    if any(shape <= document.keys() for shape in _NO_STATE):
        return Decoded(record)
    detail = f"no known shape; fields: {', '.join(sorted(map(str, document))[:8])}"
    raise Bad(Reject.UNRECOGNISED, detail, pointer)


def _is_stream(document: Mapping[str, Any]) -> bool:
    data = document.get("data")
    return isinstance(data, dict) and any(str(name).startswith("vehicle.") for name in data)


def _need(vin: str | None) -> str:
    if vin is None:
        raise Bad(Reject.BAD_VIN, "neither the record's key nor the document holds a VIN")
    return vin


def _begin(record: Record, vin: str, at: datetime | None, shared: dict[str, Any]) -> Foreign:
    foreign = Foreign(
        record=record,
        vin=vin,
        source=SOURCE,
        observed_at=at or received_at(record),
        stamp=at.isoformat() if at else "",
    )
    return begin(foreign, shared)


def _state(record: Record, state: dict[str, Any], vin: str, pointer: str) -> Decoded:
    """Decode the generation of 2023 to 2025: `checkControlMessages[{type, severity}]`."""
    at = time_of(state.get("lastUpdatedAt")) or time_of(state.get("lastFetched"))
    charge = _object(state, "electricChargingState").get("chargingLevelPercent")
    shared = {
        "odometer_km": distance_in(state, "currentMileage"),
        "state_of_charge": fraction(charge),
        "position": _place(state.get("location"), "coordinates"),
        "motion": _motion(state.get("inMotion")),
    }
    foreign = _begin(record, vin, at, shared)
    add_messages(foreign, state.get("checkControlMessages"), f"{pointer}/checkControlMessages")
    add_services(foreign, state.get("requiredServices"), f"{pointer}/requiredServices")
    return foreign.decoded()


def _properties(record: Record, document: dict[str, Any], vin: str, pointer: str) -> Decoded:
    """Decode the generation of 2021 and 2022: `properties` for machines, `status` for people."""
    properties, status = document["properties"], _object(document, "status")
    at = time_of(properties.get("lastUpdatedAt")) or time_of(status.get("lastUpdatedAt"))
    charge = _object(properties, "chargingState").get("chargePercentage")
    shared = {
        "odometer_km": distance_in(status, "currentMileage"),
        "state_of_charge": fraction(charge),
        "position": _place(properties.get("vehicleLocation"), "coordinates"),
        "motion": _motion(properties.get("inMotion")),
        "model": document.get("model"),
    }
    foreign = _begin(record, vin, at, shared)
    machine = properties.get("checkControlMessages")
    shown = status.get("checkControlMessages")
    add_messages(foreign, _both(machine, shown), f"{pointer}/checkControlMessages")
    services = f"{pointer}/properties/serviceRequired"
    add_services(foreign, properties.get("serviceRequired"), services)
    return foreign.decoded()


def _both(machine: Any, shown: Any) -> Any:
    """Join the two lists; return what is no list as it is, so that it is rejected."""
    if machine is None or shown is None:
        return shown if machine is None else machine
    if not isinstance(machine, list):
        return machine
    return [*machine, *shown] if isinstance(shown, list) else shown


def _status(record: Record, status: dict[str, Any], vin: str, pointer: str) -> Decoded:
    """Decode the generation of 2018 to 2021: `ccmId` and `cbsData`."""
    at = time_of(status.get("updateTime"))
    if at is None:
        at = time_of(status.get("internalDataTimeUTC"))
    shared = {
        "odometer_km": distance_in(status, "mileage"),
        "state_of_charge": fraction(status.get("chargingLevelHv")),
        "position": _place(status.get("position")),
    }
    foreign = _begin(record, vin, at, shared)
    add_messages(foreign, status.get("checkControlMessages"), f"{pointer}/checkControlMessages")
    add_services(foreign, status.get("cbsData"), f"{pointer}/cbsData")
    return foreign.decoded()


def _attributes(record: Record, document: dict[str, Any], vin: str, pointer: str) -> Decoded:
    """Decode the same years' second shape: a map of texts, and the messages apart."""
    wanted = "vehicleMessages" if "vehicleMessages" in document else "attributesMap"
    if not isinstance(document[wanted], dict):
        what = f"an object is wanted, not {kind(document[wanted])}"
        raise Bad(Reject.WRONG_TYPE, what, f"{pointer}/{wanted}")
    attributes = _object(document, "attributesMap")
    messages = _object(document, "vehicleMessages")
    stamp = number(attributes.get("updateTime_converted_timestamp"), 0, 253_402_300_799_000)
    shared = {
        "odometer_km": distance_in(attributes, "mileage"),
        "state_of_charge": fraction(attributes.get("chargingLevelHv")),
        "position": _place({"lat": attributes.get("gps_lat"), "lon": attributes.get("gps_lng")}),
    }
    at = datetime.fromtimestamp(stamp / 1000, UTC) if stamp else None
    foreign = _begin(record, vin, at, shared)
    base = f"{pointer}/vehicleMessages"
    add_messages(foreign, messages.get("ccmMessages"), f"{base}/ccmMessages")
    add_services(foreign, messages.get("cbsMessages"), f"{base}/cbsMessages")
    return foreign.decoded()


def _object(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _motion(in_motion: Any) -> Any:
    """Translate the flag; what is none goes on as it is, to be named as unknown."""
    if in_motion is True:
        return Motion.MOVING
    return Motion.PARKED if in_motion is False else in_motion


def _place(raw: Any, inner: str = "") -> Any:
    """Return a place as an alert has it; what is none goes on as it is, to be left out and named.

    Where the vehicle may not say where it is, there are no coordinates, and nothing to name.
    """
    coordinates = raw.get(inner) if inner and isinstance(raw, dict) else raw
    if not isinstance(coordinates, dict):
        return coordinates
    place = {
        "lat": spelled_number(coordinates.get("latitude", coordinates.get("lat"))),
        "lon": spelled_number(coordinates.get("longitude", coordinates.get("lon"))),
    }
    return place if place["lat"] is not None or place["lon"] is not None else None
