"""BMW vehicle states of three API generations, and CarData: the shape of a document decides."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ingest.formats import cardata
from ingest.formats.foreign import Foreign
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
from models.batch import Decoded, Record
from models.words import Motion, Reject

SOURCE: Final = "bmw.state"
_KM_PER_MILE: Final = 1.609344
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
    return Foreign(
        record=record,
        vin=vin,
        source=SOURCE,
        observed_at=at or received_at(record),
        stamp=at.isoformat() if at else "",
        shared={name: value for name, value in shared.items() if value is not None},
    )


def _state(record: Record, state: dict[str, Any], vin: str, pointer: str) -> Decoded:
    """Decode the generation of 2023 to 2025: `checkControlMessages[{type, severity}]`."""
    at = time_of(state.get("lastUpdatedAt")) or time_of(state.get("lastFetched"))
    charge = _object(state, "electricChargingState").get("chargingLevelPercent")
    shared = {
        "odometer_km": number(state.get("currentMileage"), 0, 5e6),
        "state_of_charge": _fraction(charge),
        "position": _place(_object(_object(state, "location"), "coordinates")),
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
    mileage = _object(status, "currentMileage")
    km = number(mileage.get("mileage"), 0, 5e6)
    if km is not None and mileage.get("units") in ("mi", "MILES"):
        km *= _KM_PER_MILE
    charge = _object(properties, "chargingState").get("chargePercentage")
    shared = {
        "odometer_km": km,
        "state_of_charge": _fraction(charge),
        "position": _place(_object(_object(properties, "vehicleLocation"), "coordinates")),
        "motion": _motion(properties.get("inMotion")),
        "model": document.get("model") if isinstance(document.get("model"), str) else None,
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
        "odometer_km": number(status.get("mileage"), 0, 5e6),
        "state_of_charge": _fraction(status.get("chargingLevelHv")),
        "position": _place(_object(status, "position")),
    }
    foreign = _begin(record, vin, at, shared)
    add_messages(foreign, status.get("checkControlMessages"), f"{pointer}/checkControlMessages")
    add_services(foreign, status.get("cbsData"), f"{pointer}/cbsData")
    return foreign.decoded()


def _attributes(record: Record, document: dict[str, Any], vin: str, pointer: str) -> Decoded:
    """Decode the same years' second shape: a map of texts, and the messages apart."""
    for name in ("attributesMap", "vehicleMessages"):
        if not isinstance(document.get(name, {}), dict):
            what = f"an object is wanted, not {kind(document[name])}"
            raise Bad(Reject.WRONG_TYPE, what, f"{pointer}/{name}")
    attributes = _object(document, "attributesMap")
    messages = _object(document, "vehicleMessages")
    stamp = number(attributes.get("updateTime_converted_timestamp"), 0, 253_402_300_799_000)
    shared = {
        "odometer_km": number(attributes.get("mileage"), 0, 5e6),
        "state_of_charge": _fraction(attributes.get("chargingLevelHv")),
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


def _fraction(percent: Any) -> float | None:
    value = number(percent, 0, 100)
    return None if value is None else value / 100


def _motion(in_motion: Any) -> Motion | None:
    if in_motion is True:
        return Motion.MOVING
    return Motion.PARKED if in_motion is False else None


def _place(coordinates: Mapping[str, Any]) -> dict[str, float] | None:
    lat = number(coordinates.get("latitude", coordinates.get("lat")), -90, 90)
    lon = number(coordinates.get("longitude", coordinates.get("lon")), -180, 180)
    return None if lat is None or lon is None else {"lat": lat, "lon": lon}
