"""BMW CarData: a container fetched by REST, or a streamed message; keys are technical names."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from unicodedata import normalize
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ingest.formats.foreign import Foreign, begin
from ingest.formats.messages import add_messages
from ingest.formats.parts import (
    Bad,
    kind,
    read_json,
    received_at,
    shown,
    stamp_of,
    time_of,
)
from ingest.formats.vehicle_state import add_charging, add_tyres, tyre_of
from ingest.readings.numbers import fraction
from ingest.readings.units import kilometres
from models.alert import unit_of
from models.batch import Decoded, Record
from models.names.fault_code import written_code
from models.words import Reject, Severity

SOURCE: Final = "bmw.cardata"
MESSAGES: Final = "vehicle.status.checkControlMessages"
FAULT_MEMORY: Final = "vehicle.electronicControlUnit.diagnosticTroubleCodes.raw"
_ODOMETER: Final = "vehicle.vehicle.travelledDistance"
_CHARGE: Final = "vehicle.drivetrain.batteryManagement.header"
_OWN: Final = re.compile(r"(0X)?[0-9A-F]{4,8}")
_AXLES: Final = "vehicle.chassis.axle"
_WHEELS: Final = ("row1.wheel.left", "row1.wheel.right", "row2.wheel.left", "row2.wheel.right")
_CHARGING_WORDS: Final = ("vehicle.drivetrain.electricEngine.charging.hvStatus",)
_Entries = Mapping[str, Mapping[str, Any]]
_CODE_NAMES: Final = ("dtc", "code", "faultcode", "dtccode", "id", "hexcode")
_ECU_NAMES: Final = ("ecu", "sgbd", "ecuname", "name", "address", "variant")


def decode(record: Record, document: Mapping[str, Any], vin: str, pointer: str) -> Decoded:
    """Read messages and fault memory; other keys are passed over.

    Raises `Bad` where the container holds no object.
    """
    name = "telematicData" if "telematicData" in document else "data"
    data = document[name]
    if not isinstance(data, dict):
        raise Bad(Reject.WRONG_TYPE, "an object is wanted", f"{pointer}/{name}")
    entries = {key: entry for key, entry in data.items() if isinstance(entry, dict)}
    decoded: list[Decoded] = []
    for key, read in ((MESSAGES, _messages), (FAULT_MEMORY, _fault_memory)):
        raw, where = data.get(key), f"{pointer}/{name}/{key}"
        if raw is not None:
            decoded.append(_entry(record, vin, document, entries, (key, raw, where), read))
    decoded.append(_beside(record, vin, document, entries))
    return Decoded(
        record,
        items=tuple(item for part in decoded for item in part.items),
        rejected=tuple(bad for part in decoded for bad in part.rejected),
    )


def _beside(record: Record, vin: str, document: Mapping[str, Any], entries: _Entries) -> Decoded:
    """Read what keys beside the messages say is wrong: tyres far under their target, charging."""
    wheels = [f"{_AXLES}.{wheel}.tire.pressure" for wheel in _WHEELS]
    asked = (*wheels, *(f"{wheel}Target" for wheel in wheels), *_CHARGING_WORDS)
    present = [entries[key] for key in asked if key in entries]
    if not present:
        return Decoded(record)
    foreign = _begin(record, vin, max(present, key=_stamped), document, entries)
    tyres = [
        tyre_of(entries[wheel].get("value"), entries.get(f"{wheel}Target", {}).get("value"))
        for wheel in wheels
        if wheel in entries
    ]
    add_tyres(foreign, [*tyres, *[None] * (len(wheels) - len(tyres))] if tyres else [])
    add_charging(foreign, *(entries.get(key, {}).get("value") for key in _CHARGING_WORDS))
    return foreign.decoded()


def _stamped(entry: Mapping[str, Any]) -> str:
    return str(entry.get("timestamp") or "")


def _entry(
    record: Record,
    vin: str,
    document: Mapping[str, Any],
    entries: Mapping[str, Mapping[str, Any]],
    located: tuple[str, Any, str],
    read: Callable[[Foreign, Any, str], None],
) -> Decoded:
    """Read one entry, `located` by key, raw content and pointer; without a value it is quiet."""
    key, raw, where = located
    entry = entries.get(key, {})
    foreign = _begin(record, vin, entry, document, entries)
    if not entry:
        foreign.reject(
            Bad(Reject.WRONG_TYPE, f"an object with a value is wanted, not {kind(raw)}", where)
        )
    elif entry.get("value") not in (None, ""):
        try:
            read(foreign, entry["value"], f"{where}/value")
        except Bad as bad:
            foreign.reject(bad)
    return foreign.decoded()


def _begin(
    record: Record,
    vin: str,
    entry: Mapping[str, Any],
    document: Mapping[str, Any],
    entries: Mapping[str, Mapping[str, Any]],
) -> Foreign:
    stamp = entry.get("timestamp") or document.get("timestamp")
    at = time_of(stamp)
    odometer, charge = entries.get(_ODOMETER, {}), entries.get(_CHARGE, {})
    foreign = Foreign(
        record=record,
        vin=vin,
        source=SOURCE,
        observed_at=at or received_at(record),
        stamp=stamp_of(stamp),
        answered_at=at,
    )
    shared = {
        "odometer_km": kilometres(odometer.get("value"), odometer.get("unit")),
        "state_of_charge": fraction(charge.get("value")),
    }
    return begin(foreign, shared)


def _messages(foreign: Foreign, value: Any, pointer: str) -> None:
    """Add the messages of a text that is JSON inside JSON."""
    listed = value
    if isinstance(value, str):
        try:
            listed = read_json(value.encode("utf-8", "surrogatepass"))
        except Bad as bad:
            raise Bad(bad.rejected.reason, f"inner JSON: {bad.rejected.detail}", pointer) from bad
    is_all = not isinstance(listed, dict) or "checkControlMessages" in listed
    if isinstance(listed, dict):  # else it is one message, perhaps of several
        listed = listed.get("checkControlMessages", [listed])
    add_messages(foreign, listed, pointer, is_all=is_all)


def _fault_memory(foreign: Foreign, value: Any, pointer: str) -> None:
    """Add the codes of an XML text: control units, each with what its memory holds.

    It asked the units that it names, as far as all that it says of them is understood.
    """
    if not isinstance(value, str):
        raise Bad(Reject.WRONG_TYPE, "XML text is wanted", pointer)
    try:
        root = fromstring(value)
    except (ParseError, DefusedXmlException, ValueError, RecursionError) as error:
        raise Bad(Reject.NOT_XML, str(error) or type(error).__name__, pointer) from error
    seen: set[tuple[str | None, str]] = set()
    is_whole: dict[str | None, bool] = {}
    for raw, ecu in _parts(root):
        unit = unit_of(ecu)
        is_whole[unit] = is_whole.get(unit, True) and raw != _UNREAD
        if raw in (_UNREAD, _NO_CODE):
            continue
        code = _code(raw)
        if code is None:
            foreign.reject(Bad(Reject.BAD_CODE, f"{shown(raw)} is no fault code", pointer))
        elif (unit, code) not in seen:
            seen.add((unit, code))
            text = f"ECU {ecu}" if ecu else None
            foreign.add(code, Severity.UNKNOWN, text=text, pointer=pointer, unit=unit)
    for unit, is_read in (is_whole or {None: True}).items():
        for scheme in ("dtc", "bmwdtc") if is_read else ():
            foreign.snapshot(scheme, unit=unit)


# In place of a code, signs that XML cannot hold: a unit begins, a leaf is not understood.
_NO_CODE: Final = "\1"
_UNREAD: Final = "\0"


def _parts(root: Element) -> Iterator[tuple[str, str | None]]:
    """Yield raw codes with their ECU, without recursion: an attribute or the text of a leaf.

    An ECU is yielded by itself too, and so is a leaf that is no code.
    """
    stack: list[tuple[Element, str | None, bool]] = [(root, None, False)]
    while stack:
        element, ecu, is_inside = stack.pop()
        tag = _local(element.tag)
        names = {_local(name): text for name, text in element.attrib.items()}
        is_ecu = tag in ("ecu", "controlunit", "electroniccontrolunit")
        if is_ecu:
            ecu = next((names[name] for name in _ECU_NAMES if name in names), ecu)
            yield _NO_CODE, ecu
        raw = next((names[name] for name in _CODE_NAMES if name in names), None)
        is_fault = tag in _CODE_NAMES or tag in ("fault", "entry")
        if is_fault and raw is not None:
            yield raw, ecu
        elif tag in _CODE_NAMES and len(element) == 0:
            yield (element.text or "").strip(), ecu
        elif len(element) == 0 and not (is_ecu or is_inside or element is root):
            yield _UNREAD, ecu
        stack.extend((child, ecu, is_inside or is_fault) for child in reversed(element))


def _local(name: Any) -> str:
    return str(name).rpartition("}")[2].replace("_", "").replace("-", "").lower()


def _code(raw: str) -> str | None:
    """Spell a code: the standard's with its letter, else BMW's own in hexadecimal digits."""
    text = normalize("NFKC", raw).strip().upper()
    own = f"bmwdtc:{text.removeprefix('0X')}" if _OWN.fullmatch(text) else None
    return written_code(text) or own
