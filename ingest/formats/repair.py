"""Repairs a record by a small mapping file before it is read again; the original stays as it is.

A mapping is a list of steps, each with one verb: `encoding`, `rename`, `set`, `map`, `time`,
`remove`. Places are JSON pointers; `*` stands for every element of a list.
"""

import codecs
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
import yaml
from msgspec.structs import replace

from models.batch import Record
from models.errors import Unusable
from models.yaml import read_yaml

_Object = dict[str, Any]
_NEEDS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    "encoding": (frozenset({"of"}), frozenset()),
    "rename": (frozenset({"from", "to"}), frozenset()),
    "set": (frozenset({"at", "value"}), frozenset()),
    "map": (frozenset({"at", "values"}), frozenset()),
    "time": (frozenset({"at", "format"}), frozenset({"zone"})),
    "remove": (frozenset({"at"}), frozenset()),
}
_PER_SECOND: Final = {"epoch_s": 1, "epoch_ms": 1000}
Steps = Sequence[Mapping[str, Mapping[str, Any]]]


def parse_repair(text: str) -> Steps:
    """Read a mapping file. Raises `Unusable` with the step and what is wrong with it."""
    try:
        steps = read_yaml(text)
    except yaml.YAMLError as error:
        raise Unusable("The mapping is no YAML: %(error)s", {"error": str(error)}) from error
    if not isinstance(steps, list) or not steps:
        raise Unusable("A mapping is a list of steps, such as `- remove: {at: /speed_kph}`.")
    for number, step in enumerate(steps, start=1):
        wrong = _wrong(step, number)
        if wrong:
            values = {"number": number, "wrong": wrong}
            raise Unusable("Step %(number)s of the mapping: %(wrong)s.", values)
    return steps


def repaired(record: Record, steps: Steps) -> Record:
    """Give the record as the steps make it; a value that is no JSON object or list stays."""
    value = record.value
    for step in steps:
        if value is not None and "encoding" in step:
            with suppress(UnicodeDecodeError):
                value = value.decode(step["encoding"]["of"]).encode("utf-8")
    try:
        document = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return replace(record, value=value)
    if not isinstance(document, (dict, list)):
        return replace(record, value=value)
    for step in steps:
        for verb, said in step.items():
            _VERBS[verb](document, said)
    return replace(record, value=json.dumps(document, ensure_ascii=False).encode("utf-8"))


def _wrong(step: Any, number: int) -> str | None:
    """Say in words what is wrong with a step; None for a good one."""
    if not isinstance(step, dict) or len(step) != 1:
        return f"one verb is wanted: {', '.join(_NEEDS)}"
    ((verb, said),) = step.items()
    if verb not in _NEEDS:
        return f"{verb} is no verb; there are {', '.join(_NEEDS)}"
    must, may = _NEEDS[verb]
    if not isinstance(said, dict) or not must <= said.keys() <= must | may:
        return f"{verb} takes {', '.join(sorted(must | may))}"
    for name in ("at", "from", "to"):
        place = said.get(name, "/x")
        if not isinstance(place, str) or not place.startswith("/"):
            return f"{name} must be a JSON pointer such as /observed_at"
    if verb == "rename" and "*" in (said["from"] + said["to"]):
        return "rename takes no *"
    return _wrong_values(verb, said, number)


def _wrong_values(verb: str, said: _Object, number: int) -> str | None:
    if verb == "map" and not isinstance(said["values"], dict):
        return "values must be pairs of what is there and what is to be there"
    if verb == "encoding":
        if number != 1:
            return "encoding must be the first step"
        try:
            codecs.lookup(str(said["of"])).name.encode()
            "x".encode(str(said["of"]))
        except LookupError:
            return f"{said['of']} is no encoding of text"
    if verb == "time":
        if not isinstance(said["format"], str):
            return "format must be a text such as '%d.%m.%Y %H:%M:%S', epoch_s or epoch_ms"
        try:
            ZoneInfo(str(said.get("zone", "UTC")))
        except (ZoneInfoNotFoundError, ValueError):
            return f"{said['zone']} is no time zone"
    return None


def _parents(document: Any, pointer: str) -> Iterator[tuple[Any, Any]]:
    """Find every (container, key) that a pointer means; the key itself need not be there."""
    *path, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]
    found = [document]
    for part in path:
        found = [inner for one in found for inner in _inner(one, part)]
    for one in found:
        if isinstance(one, dict):
            yield one, last
        elif isinstance(one, list):
            for place in range(len(one)) if last == "*" else _place(one, last):
                yield one, place


def _inner(one: Any, part: str) -> Iterator[Any]:
    if isinstance(one, dict) and part in one:
        yield one[part]
    elif isinstance(one, list):
        for place in range(len(one)) if part == "*" else _place(one, part):
            yield one[place]


def _place(listed: list[Any], part: str) -> list[int]:
    return [int(part)] if part.isdecimal() and int(part) < len(listed) else []


def _has(holder: Any, key: Any) -> bool:
    return isinstance(holder, list) or key in holder


def _rename(document: Any, said: Mapping[str, Any]) -> None:
    for holder, key in list(_parents(document, said["from"])):
        targets = list(_parents(document, said["to"]))
        if isinstance(holder, dict) and key in holder and targets:
            value = holder.pop(key)
            targets[0][0][targets[0][1]] = value


def _set(document: Any, said: Mapping[str, Any]) -> None:
    for holder, key in _parents(document, said["at"]):
        holder[key] = said["value"]


def _map(document: Any, said: Mapping[str, Any]) -> None:
    for holder, key in _parents(document, said["at"]):
        if _has(holder, key) and isinstance(holder[key], (str, int, float, bool)):
            holder[key] = said["values"].get(holder[key], holder[key])


def _time(document: Any, said: Mapping[str, Any]) -> None:
    for holder, key in _parents(document, said["at"]):
        if _has(holder, key):
            with suppress(ValueError, TypeError, OverflowError, OSError):
                holder[key] = _moment(holder[key], said).isoformat()


def _moment(given: Any, said: Mapping[str, Any]) -> datetime:
    unit = _PER_SECOND.get(said["format"])
    if unit is not None:
        return datetime.fromtimestamp(float(given) / unit, UTC)
    at = datetime.strptime(str(given), said["format"])  # noqa: DTZ007 - the zone follows
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(said.get("zone", "UTC")))


def _remove(document: Any, said: Mapping[str, Any]) -> None:
    for holder, key in reversed(list(_parents(document, said["at"]))):
        if _has(holder, key):
            del holder[key]


def _nothing(_document: Any, _said: Mapping[str, Any]) -> None:
    """What is done to the bytes before the document is read."""


_VERBS: Final[Mapping[str, Callable[[Any, Mapping[str, Any]], None]]] = {
    "encoding": _nothing,
    "rename": _rename,
    "set": _set,
    "map": _map,
    "time": _time,
    "remove": _remove,
}
