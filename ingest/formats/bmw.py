"""BMW vehicle states of three API generations, and CarData: the shape of a document decides."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from msgspec.structs import replace

from ingest.formats import cardata
from ingest.formats.foreign import Foreign, begin
from ingest.formats.messages import add_messages, add_services
from ingest.formats.packed import with_packed
from ingest.formats.parts import (
    Bad,
    kind,
    number,
    read_json,
    received_at,
    time_of,
)
from ingest.formats.vehicle_state import add_charging, add_tyres, softest, tyres_of
from ingest.names.vehicles import vehicle_of
from ingest.readings.numbers import fraction, spelled_number
from ingest.readings.units import distance_in
from models.batch import Decoded, Record, Report
from models.words import Reject

SOURCE: Final = "bmw.state"
_CHARGING: Final = ("charging_status", "chargingSystemStatus", "chargingHVStatus")
# The member by which a shape is known, and those of which it has one: other makers' documents have
# a `vehicleStatus` too. Without any, the name alone is BMW's.
_SHAPES: Final[Mapping[str, frozenset[str]]] = {
    "telematicData": frozenset(),
    "data": frozenset(),
    "attributesMap": frozenset(),
    "vehicleStatus": frozenset(
        {"updateTime", "internalDataTimeUTC", "updateReason", "checkControlMessages", "cbsData"}
    ),
    "state": frozenset(
        {"lastUpdatedAt", "lastFetched", "isLscSupported", "checkControlMessages"}
        | {"requiredServices", "electricChargingState", "tireState"}
    ),
    "properties": frozenset(
        {"lastUpdatedAt", "checkControlMessages", "serviceRequired", "isServiceRequired"}
        | {"chargingState", "tires", "vehicleLocation"}
    ),
}
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
            vin = {"vin": node["vin"]} if node.get("vin") else {}
            stack.append((f"{pointer}/data", {**vin, **node["data"]}))
        else:
            yield pointer, node


def _decode_state(record: Record, document: dict[str, Any], pointer: str) -> Decoded:
    try:
        return _by_shape(record, document, pointer)
    except Bad as bad:
        return Decoded(record, rejected=(bad.rejected,))


def _by_shape(record: Record, document: dict[str, Any], pointer: str) -> Decoded:
    """Decode a document by the first shape that it has; a name alone makes no shape of BMW's."""
    name = next((name for name, members in _SHAPES.items() if _has(document, name, members)), None)
    if name is None and any(shape <= document.keys() for shape in _NO_STATE):
        return Decoded(record)
    if name is None:
        detail = f"no known shape; fields: {', '.join(sorted(map(str, document))[:8])}"
        raise Bad(Reject.UNRECOGNISED, detail, pointer)
    inner = _object(document, name)
    vehicle = vehicle_of(document.get("vin") or inner.get("vin"), record.key)
    if vehicle.vin is None:
        raise Bad(Reject.BAD_VIN, vehicle.mistake, f"{pointer}/vin")
    if name in ("telematicData", "data"):
        decoded = cardata.decode(record, document, vehicle.vin, pointer)
    elif name in ("attributesMap", "properties"):
        decoded = _READERS[name](record, document, vehicle.vin, pointer)
    else:
        decoded = _READERS[name](record, inner, vehicle.vin, f"{pointer}/{name}")
    return _doubted(decoded) if vehicle.is_doubted else decoded


def _has(document: Mapping[str, Any], name: str, members: frozenset[str]) -> bool:
    if name == "data":
        return _is_stream(document)
    if not members:
        return name in document
    return not members.isdisjoint(_object(document, name))


def _doubted(decoded: Decoded) -> Decoded:
    """Mark the reports of a document whose VIN and the record's key do not agree."""
    items = tuple(
        replace(item, defaulted=tuple(sorted({*item.defaulted, "vin"})))
        if isinstance(item, Report)
        else item
        for item in decoded.items
    )
    return replace(decoded, items=items)


