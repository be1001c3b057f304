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
from models.documents.yaml import read_yaml
from models.errors import Unusable

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
        mistake = _mistake_in(step, number)
        if mistake:
            values = {"number": number, "wrong": mistake}
            raise Unusable("Step %(number)s of the mapping: %(wrong)s.", values)
    return steps


def repaired(record: Record, steps: Steps) -> Record:
    """Return the record as the steps change it; a value that is no JSON object or list stays."""
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
        for verb, arguments in step.items():
            _VERBS[verb](document, arguments)
    return replace(record, value=json.dumps(document, ensure_ascii=False).encode("utf-8"))


def _mistake_in(step: Any, number: int) -> str | None:
    """Return in words what is wrong with a step; None for a good one."""
    if not isinstance(step, dict) or len(step) != 1:
        return f"one verb is wanted: {', '.join(_NEEDS)}"
    ((verb, arguments),) = step.items()
    if verb not in _NEEDS:
        return f"{verb} is no verb; there are {', '.join(_NEEDS)}"
    must, may = _NEEDS[verb]
    if not isinstance(arguments, dict) or not must <= arguments.keys() <= must | may:
        return f"{verb} takes {', '.join(sorted(must | may))}"
    for name in ("at", "from", "to"):
        place = arguments.get(name, "/x")
        if not isinstance(place, str) or not place.startswith("/"):
            return f"{name} must be a JSON pointer such as /observed_at"
    if verb == "rename" and "*" in (arguments["from"] + arguments["to"]):
        return "rename takes no *"
    return _mistake_in_arguments(verb, arguments, number)


def _mistake_in_arguments(verb: str, arguments: _Object, number: int) -> str | None:
    if verb == "map" and not isinstance(arguments["values"], dict):
        return "values must be pairs of what is there and what is to be there"
    if verb == "encoding":
        if number != 1:
            return "encoding must be the first step"
        try:
            codecs.lookup(str(arguments["of"])).name.encode()
            "x".encode(str(arguments["of"]))
        except LookupError:
            return f"{arguments['of']} is no encoding of text"
    if verb == "time":
        if not isinstance(arguments["format"], str):
            return "format must be a text such as '%d.%m.%Y %H:%M:%S', epoch_s or epoch_ms"
        try:
            ZoneInfo(str(arguments.get("zone", "UTC")))
        except (ZoneInfoNotFoundError, ValueError):
            return f"{arguments['zone']} is no time zone"
    return None


def _parents(document: Any, pointer: str) -> Iterator[tuple[Any, Any]]:
    """Yield every (container, key) that a pointer means; the key itself need not be there."""
    *path, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]
    nodes = [document]
    for part in path:
        nodes = [inner for node in nodes for inner in _inner(node, part)]
    for node in nodes:
        if isinstance(node, dict):
            yield node, last
        elif isinstance(node, list):
            for place in range(len(node)) if last == "*" else _place(node, last):
                yield node, place


def _inner(node: Any, part: str) -> Iterator[Any]:
    if isinstance(node, dict) and part in node:
        yield node[part]
    elif isinstance(node, list):
        for place in range(len(node)) if part == "*" else _place(node, part):
            yield node[place]


def _place(listed: list[Any], part: str) -> list[int]:
    return [int(part)] if part.isdecimal() and int(part) < len(listed) else []


def _has(container: Any, key: Any) -> bool:
    return isinstance(container, list) or key in container


def _rename(document: Any, arguments: Mapping[str, Any]) -> None:
    for container, key in list(_parents(document, arguments["from"])):
        targets = list(_parents(document, arguments["to"]))
        if isinstance(container, dict) and key in container and targets:
            value = container.pop(key)
            targets[0][0][targets[0][1]] = value


def _set(document: Any, arguments: Mapping[str, Any]) -> None:
    for container, key in _parents(document, arguments["at"]):
        container[key] = arguments["value"]


def _map(document: Any, arguments: Mapping[str, Any]) -> None:
    for container, key in _parents(document, arguments["at"]):
        if _has(container, key) and isinstance(container[key], (str, int, float, bool)):
            container[key] = arguments["values"].get(container[key], container[key])


def _time(document: Any, arguments: Mapping[str, Any]) -> None:
    for container, key in _parents(document, arguments["at"]):
        if _has(container, key):
            with suppress(ValueError, TypeError, OverflowError, OSError):
                container[key] = _moment(container[key], arguments).isoformat()


def _moment(value: Any, arguments: Mapping[str, Any]) -> datetime:
    unit = _PER_SECOND.get(arguments["format"])
    if unit is not None:
        return datetime.fromtimestamp(float(value) / unit, UTC)
    at = datetime.strptime(str(value), arguments["format"])  # noqa: DTZ007 - the zone follows
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(arguments.get("zone", "UTC")))


def _remove(document: Any, arguments: Mapping[str, Any]) -> None:
    for container, key in reversed(list(_parents(document, arguments["at"]))):
        if _has(container, key):
            del container[key]


def _nothing(_document: Any, _arguments: Mapping[str, Any]) -> None:
    """Change nothing: `repaired` decodes the bytes before the document is read."""


_VERBS: Final[Mapping[str, Callable[[Any, Mapping[str, Any]], None]]] = {
    "encoding": _nothing,
    "rename": _rename,
    "set": _set,
    "map": _map,
    "time": _time,
    "remove": _remove,
}
