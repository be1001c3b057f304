"""BMW CarData: a container fetched by REST, or a streamed message; keys are technical names."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ingest.formats.foreign import Foreign
from ingest.formats.messages import add_messages
from ingest.formats.parts import (
    Bad,
    kind,
    number,
    read_json,
    received_at,
    shown,
    stamp_of,
    time_of,
)
from models.batch import Decoded, Record
from models.words import Reject, Severity

SOURCE: Final = "bmw.cardata"
MESSAGES: Final = "vehicle.status.checkControlMessages"
FAULT_MEMORY: Final = "vehicle.electronicControlUnit.diagnosticTroubleCodes.raw"
_ODOMETER: Final = "vehicle.vehicle.travelledDistance"
_CHARGE: Final = "vehicle.drivetrain.batteryManagement.header"
_STANDARD: Final = re.compile(r"[PBCU][0-3][0-9A-F]{3}(-[0-9A-F]{2})?")
_OWN: Final = re.compile(r"(0X)?[0-9A-F]{4,8}")
_CODE_NAMES: Final = ("dtc", "code", "faultcode", "dtccode", "id", "hexcode")
_ECU_NAMES: Final = ("ecu", "sgbd", "ecuname", "name", "address", "variant")


def decode(record: Record, document: Mapping[str, Any], vin: str, pointer: str) -> Decoded:
    """Read messages and fault memory; keys that say nothing of faults are passed over."""
    name = "telematicData" if "telematicData" in document else "data"
    data = document[name]
    if not isinstance(data, dict):
        raise Bad(Reject.WRONG_TYPE, "an object is wanted", f"{pointer}/{name}")
    entries = {key: one for key, one in data.items() if isinstance(one, dict)}
    found: list[Decoded] = []
    for key, read in ((MESSAGES, _messages), (FAULT_MEMORY, _fault_memory)):
        given, where = data.get(key), f"{pointer}/{name}/{key}"
        if given is not None:
            found.append(_entry(record, vin, document, entries, (key, given, where), read))
    return Decoded(
        record,
        items=tuple(item for one in found for item in one.items),
        rejected=tuple(bad for one in found for bad in one.rejected),
    )


def _entry(
    record: Record,
    vin: str,
    document: Mapping[str, Any],
    entries: Mapping[str, Mapping[str, Any]],
    at: tuple[str, Any, str],
    read: Callable[[Foreign, Any, str], None],
) -> Decoded:
    """Read one key: its name, what stands there, and its pointer. Without a value it is quiet."""
    key, given, where = at
    entry = entries.get(key, {})
    foreign = _begin(record, vin, entry, document, entries)
    if not entry:
        foreign.reject(
            Bad(Reject.WRONG_TYPE, f"an object with a value is wanted, not {kind(given)}", where)
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
    given = entry.get("timestamp") or document.get("timestamp")
    at = time_of(given)
    odometer = number(entries.get(_ODOMETER, {}).get("value"), 0, 5e6)
    charge = number(entries.get(_CHARGE, {}).get("value"), 0, 100)
    shared = {
        "odometer_km": odometer,
        "state_of_charge": None if charge is None else charge / 100,
    }
    return Foreign(
        record=record,
        vin=vin,
        source=SOURCE,
        observed_at=at or received_at(record),
        stamp=stamp_of(given),
        shared={name: value for name, value in shared.items() if value is not None},
    )


def _messages(foreign: Foreign, value: Any, pointer: str) -> None:
    """The value is JSON inside JSON: a text that holds the list of messages."""
    listed = value
    if isinstance(value, str):
        try:
            listed = read_json(value.encode("utf-8", "surrogatepass"))
        except Bad as bad:
            raise Bad(bad.rejected.reason, f"inner JSON: {bad.rejected.detail}", pointer) from bad
    if isinstance(listed, dict):
        listed = listed.get("checkControlMessages", [listed])
    add_messages(foreign, listed, pointer)


def _fault_memory(foreign: Foreign, value: Any, pointer: str) -> None:
    """The value is XML: control units, each with the codes in its memory."""
    if not isinstance(value, str):
        raise Bad(Reject.WRONG_TYPE, "XML text is wanted", pointer)
    try:
        root = fromstring(value)
    except (ParseError, DefusedXmlException, ValueError, RecursionError) as error:
        raise Bad(Reject.NOT_XML, str(error) or type(error).__name__, pointer) from error
    seen: set[str] = set()
    for given, ecu in _codes(root):
        code = _code(given)
        if code is None:
            foreign.reject(Bad(Reject.BAD_CODE, f"{shown(given)} is no fault code", pointer))
        elif code not in seen:
            seen.add(code)
            text = f"ECU {ecu}" if ecu else None
            foreign.add(code, Severity.UNKNOWN, text=text, pointer=pointer)


def _codes(root: Element) -> Iterator[tuple[str, str | None]]:
    """Walk the tree without recursion; a code is an attribute or the text of a leaf."""
    stack: list[tuple[Element, str | None]] = [(root, None)]
    while stack:
        element, ecu = stack.pop()
        names = {_local(name): text for name, text in element.attrib.items()}
        is_fault = _local(element.tag) in _CODE_NAMES or _local(element.tag) in ("fault", "entry")
        if _local(element.tag) in ("ecu", "controlunit", "electroniccontrolunit"):
            ecu = next((names[name] for name in _ECU_NAMES if name in names), ecu)
        held = next((names[name] for name in _CODE_NAMES if name in names), None)
        if is_fault and held is not None:
            yield held, ecu
        elif _local(element.tag) in _CODE_NAMES and len(element) == 0:
            yield (element.text or "").strip(), ecu
        stack.extend((child, ecu) for child in reversed(element))


def _local(name: Any) -> str:
    return str(name).rpartition("}")[2].replace("_", "").replace("-", "").lower()


def _code(given: str) -> str | None:
    text = given.strip().upper()
    if _STANDARD.fullmatch(text):
        return f"dtc:{text}"
    return f"bmwdtc:{text.removeprefix('0X')}" if _OWN.fullmatch(text) else None