def _is_stream(document: Mapping[str, Any]) -> bool:
    data = document.get("data")
    return isinstance(data, dict) and any(str(name).startswith("vehicle.") for name in data)


def _begin(
    record: Record,
    vin: str,
    at: datetime | None,
    shared: dict[str, Any],
    asked_at: datetime | None = None,
) -> Foreign:
    """Begin a state of the time `at`; where it has none, when we asked, which is no answer."""
    known_at = at or asked_at
    foreign = Foreign(
        record=record,
        vin=vin,
        source=SOURCE,
        observed_at=known_at or received_at(record),
        stamp=known_at.isoformat() if known_at else "",
        answered_at=at,
    )
    return begin(foreign, shared)


def _state(record: Record, state: dict[str, Any], vin: str, pointer: str) -> Decoded:
    """Decode the generation of 2023 to 2025: `checkControlMessages[{type, severity}]`."""
    at, asked_at = time_of(state.get("lastUpdatedAt")), time_of(state.get("lastFetched"))
    charging = _object(state, "electricChargingState")
    charge = charging.get("chargingLevelPercent")
    tyres = tyres_of(state.get("tireState"))
    shared = {
        "odometer_km": distance_in(state, "currentMileage"),
        "state_of_charge": fraction(charge),
        "signals": softest(tyres),
        "position": _place(state.get("location"), "coordinates"),
        "motion": state.get("inMotion"),
    }
    foreign = _begin(record, vin, at, shared, asked_at)
    add_messages(foreign, state.get("checkControlMessages"), f"{pointer}/checkControlMessages")
    add_services(foreign, state.get("requiredServices"), f"{pointer}/requiredServices")
    add_tyres(foreign, tyres)
    add_charging(foreign, charging.get("chargingStatus"))
    return foreign.decoded()


def _properties(record: Record, document: dict[str, Any], vin: str, pointer: str) -> Decoded:
    """Decode the generation of 2021 and 2022: `properties` for machines, `status` for people."""
    properties, status = document["properties"], _object(document, "status")
    at = time_of(properties.get("lastUpdatedAt")) or time_of(status.get("lastUpdatedAt"))
    charging = _object(properties, "chargingState")
    charge = charging.get("chargePercentage")
    tyres = tyres_of(properties.get("tires"))
    shared = {
        "signals": softest(tyres),
        "odometer_km": distance_in(status, "currentMileage"),
        "state_of_charge": fraction(charge),
        "position": _place(properties.get("vehicleLocation"), "coordinates"),
        "motion": properties.get("inMotion"),
        "model": document.get("model"),
    }
    foreign = _begin(record, vin, at, shared)
    machine = properties.get("checkControlMessages")
    shown = status.get("checkControlMessages")
    listed, where = _both(machine, shown), f"{pointer}/checkControlMessages"
    is_all = machine is not None and shown is not None  # each alone holds but a part
    add_messages(foreign, listed, where, is_all=is_all)
    services = f"{pointer}/properties/serviceRequired"
    add_services(foreign, properties.get("serviceRequired"), services)
    add_tyres(foreign, tyres)
    add_charging(foreign, charging.get("state"))
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
    add_charging(foreign, status.get("chargingStatus"))
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
    for add, lists, strings in (
        (add_messages, "ccmMessages", "check_control_messages"),
        (add_services, "cbsMessages", "condition_based_services"),
    ):
        packed, where = attributes.get(strings), f"{pointer}/attributesMap/{strings}"
        listed = with_packed(foreign, messages.get(lists), packed, where)
        add(foreign, listed, f"{pointer}/vehicleMessages/{lists}")
    add_charging(foreign, *(attributes.get(name) for name in _CHARGING))
    return foreign.decoded()


def _object(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


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


_READERS: Final[Mapping[str, Callable[[Record, dict[str, Any], str, str], Decoded]]] = {
    "attributesMap": _attributes,
    "vehicleStatus": _status,
    "state": _state,
    "properties": _properties,
}
